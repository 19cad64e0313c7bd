"""The shapes of requests and responses, for the OpenAPI document.

They follow Kajabi's openapi.yaml 1.1.0, tightened to what this service in fact sends. Requests are validated in
`hook_requests.py` and `oauth.py`, whose refusals must be Kajabi's and come all at once.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

REF_TEMPLATE = "#/components/schemas/{model}"

EventName = Literal["purchase", "form_submission", "tag_added", "tag_removed", "payment_succeeded", "order_created"]


class Identifier(BaseModel):
    id: str
    type: str


class ToOne(BaseModel):
    data: Identifier | None


class SiteIdentifier(BaseModel):
    id: str
    type: Literal["sites"]


class SiteRelationship(BaseModel):
    data: SiteIdentifier


class HookRelationships(BaseModel):
    site: ToOne


class NewHookAttributes(BaseModel):
    target_url: str = Field(description="The URL where webhook events will be sent")
    event: EventName
    resource_id: int | str | None = Field(
        default=None,
        description="An integer or a numeric string: only events of this tag, form or offer. Omitted: any",
    )


class NewHookRelationships(BaseModel):
    site: SiteRelationship | None = None


class NewHook(BaseModel):
    type: Literal["hooks"]
    attributes: NewHookAttributes
    relationships: NewHookRelationships | None = Field(
        default=None, description="The site; may be left out when the account has only one"
    )


class HookCreation(BaseModel):
    """The body of `POST /v1/hooks`."""

    data: NewHook


class HookAttributes(BaseModel):
    event: EventName
    target_url: str
    created_at: datetime
    updated_at: datetime
    resource_id: int | None


class Hook(BaseModel):
    id: str
    type: Literal["hooks"]
    attributes: HookAttributes
    relationships: HookRelationships


class HookDocument(BaseModel):
    data: Hook


class PageLinks(BaseModel):
    """Links that lead nowhere are left out."""

    self: str
    current: str
    first: str | None = None
    prev: str | None = None
    next: str | None = None
    last: str | None = None


class PageMeta(BaseModel):
    total: int
    total_count: int
    total_pages: int
    current_page: int


class HookList(BaseModel):
    data: list[Hook]
    links: PageLinks
    meta: PageMeta


class SampleResource(BaseModel):
    """One resource of a payload; its attributes and relationships depend on its type."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    attributes: dict[str, Any]
    links: dict[str, str] | None = None
    relationships: dict[str, Any]


def _none_required(schema: dict[str, Any]) -> None:
    del schema["required"]


class SiteAttributes(BaseModel):
    """Those that `fields[sites]` names, or all of them."""

    model_config = ConfigDict(json_schema_extra=_none_required)

    title: str
    subdomain: str
    created_at: datetime
    updated_at: datetime


class Site(BaseModel):
    id: str
    type: Literal["sites"]
    attributes: SiteAttributes


class SiteDocument(BaseModel):
    data: Site


class SiteList(BaseModel):
    data: list[Site]
    links: PageLinks
    meta: PageMeta


class UserAttributes(BaseModel):
    initials: str
    name: str
    email: str
    role_level: str


class User(BaseModel):
    id: str
    type: Literal["users"]
    attributes: UserAttributes


class UserDocument(BaseModel):
    data: User


class VersionMeta(BaseModel):
    title: str
    version: str


class VersionLinks(BaseModel):
    documentation: str


class VersionJsonApi(BaseModel):
    version: str
    specficiation: str


class Version(BaseModel):
    meta: VersionMeta
    links: VersionLinks
    jsonapi: VersionJsonApi


class TokenRequest(BaseModel):
    """The form of `POST /v1/oauth/token`; each way to a token includes only its own fields."""

    grant_type: Literal["client_credentials", "refresh_token", "password"] | None = None
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    username: str | None = None
    password: str | None = None
    scope: str | None = Field(default=None, description="Scopes to narrow the token to, separated by spaces")


class TokenRevocation(BaseModel):
    """The form of `POST /v1/oauth/revoke`."""

    token: str


class TokenPair(BaseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token expires")


class ErrorSource(BaseModel):
    pointer: str


class ErrorObject(BaseModel):
    status: str
    source: ErrorSource | None
    title: str
    detail: str
    code: str | None = Field(default=None, description="Only on a 422 for a value: what is wrong with it")


class Errors(BaseModel):
    errors: list[ErrorObject]


class FlatError(BaseModel):
    error: str


_REASONS = {
    400: "Bad Request, the body is not what the route takes",
    401: "Unauthorized, Authorization header is missing or invalid",
    403: "Forbidden, insufficient permission to access the resource",
    404: "Not Found, the resource does not exist",
    409: "Conflict, the account has as many hooks as it may",
    413: "Payload Too Large",
    422: "Unprocessable Entity, invalid parameters",
    429: "Too Many Requests, see the header Retry-After",
    503: "Service Unavailable, see the header Retry-After",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a JSON:API route."""
    return {status: {"model": Errors, "description": _REASONS[status]} for status in statuses}


def flat_refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of an OAuth route."""
    return {status: {"model": FlatError, "description": _REASONS[status]} for status in statuses}


def request_body(model: str, media_type: str) -> dict[str, Any]:
    """The documented body of a route that reads it itself. `model` is one of `request_schemas`."""
    schema = {"$ref": REF_TEMPLATE.format(model=model)}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def request_schemas() -> dict[str, Any]:
    """The schemas that `request_body` refers to, which FastAPI does not collect by itself."""
    _, schemas = models_json_schema(
        [(HookCreation, "validation"), (TokenRequest, "validation"), (TokenRevocation, "validation")],
        ref_template=REF_TEMPLATE,
    )
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions


def query_parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A documented query parameter that may be left out."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


PAGE_PARAMETERS = (
    query_parameter("page[number]", "Number of the page, from 1", {"type": "integer"}),
    query_parameter("page[size]", "Number of documents", {"type": "integer"}),
)
