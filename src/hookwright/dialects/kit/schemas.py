"""The shapes of requests and answers, for the OpenAPI document.

Source: Kit openapi v4.json ("Create a webhook", "List webhooks", "Get current account").
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hookwright.dialects.kit.events import PARAMETERS

_Examples = dict[str, Any]


def _with_example(example: _Examples) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


class RequestedEvent(BaseModel):
    """What the webhook waits for. The parameter that the event requires must be given, the others are ignored."""

    name: str = Field(json_schema_extra={"enum": list(PARAMETERS)})
    form_id: int | str | None = None
    tag_id: int | str | None = None
    sequence_id: int | str | None = Field(None, description="Also accepted as `course_id`")
    product_id: int | str | None = None
    initiator_value: str | None = Field(None, description="The URL of a link, compared as an exact string")
    custom_field_id: int | str | None = None


class NewWebhook(BaseModel):
    """A request to create a webhook."""

    target_url: str
    event: RequestedEvent

    model_config = _with_example(
        {
            "target_url": "https://example.convertkit.dev/",
            "event": {"name": "subscriber.tag_add", "tag_id": 44},
        }
    )


class NewRule(NewWebhook):
    """v3's request to create a webhook."""

    api_secret: str | None = Field(None, description="An API key, unless the query has it")


class WebhookEvent(BaseModel):
    """What a webhook waits for, as answers say it: the name without what stands before its dot."""

    name: str
    form_id: int | None = None
    tag_id: int | None = None
    sequence_id: int | None = None
    product_id: int | None = None
    initiator_value: str | None = None
    custom_field_id: int | None = None


class Webhook(BaseModel):
    id: int
    account_id: int
    event: WebhookEvent
    target_url: str


class WebhookCreated(BaseModel):
    webhook: Webhook


class Pagination(BaseModel):
    has_previous_page: bool
    has_next_page: bool
    start_cursor: str | None
    end_cursor: str | None
    per_page: int
    total_count: int | None = Field(None, description="Only with `include_total_count=true`")


class WebhookList(BaseModel):
    webhooks: list[Webhook]
    pagination: Pagination


class Errors(BaseModel):
    errors: list[str]


class User(BaseModel):
    email: str
    id: int


class Timezone(BaseModel):
    name: str
    friendly_name: str
    utc_offset: str


class SendingAddress(BaseModel):
    email_address: str
    from_name: str
    status: str
    is_default: bool
    is_verified: bool
    is_dmarc_configured: bool


class Plan(BaseModel):
    plan_type: str
    interval: str
    subscriber_limit: int | None
    on_trial: bool
    trial_lapse_date: str | None
    renews_at: str | None
    cancels_at: str | None


class AccountDetails(BaseModel):
    id: int
    name: str
    plan_type: str
    primary_email_address: str
    created_at: str
    timezone: Timezone
    sending_addresses: list[SendingAddress]
    plan: Plan


class CurrentAccount(BaseModel):
    user: User
    account: AccountDetails


class RuleDetails(BaseModel):
    id: int
    account_id: int
    status: Literal["enabled", "disabled"] | None = Field(None, description="Only in lists")
    event: WebhookEvent
    target_url: str


class Rule(BaseModel):
    """v3's name for a webhook."""

    rule: RuleDetails


class RuleDeleted(BaseModel):
    success: bool


class V3Error(BaseModel):
    error: str
    message: str


class TokenRequest(BaseModel):
    """What the token endpoint takes, as JSON or as a form."""

    grant_type: Literal["authorization_code", "refresh_token", "client_credentials"]
    client_id: str
    client_secret: str | None = Field(None, description="Confidential clients")
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = Field(None, description="PKCE (RFC 7636), method S256")
    refresh_token: str | None = None


class ConsentForm(BaseModel):
    """What the consent page sends: the authorization request again, the decision, and who takes it."""

    client_id: str
    redirect_uri: str
    response_type: Literal["code"]
    decision: Literal["allow", "deny"]
    api_key: str | None = Field(None, description="The account's API key")
    account: str | None = Field(None, description="Instead of the API key, where nobody signs in: an account's id")
    state: str | None = None
    scope: str | None = None
    code_challenge: str | None = None
    code_challenge_method: Literal["S256"] | None = None
    tenant_name: str | None = None


class TokenAnswer(BaseModel):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str | None = Field(None, description="Absent for `client_credentials`")
    scope: str
    created_at: int


class RevocationRequest(BaseModel):
    """What the revocation endpoint takes (RFC 7009), as JSON or as a form."""

    token: str
    client_id: str
    client_secret: str | None = None
    token_type_hint: Literal["access_token", "refresh_token"] | None = None


class OAuthError(BaseModel):
    error: str
    error_description: str
