"""What the ordinary routes take: ids, bodies and query parameters."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from hookwright.api.cursors import DEFAULT_LIMIT, MAX_LIMIT
from hookwright.core.lanes import MAX_ID
from hookwright.core.model import DeliveryStatus, KeyKind
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.operations.accounts import MAX_NAME_LENGTH

MAX_SCOPES = 100
MAX_ATTRIBUTES = 20


def _without_nul(text: str) -> str:
    # PostgreSQL's text holds no NUL.
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


def _digits(value: object) -> object:
    # pydantic would also take 5.0, +5 and 5_0 for 5.
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("must be an id: digits")
    return value


def _known_event_type(name: str) -> str:
    if name not in EVENT_TYPES:
        raise ValueError(f"unknown event type; one of {', '.join(EVENT_TYPES)}")
    return name


RowId = Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(_digits)]
PathId = Annotated[int, Path(ge=0, le=MAX_ID), BeforeValidator(_digits)]
EventType = Annotated[str, AfterValidator(_known_event_type), Field(json_schema_extra={"enum": list(EVENT_TYPES)})]
Text = Annotated[str, AfterValidator(_without_nul)]
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
    attributes: dict[Attribute, Attribute] = Field(
        default={},
        max_length=MAX_ATTRIBUTES,
        description="For a kajabi key: user_name, user_email and role_level of the user that it acts as.",
    )


class EndpointChange(RequestModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "active", "retry_schedule": [0, 60, 3600]}})

    status: Literal["active", "paused"] = Field(
        default="active", description="Activating also makes everything due that waited for the endpoint."
    )
    retry_schedule: list[int] | None = Field(
        default=None, description="Seconds before each attempt, the first included; null for the service's own."
    )


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
    created_from: datetime | None = Field(default=None, description="ISO 8601, inclusive; UTC without a zone.")
    created_to: datetime | None = Field(default=None, description="ISO 8601, exclusive; UTC without a zone.")


class KeyFilters(RequestModel):
    account: RowId | None = None
