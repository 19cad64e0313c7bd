"""What the ordinary routes answer. Times are ISO 8601 in UTC with microseconds; ids are integers."""

from typing import Any

from pydantic import BaseModel, Field

from hookwright.core.answer_headers import AnswerHeader
from hookwright.core.model import (
    Account,
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Key,
    KeyKind,
    Site,
)
from hookwright.core.times import iso_micros, iso_or_none
from hookwright.operations.keys import NewKey, client_id_of


class AccountView(BaseModel):
    id: int
    name: str
    created_at: str


class AccountWithSecret(AccountView):
    signing_secret: str = Field(description="The `whsec_` secret that the account's receivers verify with.")


class SiteView(BaseModel):
    id: int
    account: int
    title: str
    subdomain: str
    created_at: str
    updated_at: str


class KeyView(BaseModel):
    id: int
    kind: KeyKind
    account: int | None
    name: str
    scopes: list[str]
    attributes: dict[str, str]
    client_id: str | None = Field(description="What a kajabi key is known by at the token endpoint.")
    created_at: str
    rotated_at: str | None
    expires_at: str | None
    last_used_at: str | None = Field(description="When it, or a token granted with it, was last used, to the minute.")


class KeyWithSecret(KeyView):
    """The secret is shown this once: of a kajabi key as `client_secret`, of the others as `secret`."""

    secret: str | None
    client_secret: str | None


class SigningSecrets(BaseModel):
    signing_secrets: list[str] = Field(description="Every live `whsec_` secret, newest first; each of them signs.")


class RotatedSigningSecret(BaseModel):
    signing_secret: str


class EventReference(BaseModel):
    id: str
    type: str


class EndpointReference(BaseModel):
    id: int


class DeliveredEndpoint(EndpointReference):
    url: str | None = Field(description="null when the endpoint is deleted")
    status: EndpointStatus


class DeliveryView(BaseModel):
    id: int
    account: int
    event: EventReference
    endpoint: EndpointReference
    dialect: str
    dialect_event: str = Field(description="The event in the dialect's words.")
    message_id: str = Field(description="What the receiver knows this message by; the same in every attempt.")
    status: DeliveryStatus
    attempt_count: int = Field(description="How many requests were made so far.")
    next_attempt_at: str | None = Field(
        description="null also while a pending delivery waits for its endpoint or for its turn."
    )
    created_at: str
    expires_at: str | None = Field(description="From when on it is not sent any more; null: it does not expire.")
    finished_at: str | None
    last_status_code: int | None
    last_error: str | None


class AnswerHeaderView(BaseModel):
    """A header of an answer. Bytes that are not printable ASCII stand as `\\xff`."""

    name: str
    value: str | None = Field(description="Its first 1,024 bytes; null: it may be a credential, and is not kept.")
    cut_bytes: int = Field(description="How many more bytes the value had.")


class AttemptView(BaseModel):
    number: int
    started_at: str
    duration_ms: float
    status_code: int | None
    error: str | None = Field(description="A short code; null after an answer.")
    detail: str | None
    response_body: str = Field(description="What was kept of the answer; undecodable bytes are replaced.")
    response_headers: list[AnswerHeaderView] | None = Field(
        description="Of an answer that was no 2xx, in the order in which they came; null: none were kept."
    )
    response_headers_left_out: int = Field(description="How many more there were: 64 and 8 KiB in all are kept.")
    next_attempt_at: str | None


class DeliveryDetail(DeliveryView):
    """A delivery with the bytes that it sends and every attempt."""

    endpoint: DeliveredEndpoint
    waits_for: int | None = Field(description="The delivery that must be finished first; null: none.")
    payload: str | None = Field(description="What is sent, as text; it is JSON.")
    attempts: list[AttemptView]


class EventView(BaseModel):
    id: str
    account: int
    site: int | None
    type: str
    occurred_at: str
    accepted_at: str
    expires_at: str | None
    idempotency_key: str | None
    ordering_key: str | None
    data: Any = Field(description="What was published, to the byte; null once it has been kept long enough.")


class EventTypeView(BaseModel):
    name: str
    description: str
    declared: bool = Field(description="Whether the platform declared it; the others are built in.")
    operational: bool = Field(description="Whether only Hookwright publishes it; it can be subscribed to.")
    json_schema: dict[str, Any] | None = Field(
        alias="schema", description="JSON Schema 2020-12 of the data; null: any object."
    )
    sample: dict[str, Any] | None


class AccountPage(BaseModel):
    data: list[AccountView]
    next_cursor: str | None


class DeliveryPage(BaseModel):
    data: list[DeliveryView]
    next_cursor: str | None


class SiteList(BaseModel):
    data: list[SiteView]


class KeyList(BaseModel):
    data: list[KeyView]


class EventTypeList(BaseModel):
    data: list[EventTypeView]


def account_view(account: Account) -> AccountView:
    return AccountView(id=account.id, name=account.name, created_at=iso_micros(account.created_at))


def site_view(site: Site) -> SiteView:
    return SiteView(
        id=site.id,
        account=site.account_id,
        title=site.title,
        subdomain=site.subdomain,
        created_at=iso_micros(site.created_at),
        updated_at=iso_micros(site.updated_at),
    )


def key_view(key: Key) -> KeyView:
    return KeyView(
        id=key.id,
        kind=key.kind,
        account=key.account_id,
        name=key.name,
        scopes=list(key.scopes),
        attributes=key.attributes,
        client_id=client_id_of(key) if key.kind == "kajabi" else None,
        created_at=iso_micros(key.created_at),
        rotated_at=iso_or_none(key.rotated_at),
        expires_at=iso_or_none(key.expires_at),
        last_used_at=iso_or_none(key.last_used_at),
    )


def key_with_secret(new: NewKey) -> KeyWithSecret:
    """A key as it is shown once, when its secret is made."""
    by_client = new.key.kind == "kajabi"
    return KeyWithSecret(
        **key_view(new.key).model_dump(),
        secret=None if by_client else new.secret,
        client_secret=new.secret if by_client else None,
    )


def delivery_view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        account=delivery.account_id,
        event=EventReference(id=delivery.event_id, type=delivery.event_type),
        endpoint=EndpointReference(id=delivery.endpoint_id),
        dialect=delivery.dialect,
        dialect_event=delivery.dialect_event,
        message_id=delivery.message_id,
        status=delivery.status,
        attempt_count=delivery.attempts,
        next_attempt_at=iso_or_none(delivery.due_at),
        created_at=iso_micros(delivery.created_at),
        expires_at=iso_or_none(delivery.expires_at),
        finished_at=iso_or_none(delivery.finished_at),
        last_status_code=delivery.last_status_code,
        last_error=delivery.last_error,
    )


def delivery_detail(
    delivery: Delivery,
    endpoint: Endpoint | None,
    payload: bytes | None,
    attempts: list[Attempt],
    waits_for: int | None,
) -> DeliveryDetail:
    """A delivery in full; `endpoint` None stands for a deleted one, `payload` None for one that was pruned."""
    summary = delivery_view(delivery).model_dump(exclude={"endpoint"})
    return DeliveryDetail(
        **summary,
        endpoint=DeliveredEndpoint(
            id=delivery.endpoint_id,
            url=endpoint.url if endpoint else None,
            status=endpoint.status if endpoint else "deleted",
        ),
        waits_for=waits_for,
        payload=None if payload is None else payload.decode(errors="replace"),
        attempts=[_attempt_view(attempt) for attempt in attempts],
    )


def _answer_header_view(header: AnswerHeader) -> AnswerHeaderView:
    return AnswerHeaderView(name=header.name, value=header.value, cut_bytes=header.cut)


def _attempt_view(attempt: Attempt) -> AttemptView:
    headers = attempt.response_headers
    return AttemptView(
        number=attempt.number,
        started_at=iso_micros(attempt.started_at),
        duration_ms=attempt.duration_us / 1000,
        status_code=attempt.status_code,
        error=attempt.error,
        detail=attempt.detail,
        response_body=attempt.response_body.decode(errors="replace"),
        response_headers=None if headers is None else [_answer_header_view(each) for each in headers.kept],
        response_headers_left_out=0 if headers is None else headers.left_out,
        next_attempt_at=iso_or_none(attempt.next_attempt_at),
    )
