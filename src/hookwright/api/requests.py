"""What the ordinary routes take: ids, bodies and query parameters."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from hookwright.api.cursors import DEFAULT_LIMIT, MAX_LIMIT
from hookwright.core.addresses import MAX_URL_LENGTH
from hookwright.core.audit import Way
from hookwright.core.event_names import MAX_NAME_LENGTH as MAX_TYPE_LENGTH
from hookwright.core.gates import MAX_IN_FLIGHT, MAX_RATE_PER_SECOND
from hookwright.core.lanes import MAX_ID
from hookwright.core.model import (
    ANY_RESOURCE,
    SECOND,
    DeliveryStatus,
    KeyKind,
    Ordering,
    SignatureScheme,
    Subscription,
)
from hookwright.core.portal import LONGEST, SHORTEST, USUAL
from hookwright.operations.accounts import MAX_NAME_LENGTH
from hookwright.operations.event_types import MAX_DESCRIPTION_LENGTH
from hookwright.operations.own_endpoints import MAX_SUBSCRIPTIONS

MAX_SCOPES = 100
MAX_ATTRIBUTES = 20

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _without_nul(text: str) -> str:
    # PostgreSQL's text holds no NUL.
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


def _digits(value: object) -> object:
    # pydantic would also take 5.0, +5 and 5_0 for 5, and true for 1.
    if isinstance(value, bool) or (isinstance(value, str) and not (value.isascii() and value.isdigit())):
        raise ValueError("must be an id: digits")
    return value


def _iso_8601(value: object) -> object:
    # pydantic would also take a number, even as text, for Unix seconds or milliseconds.
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("must be ISO 8601, such as 2026-01-31T18:20:00Z")
    return value


def _wanted_event(value: object) -> object:
    # A name alone stands for any resource of it.
    if isinstance(value, str):
        return {"event": value}
    if not isinstance(value, dict):
        raise ValueError("must be the name of an event, or an object with `event` and `resource`")
    return value


def _resource_text(value: object) -> object:
    # The ids of the vocabulary are integers; a subscription keeps them as text.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


RowId = Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(_digits)]
PathId = Annotated[int, Path(ge=0, le=MAX_ID), BeforeValidator(_digits)]
NamedAccount = Annotated[RowId | None, Query(alias="account", description="Required unless the key has an account.")]
Moment = Annotated[datetime, BeforeValidator(_iso_8601)]
Text = Annotated[str, AfterValidator(_without_nul)]
EventType = Annotated[str, StringConstraints(max_length=MAX_TYPE_LENGTH)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH, pattern=r"\S")]
Subdomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
# Kajabi's scopes have the form `view:contacts`; ours and `owner` are plain words.
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(:[a-z_]+)?$", max_length=100)]
Attribute = Annotated[Text, StringConstraints(max_length=MAX_NAME_LENGTH)]


class RequestModel(BaseModel):
    """Part of a request: members that are not listed are refused, so that a typo is never ignored."""

    model_config = ConfigDict(extra="forbid")


class NewAccount(RequestModel):
    model_config = ConfigDict(json_schema_extra={"example": {"name": "Ada's courses"}})

    name: Name


class NewSite(RequestModel):
    model_config = ConfigDict(json_schema_extra={"example": {"title": "Compilers", "subdomain": "compilers"}})

    title: Name
    subdomain: Subdomain | None = None


class NewKey(RequestModel):
    """`account` may only be left out for a hookwright key, which then reaches every account."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"kind": "kajabi", "account": 64, "name": "Zapier", "scopes": ["owner"]}}
    )

    kind: KeyKind
    account: RowId | None = None
    name: Name
    scopes: list[Scope] = Field(default=[], max_length=MAX_SCOPES)
    expires_at: Moment | None = Field(
        default=None, description="From when on it is refused, with every token granted with it; null: never."
    )
    attributes: dict[Attribute, Attribute] = Field(
        default={},
        max_length=MAX_ATTRIBUTES,
        description="For a kajabi key: user_name, user_email and role_level of the user that it acts as.",
    )


class WantedEvent(RequestModel):
    """An event type, `noun.*` or `*`; and one resource, or any."""

    event: Text = Field(max_length=MAX_TYPE_LENGTH)
    resource: Annotated[str, BeforeValidator(_resource_text)] | None = Field(
        default=None,
        min_length=1,
        description="The id of a tag, form, sequence, custom field, offer, product, broadcast or post; a link's URL.",
    )

    def subscription(self) -> Subscription:
        return Subscription(self.event, self.resource or ANY_RESOURCE)


_WANTED_EVENT_SCHEMA = {"anyOf": [{"type": "string"}, WantedEvent.model_json_schema()]}

Url = Annotated[Text, StringConstraints(max_length=MAX_URL_LENGTH)]
Description = Annotated[Text, StringConstraints(max_length=MAX_DESCRIPTION_LENGTH)]
DisplayName = Annotated[Text, StringConstraints(max_length=MAX_NAME_LENGTH)]
WantedEvents = Annotated[
    list[Annotated[WantedEvent, BeforeValidator(_wanted_event), WithJsonSchema(_WANTED_EVENT_SCHEMA)]],
    Field(min_length=1, max_length=MAX_SUBSCRIPTIONS, description="What it gets: event types, `noun.*`, or `*`."),
]
Headers = Annotated[dict[str, str], Field(description="Sent with every request; names that are ours are refused.")]
RetrySchedule = Annotated[
    list[StrictInt] | None,
    Field(description="Seconds before each attempt, the first included; null for the service's own."),
]
# The operations judge the limits; these say what they are.
MaxInFlight = Annotated[
    StrictInt | None,
    Field(
        description="How many requests may be under way to it at once; null: no limit.",
        json_schema_extra={"minimum": 1, "maximum": MAX_IN_FLIGHT},
    ),
]
RatePerSecond = Annotated[
    StrictInt | None,
    Field(
        description="How many requests may be sent to it in a second; null: no limit.",
        json_schema_extra={"minimum": 1, "maximum": MAX_RATE_PER_SECOND},
    ),
]


OrderingChoice = Annotated[
    Ordering,
    Field(
        description="What goes one after another, each delivery only once the one before it is finished: nothing, all"
        " events of the endpoint, or those of one `ordering_key`."
    ),
]


class NewEndpoint(RequestModel):
    """An endpoint of Hookwright's own, which gets events in the Standard Webhooks form."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": 64,
                "url": "https://receiver.example.com/events",
                "events": ["contact.*", "purchase.created", {"event": "form.submitted", "resource": "512"}],
                "description": "Our warehouse",
            }
        }
    )

    account: RowId | None = Field(default=None, description="Required unless the key has an account.")
    url: Url
    events: WantedEvents
    name: DisplayName = ""
    description: Description = ""
    headers: Headers = {}
    retry_schedule: RetrySchedule = None
    max_in_flight: MaxInFlight = None
    rate_per_second: RatePerSecond = None
    ordering: OrderingChoice = "none"
    signature: SignatureScheme = Field(
        default="v1", description="v1: HMAC-SHA256 with a shared secret. v1a: Ed25519, verified with a public key."
    )


class EndpointChange(RequestModel):
    """What is left out stays as it is. Of a dialect's endpoint the status, schedule, limits and ordering change."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "active", "retry_schedule": [0, 60, 3600]}})

    url: Url = ""
    events: WantedEvents = []
    name: DisplayName = ""
    description: Description = ""
    headers: Headers = {}
    status: Literal["active", "paused"] = Field(
        default="active", description="Activating also makes everything due that waited for the endpoint."
    )
    retry_schedule: RetrySchedule = None
    max_in_flight: MaxInFlight = None
    rate_per_second: RatePerSecond = None
    ordering: OrderingChoice = "none"


class NewEventType(RequestModel):
    """What is left out is empty: a declaration replaces the one before."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "description": "An invoice was paid in full.",
                "schema": {
                    "type": "object",
                    "properties": {"invoice": {"type": "object", "required": ["id"]}},
                    "required": ["invoice"],
                },
                "sample": {"invoice": {"id": 9001}},
            }
        }
    )

    description: Description = ""
    json_schema: dict[str, Any] | None = Field(
        default=None, alias="schema", description="JSON Schema 2020-12 of the data; enforced at publish."
    )
    sample: dict[str, Any] | None = Field(default=None, description="Data that fits the schema.")


class Paging(RequestModel):
    """The query parameters of every list that has pages."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")


class EndpointFilters(Paging):
    account: RowId | None = Field(default=None, description="Required unless the key has an account.")
    dialect: Text | None = None


class DeliveryFilters(Paging):
    account: RowId | None = None
    endpoint: RowId | None = None
    event: UUID | None = None
    status: DeliveryStatus | None = None
    event_type: EventType | None = None
    created_from: Moment | None = Field(default=None, description="ISO 8601, inclusive; UTC without a zone.")
    created_to: Moment | None = Field(default=None, description="ISO 8601, exclusive; UTC without a zone.")


class NewPortalLink(RequestModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "expires_in_seconds": 3600,
                "permissions": "manage",
                "name": "Ada's platform",
                "logo": "https://app.example.com/logo.svg",
                "accent": "#2b50cc",
            }
        }
    )

    expires_in_seconds: StrictInt = Field(
        default=USUAL // SECOND, json_schema_extra={"minimum": SHORTEST // SECOND, "maximum": LONGEST // SECOND}
    )
    permissions: Literal["read", "manage"] = Field(
        default="read", description="`read` looks; `manage` also replays and changes endpoints."
    )
    name: Text = Field(default="", description="Whose portal it looks like; at most 60 characters.")
    logo: Text = Field(default="", description="Its logo, by an https URL.")
    accent: Text = Field(
        default="",
        description="Its accent colour, `#2b50cc`. It is made darker or lighter as far as it needs to be to be read.",
    )


class AuditFilters(Paging):
    account: RowId | None = None
    action: Text | None = Field(default=None, description="Such as `key.rotated`, or all of a kind: `key.*`.")
    way: Way | None = Field(default=None, description="The way in which it was changed.")
    actor: RowId | None = Field(default=None, description="The id of a key, app or portal link.")
    object: Text | None = Field(default=None, description="The id of what was changed; an event type's name.")
    since: Moment | None = Field(default=None, description="ISO 8601, inclusive; UTC without a zone.")
    until: Moment | None = Field(default=None, description="ISO 8601, exclusive; UTC without a zone.")


class KeyFilters(RequestModel):
    account: RowId | None = None
