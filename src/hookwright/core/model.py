"""The nouns. Times are instants: microseconds since 1970-01-01 UTC; durations say their unit in their name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import force_setattr

from hookwright.core.answer_headers import AnswerHeaders
from hookwright.core.details import detail_to_keep
from hookwright.core.vocabulary import Data

Instant = int
SECOND: Instant = 1_000_000
MINUTE: Instant = 60 * SECOND
HOUR: Instant = 60 * MINUTE
DAY: Instant = 24 * HOUR

EndpointStatus = Literal["active", "paused", "disabled", "deleted"]
DeliveryStatus = Literal["pending", "in_flight", "delivered", "dead", "cancelled"]
ReplayStatus = Literal["running", "done", "cancelled"]
SignatureScheme = Literal["v1", "v1a"]

# What of an endpoint's deliveries goes one after another: nothing, all of them, or those of one ordering key.
Ordering = Literal["none", "endpoint", "key"]

KeyKind = Literal["hookwright", "kajabi", "kit"]

# What is kept encrypted: signing secrets, and the custom headers of endpoints.
SealedKind = Literal["signing secret", "headers"]

# `Subscription.resource` of a subscription that any resource satisfies. No resource is ever the empty string.
ANY_RESOURCE = ""

# The dialect name of Hookwright's own endpoints, whose words are the events' own.
OWN_DIALECT = "hookwright"


class Account(Struct, frozen=True, kw_only=True):
    """Whose endpoints these are: a tenant of the platform."""

    id: int
    name: str
    lane_spread: int = 1
    created_at: Instant


class Site(Struct, frozen=True, kw_only=True):
    """A Kajabi site: a part of an account that Kajabi hooks belong to."""

    id: int
    account_id: int
    title: str
    subdomain: str
    created_at: Instant
    updated_at: Instant


class Key(Struct, frozen=True, kw_only=True):
    """A credential that somebody was given. Only the SHA-256 of its secret is kept.

    `account_id` is None for a platform's own key, which reaches every account. `attributes` holds what only one
    kind has (a Kajabi key acts as a user: name, email, role).
    """

    id: int
    kind: KeyKind
    account_id: int | None
    name: str
    scopes: tuple[str, ...]
    digest: bytes
    attributes: dict[str, str] = {}
    created_at: Instant
    rotated_at: Instant | None = None
    expires_at: Instant | None = None
    last_used_at: Instant | None = None  # to the minute


class OAuthApp(Struct, frozen=True, kw_only=True):
    """A program that accounts may let in. Without a secret it is a public client, which PKCE protects."""

    id: int
    name: str
    secret_digest: bytes | None
    redirect_uris: tuple[str, ...]
    created_at: Instant


class OAuthCode(Struct, frozen=True, kw_only=True):
    """An authorization code: single use, bound to its app, its redirect URI and its PKCE challenge."""

    id: int
    account_id: int
    app_id: int
    digest: bytes
    redirect_uri: str
    challenge: str | None
    scope: str
    created_at: Instant
    expires_at: Instant
    used_at: Instant | None = None


class Grant(Struct, frozen=True, kw_only=True):
    """A pair of tokens: an access token and, mostly, the refresh token that renews it.

    All grants that descend from one consent share a `family_id`, so that the reuse of a spent refresh token or
    code can end them all. A grant ends with its key, its app, its revocation or its expiry.
    """

    id: int
    kind: KeyKind
    account_id: int
    key_id: int | None
    app_id: int | None
    family_id: int
    scopes: tuple[str, ...]
    access_digest: bytes
    access_expires_at: Instant
    refresh_digest: bytes | None
    refresh_expires_at: Instant | None
    created_at: Instant
    refreshed_at: Instant | None = None
    revoked_at: Instant | None = None


class Binding(NamedTuple):
    """What a sealed value belongs to: in any other row it does not open.

    `endpoint_id` is None for the signing secret of an account.
    """

    what: SealedKind
    account_id: int
    endpoint_id: int | None


class SigningSecret(Struct, frozen=True, kw_only=True):
    """A `whsec_` secret, sealed by the vault. `endpoint_id` is None for the account's own."""

    id: int
    account_id: int
    endpoint_id: int | None
    sealed: bytes
    created_at: Instant
    expires_at: Instant | None = None

    @property
    def binding(self) -> Binding:
        """What `sealed` is bound to."""
        return Binding("signing secret", self.account_id, self.endpoint_id)


class Subscription(Struct, frozen=True):
    """One thing an endpoint wants: a dialect's event name, and one resource or any."""

    event: str
    resource: str = ANY_RESOURCE


class Health(Struct, frozen=True, kw_only=True):
    """How an endpoint has fared: since when it fails without a success, its latest failure, what it was told."""

    failing_since: Instant | None = None  # or since the first failure that may disable it
    failed_at: Instant | None = None  # the latest that may disable it; None after failures of ours alone
    failures: int = 0  # in a row; those that land while the breaker is open do not count
    warned_percent: int = 0
    breaker_open_until: Instant | None = None
    probing: bool = False


class Endpoint(Struct, frozen=True, kw_only=True):
    """A URL, what it subscribes to, and its state. Kajabi's hook and Kit's webhook are endpoints."""

    id: int
    account_id: int
    site_id: int | None
    dialect: str
    url: str
    subscriptions: tuple[Subscription, ...]
    name: str = ""
    description: str = ""
    app_id: int | None = None  # the OAuth app that made it
    sealed_headers: bytes | None = None  # custom request headers: a JSON object, sealed by the vault
    signature: SignatureScheme = "v1"
    batch_limit: int = 1  # how many of its events may share one request
    max_in_flight: int | None = None  # requests at once
    rate_per_second: int | None = None  # requests a second
    ordering: Ordering = "none"
    health: Health = Health()
    status: EndpointStatus = "active"
    status_reason: str | None = None
    status_changed_at: Instant
    missed_since: Instant | None = None  # since when it failed, or was disabled, and nobody has replayed what died
    retry_schedule: tuple[int, ...] | None = None  # seconds before each attempt; None: the service's own
    created_at: Instant
    updated_at: Instant


class EndpointChange(Struct, frozen=True, kw_only=True):
    """What of an endpoint is to change; what is unset stays. `subscriptions` replaces the whole set."""

    url: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    sealed_headers: bytes | UnsetType | None = UNSET
    signature: SignatureScheme | UnsetType = UNSET
    retry_schedule: tuple[int, ...] | UnsetType | None = UNSET
    max_in_flight: int | UnsetType | None = UNSET
    rate_per_second: int | UnsetType | None = UNSET
    ordering: Ordering | UnsetType = UNSET
    subscriptions: tuple[Subscription, ...] | UnsetType = UNSET


class DeclaredType(Struct, frozen=True, kw_only=True):
    """An event type that the platform declared. `schema` (JSON Schema 2020-12) and `sample` are JSON texts."""

    name: str
    description: str = ""
    schema: str | None = None
    sample: str | None = None
    created_at: Instant
    updated_at: Instant


class Event(Struct, frozen=True, kw_only=True):
    """The fact, immutable, accepted once. `data` is the JSON that the platform sent, to the byte."""

    id: str
    account_id: int
    site_id: int | None
    type: str
    occurred_at: Instant
    accepted_at: Instant
    data: bytes
    idempotency_key: str | None = None
    expires_at: Instant | None = None  # from when on it is not to be sent any more
    ordering_key: str | None = None  # what its order matters for: a contact, an order
    traceparent: str | None = None  # its place in the producer's trace (W3C Trace Context)


class Notice(Struct, frozen=True, kw_only=True):
    """One event in one dialect's words: what a subscription matches, and how to print it when one does.

    A subscription matches when it names `event` or one of `families` (`contact.*`), and its resource is any or one of
    `resources`.
    A notice with a `site_id` only matches endpoints of that site. `ordinal` tells the notices of one event apart;
    it is stored with the payload and is part of the message id.
    """

    dialect: str
    event: str
    families: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    site_id: int | None = None
    render: Callable[[], bytes]
    ordinal: int = 0


class Draft(Struct, frozen=True, kw_only=True):
    """An event on its way into the store, with every notice that it may become.

    With `only_endpoint_id` it goes to that endpoint, if it wants it, and to no other.
    """

    event: Event
    fingerprint: bytes
    notices: tuple[Notice, ...]
    only_endpoint_id: int | None = None


class Accepted(Struct, frozen=True):
    """The store's word that an event is on disk with its deliveries; `duplicate` if it already was."""

    event_id: str
    deliveries: int
    duplicate: bool = False


def message_id_of(event_id: str, ordinal: int) -> str:
    """The message id of one payload of an event."""
    return event_id if ordinal == 0 else f"{event_id}-{ordinal}"


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint.

    `attempts` counts every attempt ever; `round_start` is how many there were when the present round of the retry
    schedule began (a replay begins a new round). A pending delivery with no `due_at` waits for its endpoint or, in a
    line, for its turn: deliveries of one endpoint with one `line` go one after another.
    """

    id: int
    account_id: int
    event_id: str
    event_type: str
    endpoint_id: int
    dialect: str
    dialect_event: str
    ordinal: int
    status: DeliveryStatus
    attempts: int
    round_start: int
    due_at: Instant | None
    created_at: Instant
    finished_at: Instant | None
    last_status_code: int | None
    last_error: str | None
    batch_id: int | None = None
    batch_size: int | None = None  # how many went out together, as far as somebody counted
    expires_at: Instant | None = None
    line: str | None = None

    @property
    def message_id(self) -> str:
        """What the receiver knows this message by: constant over retries and replays, one for each payload."""
        return message_id_of(self.event_id, self.ordinal)


class Claim(Struct, frozen=True, kw_only=True):
    """A delivery that is ours until its lease ends, with all that is needed to send it.

    `fence` numbers the claims of a delivery: only the holder of the newest may write its outcome.
    """

    delivery_id: int
    fence: int
    account_id: int
    event_id: str
    event_type: str
    occurred_at: Instant
    created_at: Instant  # the delivery's: when the event was accepted
    endpoint_id: int
    dialect: str
    dialect_event: str
    ordinal: int
    url: str
    body: bytes
    attempt: int  # the number that the coming attempt will have, from 1
    round_attempt: int  # the same, counted from the last replay
    retry_schedule: tuple[int, ...] | None
    sealed_headers: bytes | None = None
    signature: SignatureScheme = "v1"
    batch_id: int | None = None  # what is sent in one request has one; as a rule its first delivery's id
    troubled: bool = False  # whether the endpoint was failing when this was claimed, or its account thinks so
    traceparent: str | None = None  # the event's
    line: str | None = None  # the delivery's

    @property
    def message_id(self) -> str:
        """What the receiver knows this message by: constant over retries and replays, one for each payload."""
        return message_id_of(self.event_id, self.ordinal)


class Outcome(Struct, frozen=True, kw_only=True):
    """What one HTTP request came to. `error` is a short code (None after an answer); `detail` is for people.

    `headers` are those of an answer that was no 2xx; what delivers pays nothing for them. Any database keeps what is
    in it, whatever the receiver did.
    """

    started_at: Instant
    duration_us: int
    status_code: int | None = None
    error: str | None = None
    detail: str | None = None
    body: bytes = b""
    headers: AnswerHeaders | None = None
    retry_after_seconds: int | None = None

    def __post_init__(self) -> None:
        if self.detail is not None:
            force_setattr(self, "detail", detail_to_keep(self.detail))


class Settlement(Struct, frozen=True, kw_only=True):
    """What follows from an outcome: the delivery's next state, and whether its endpoint is to be disabled.

    `may_disable`: whether days of such failures disable the endpoint; it is warned of them all the same.
    """

    status: DeliveryStatus
    due_at: Instant | None
    disable_reason: str | None = None
    may_disable: bool = True
    delivery_header: str | None = None


class Settled(Struct, frozen=True, kw_only=True):
    """A claim, what its attempt came to, and what follows; the store writes the three in one step."""

    claim: Claim
    outcome: Outcome
    settlement: Settlement


class Attempt(Struct, frozen=True, kw_only=True):
    """One HTTP request for a delivery, as it is remembered."""

    number: int
    started_at: Instant
    duration_us: int
    status_code: int | None
    error: str | None
    detail: str | None
    response_body: bytes
    next_attempt_at: Instant | None
    response_headers: AnswerHeaders | None = None


class Parcel(Struct, frozen=True, kw_only=True):
    """What goes out in one request: one claim, or the claims of a batch, and the bytes that are posted."""

    claims: tuple[Claim, ...]
    body: bytes

    @property
    def first(self) -> Claim:
        return self.claims[0]


class Replay(Struct, frozen=True, kw_only=True):
    """A replay of many: every finished delivery of an account that passes the filters, at a rate, until it is done.

    `total` is how many passed when it began; `replayed` is how many have been made due.
    """

    id: int
    account_id: int
    endpoint_id: int | None
    event_type: str | None
    statuses: tuple[DeliveryStatus, ...]
    created_from: Instant | None
    created_to: Instant
    finished_from: Instant | None = None
    rate_per_second: int
    status: ReplayStatus = "running"
    total: int
    replayed: int = 0
    created_at: Instant
    finished_at: Instant | None = None


# From an event and its data, decoded once for all who translate it, to notices; None is a type that is not built in.
Translate = Callable[[Event, Data | None], Iterable[Notice]]


class SigningKey(Struct, frozen=True):
    """A live signing secret: its text (`whsec_…`) and the key inside."""

    secret: str
    key: bytes


RequestHeaders = Callable[[Parcel, "tuple[SigningKey, ...]", Instant], Mapping[str, str]]


class WireForm(Struct, frozen=True, kw_only=True):
    """How the endpoints of one dialect name are sent to.

    `headers` gives the headers of a request. `own_secret`: each endpoint has a signing secret, rather than its
    account. `envelope` puts the payloads of a batch into one body; without it a body is one payload.
    `batch_limit` and `retry_schedule` are those of its endpoints, where the form has its own. `exact_schedule`:
    retries are due to the second, not moved by chance. `may_disable`: a 410 or days of failures disable an endpoint;
    otherwise only people do. `delivery_header` names the delivery in a request, where the header `webhook-id` does
    not name the message.
    """

    headers: RequestHeaders
    own_secret: bool = False
    envelope: Callable[[tuple[Claim, ...]], bytes] | None = None
    batch_limit: int = 1
    retry_schedule: tuple[int, ...] | None = None
    exact_schedule: bool = False
    may_disable: bool = True
    delivery_header: str | None = None
