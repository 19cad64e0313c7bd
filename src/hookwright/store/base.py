"""The store's promise: business steps, each one transaction, the same on every database.

Every method but those below either happened wholly and is on disk when it returns, or did not happen. Methods raise
`Unavailable` when the database cannot answer, or its confirmation was lost; the caller may try again. `tests/store`
runs one conformance suite over every store. A step that is given an audit `entry` keeps it with what it changes, and
leaves it out if it changes nothing.

These are several transactions, each of which happens wholly, and an outage may leave only the first ones on disk:

- `claim`, `expire` and `rescue`, by looks, endpoints or some thousands of rows: the same call again does the rest.
- `renew`, `release` and `settle` of several lanes on a distributed database, by lanes.
- `delete_account`, `delete_site` and `delete_endpoint`: the deletion, with its audit entry, is the first one and what
  they answer. What was still to be sent is cancelled in steps after it, by looks if not here.
- `note_key_uses`, by some hundreds of keys of a lane.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from hookwright.core.announcements import Announcement
from hookwright.core.audit import Entry, Way
from hookwright.core.errors import Conflict
from hookwright.core.listening import HeldRequest, ListenersAnswer
from hookwright.core.model import (
    Accepted,
    Account,
    Attempt,
    Binding,
    Claim,
    DeclaredType,
    Delivery,
    DeliveryStatus,
    Draft,
    Endpoint,
    EndpointChange,
    EndpointStatus,
    Event,
    Grant,
    Instant,
    Key,
    OAuthApp,
    OAuthCode,
    Outcome,
    Replay,
    SealedKind,
    Settled,
    SigningSecret,
    Site,
    Subscription,
)
from hookwright.core.sessions import Session
from hookwright.core.tallies import Tally


class Crowd(NamedTuple):
    """How many more requests may go to one endpoint: to some of them, by id, and to any other."""

    of_some: Mapping[int, int]
    of_any_other: int

    def left(self, endpoint_id: int) -> int:
        """How many more may go to an endpoint."""
        return self.of_some.get(endpoint_id, self.of_any_other)

    def full(self) -> set[int]:
        """The endpoints that nothing more may go to."""
        return {endpoint_id for endpoint_id, left in self.of_some.items() if left <= 0}

    def with_more(self, endpoint_ids: Iterable[int]) -> Crowd:
        """The same once a request more goes to each of these."""
        more = Counter(endpoint_ids)
        left = {endpoint_id: max(0, self.left(endpoint_id) - number) for endpoint_id, number in more.items()}
        return Crowd({**self.of_some, **left}, self.of_any_other)


NO_CROWD = Crowd({}, 1_000_000)


class HasRoom(Protocol):
    """How many more deliveries may go to each endpoint."""

    def left(self, endpoint_id: int) -> int:
        """How many more may go to an endpoint."""
        ...


class Room(NamedTuple):
    """How many of the deliveries may be claimed as they are accepted, and until when they are ours then.

    No more are claimed once their bodies have `body_bytes` together. The room was set aside at `since`: the endpoints
    are read after that.
    """

    deliveries: int
    lease_until: Instant
    crowd: HasRoom = NO_CROWD
    body_bytes: int = 1 << 62
    since: Instant = 0


NO_ROOM = Room(0, 0)


def always() -> bool:
    """There is time for all of it."""
    return True


# How far a backlog is counted: a monitor that asks every few seconds must not read millions of rows.
MOST_COUNTED = 100_000

# How far the deliveries that wait behind a blocked one are counted.
MOST_WAITING = 10_000

# Lanes by their indexes; None: every lane.
Lanes = Sequence[int] | None

# How many signing secrets of one owner may be live at once; each of them signs every request.
MAX_LIVE_SECRETS = 10


# Whose signing secrets: an account's, or those of one of its endpoints that has its own.
SecretOwner = tuple[int, int | None]


class EndpointQuery(Struct, frozen=True, kw_only=True):
    """Which endpoints to list: those of one account that are not deleted and pass every filter that is set.

    Ordered by id, newest first unless `ascending`. `above` and `below` bound the id, exclusively.
    """

    account_id: int
    dialects: tuple[str, ...] | None = None
    event: str | None = None
    site_id: int | None = None
    app_id: int | None = None
    statuses: tuple[EndpointStatus, ...] | None = None
    listeners: bool = True  # False: none of them
    above: int | None = None
    below: int | None = None
    ascending: bool = False
    offset: int = 0
    limit: int = 100


class DeliveryQuery(Struct, frozen=True, kw_only=True):
    """Which deliveries to list, newest first unless `ascending`.

    `event_type` may be a family (`contact.*`). `before` and `after` bound the (created_at, id), exclusively. With
    neither account, endpoint, event nor batch it reads every lane: for people and platforms, never for the hot path.
    """

    account_id: int | None = None
    endpoint_id: int | None = None
    event_id: str | None = None
    event_type: str | None = None
    statuses: tuple[DeliveryStatus, ...] | None = None
    attempted: bool | None = None  # whether there was an attempt
    batch_id: int | None = None
    one_of_a_batch: bool = False  # of deliveries that share their requests, only the first
    created_from: Instant | None = None
    created_to: Instant | None = None
    finished_from: Instant | None = None
    finished_to: Instant | None = None  # that instant included
    unexpired_at: Instant | None = None  # those that have expired by then are left out
    before: tuple[Instant, int] | None = None
    after: tuple[Instant, int] | None = None
    ascending: bool = False
    limit: int = 50


# As people ask: `failed` is what gave up or waits for a retry; `waiting` is what was not tried in its round.
SearchedStatus = Literal["waiting", "sending", "delivered", "retrying", "dead", "cancelled", "failed"]


class DeliverySearch(Struct, frozen=True, kw_only=True):
    """Which deliveries to find, newest first, among the newest `most_examined` rows that come into question.

    `event_type` may be a family (`contact.*`). `text` is in the event's data, or is its idempotency or ordering key.
    """

    account_id: int | None = None
    endpoint_id: int | None = None
    event_type: str | None = None
    statuses: tuple[SearchedStatus, ...] = ()
    created_from: Instant | None = None
    created_to: Instant | None = None
    text: str | None = None
    before: tuple[Instant, int] | None = None
    limit: int = 50
    most_examined: int = 20_000


class AuditQuery(Struct, frozen=True, kw_only=True):
    """Which entries of the audit trail to list, newest first. `action` may be a family (`key.*`).

    `account_id` None is every account's and the platform's own. `before` bounds the (at, id), exclusively.
    """

    account_id: int | None = None
    action: str | None = None
    way: Way | None = None
    actor_id: int | None = None
    object_id: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    before: tuple[Instant, int] | None = None
    limit: int = 50


class DeliveryMatches(NamedTuple):
    """What a search found. What is older than `back_to` was not looked at; None: there is nothing older."""

    deliveries: list[Delivery]
    back_to: Instant | None


class Lease(Struct, frozen=True):
    """What proves that a claim is ours: the delivery and the fence it was claimed with."""

    delivery_id: int
    fence: int


class Backlog(Struct, frozen=True, kw_only=True):
    """What waits at one moment. Each number is counted no further than `MOST_COUNTED`.

    `due` deliveries may be sent now; the endpoint among theirs that has waited longest for its turn has done so since
    `oldest_due_at`. Breakers are those of active endpoints: half open once a probe may go or is under way.
    """

    due: int
    oldest_due_at: Instant | None
    breakers_open: int
    breakers_half_open: int


class Acceptance(NamedTuple):
    """What accepting came to: an answer for each draft that was, the claims with them, the number of deliveries."""

    answers: list[Accepted | Conflict]
    claims: list[Claim]
    deliveries: int


class BlockedLine(Struct, frozen=True, kw_only=True):
    """Deliveries that wait for one ahead of them that has failed and is to be tried again.

    `waiting` is how many there are behind the head, counted no further than `MOST_WAITING`.
    """

    head: Delivery
    waiting: int


class SchemaState(NamedTuple):
    """The migrations that a database has not had yet, and those it had that this version does not know."""

    missing: tuple[str, ...]
    unknown: tuple[int, ...]
    is_new: bool  # it has had none at all


class SealedCount(NamedTuple):
    """How many values of one kind begin alike: which master key sealed them."""

    what: SealedKind
    head: bytes
    values: int


class SealedValue(NamedTuple):
    """A value that the vault has sealed: what it is bound to, and the id of the row that it stands in."""

    binding: Binding
    id: int
    sealed: bytes


class Resealed(NamedTuple):
    """A sealed value as it was read, and what is to stand there instead."""

    value: SealedValue
    sealed: bytes


class Store(Protocol):
    """Everything that is kept. See the module's promise."""

    lane_count: int  # how many lanes new accounts are spread over
    lanes_apart: bool  # whether a transaction may be about one lane only, as on a distributed database

    # -- the store itself ------------------------------------------------------------------------------------
    async def migrate(self) -> None:
        """Bring the schema to this version, under a lock, forward only. Safe to run from many processes at once."""

    async def schema(self) -> SchemaState:
        """How the schema compares with this version's. Changes nothing."""

    async def close(self) -> None:
        """Finish what is under way and let go of every connection."""

    async def now(self) -> Instant:
        """The database's own time."""

    async def new_id(self, lane_index: int) -> int:
        """An id that was never given before and that names this lane."""

    # -- lanes -----------------------------------------------------------------------------------------------
    async def share_lanes(self, worker_id: str, now: Instant, until: Instant) -> dict[int, Instant]:
        """A worker's turn: it lives; its lanes are leased until the given instant; it takes and gives up its share.

        Answers with its lanes, each with the end of its lease. All workers that take turns have about as many; a
        lane has one owner at a time; those of a worker that takes no turns any more are free when its leases end.
        """

    async def give_up_lanes(self, worker_id: str) -> None:
        """The end of a worker: its lanes are free at once, its share is the others'."""

    async def hint(self, lane_indexes: Sequence[int]) -> None:
        """Tell the other processes that something may be due in these lanes. It may be lost, and promises nothing."""

    async def hear_hints(self, on_hint: Callable[[Sequence[int]], None]) -> None:
        """Have `on_hint` told of others' hints from now on. Called again and again, it stays connected."""

    # -- accounts, sites, signing secrets --------------------------------------------------------------------
    async def add_account(self, account: Account, secret: SigningSecret, entry: Entry | None = None) -> None:
        """Keep a new account and its first signing secret."""

    async def account(self, account_id: int) -> Account | None:
        """An account by id; deleted ones are not there any more."""

    async def accounts(self, after: int = 0, limit: int = 100) -> list[Account]:
        """Accounts by id, from the one after `after`."""

    async def delete_account(self, account_id: int, now: Instant, entry: Entry | None = None) -> bool:
        """Forget an account: its keys and tokens end, its endpoints are deleted. False when there is none."""

    async def signing_secrets(self, account_id: int, endpoint_id: int | None, now: Instant) -> list[SigningSecret]:
        """The live secrets of an account, or of one endpoint that has its own; newest first."""

    async def signing_secrets_of(
        self, owners: Sequence[SecretOwner], now: Instant
    ) -> dict[SecretOwner, list[SigningSecret]]:
        """The live secrets of many, newest first; nothing for one that has none."""

    async def rotate_signing_secret(
        self,
        secret: SigningSecret,
        others_expire_at: Instant,
        entry: Entry | None = None,
        *,
        at_most: int = MAX_LIVE_SECRETS,
    ) -> bool:
        """Add a signing secret; the owner's older ones stay live until the given instant at the latest.

        False, and nothing changes, when `at_most` are live already.
        """

    async def expire_previous_secrets(
        self, account_id: int, endpoint_id: int | None, now: Instant, entry: Entry | None = None
    ) -> None:
        """End every signing secret of an owner but the newest."""

    async def add_site(self, site: Site, entry: Entry | None = None) -> None:
        """Keep a new site of an account."""

    async def site(self, account_id: int, site_id: int) -> Site | None:
        """A site of this account; deleted ones are not there any more."""

    async def sites(self, account_id: int) -> list[Site]:
        """The account's sites, oldest first."""

    async def sites_of_account(self, account_id: int) -> list[Site] | None:
        """The same, or None when there is no such account."""

    async def delete_site(self, account_id: int, site_id: int, now: Instant, entry: Entry | None = None) -> bool:
        """Delete a site and the endpoints that belong to it. False when there is none."""

    # -- credentials -----------------------------------------------------------------------------------------
    async def add_key(self, key: Key, entry: Entry | None = None) -> None:
        """Keep a new key, of an account or of the platform. Of its secret there is only the digest."""

    async def key(self, key_id: int) -> Key | None:
        """A key by id; deleted keys are not there any more."""

    async def keys(self, account_id: int | None = None, after: int = 0, limit: int | None = None) -> list[Key]:
        """The keys of an account, or every key; by id, from the one after `after`."""

    async def rotate_key(self, key_id: int, digest: bytes, now: Instant, entry: Entry | None = None) -> bool:
        """Replace a key's secret and end every token that was granted with it, at once. False when there is none."""

    async def delete_key(self, key_id: int, now: Instant, entry: Entry | None = None) -> bool:
        """Delete a key and end every token that was granted with it, at once. False when there is none."""

    async def note_key_uses(self, key_ids: Sequence[int], now: Instant) -> None:
        """These keys were in use until now. One that is being changed at this moment may be left out."""

    async def add_app(self, app: OAuthApp, entry: Entry | None = None) -> None:
        """Keep a new OAuth app. It belongs to no account."""

    async def app(self, app_id: int) -> OAuthApp | None:
        """An OAuth app by id; deleted ones are not there any more."""

    async def apps(self) -> list[OAuthApp]:
        """Every OAuth app, by id."""

    async def delete_app(self, app_id: int, now: Instant, entry: Entry | None = None) -> bool:
        """Delete an OAuth app and end every token it holds. False when there is none."""

    async def add_code(self, code: OAuthCode, entry: Entry | None = None) -> None:
        """Keep a new authorisation code, unspent."""

    async def code(self, code_id: int) -> OAuthCode | None:
        """An authorisation code by id, spent and expired ones too."""

    async def redeem_code(self, code_id: int, grant: Grant, now: Instant) -> bool:
        """Spend a code for a grant, in one step. False, and nothing is granted, when it was spent before."""

    async def add_grant(self, grant: Grant) -> None:
        """Keep a grant.

        Any grant, also of a code or a refresh, is born revoked if its key, app or account ended, or if its key has
        another secret than `key_digest` says.
        """

    async def grant(self, grant_id: int) -> Grant | None:
        """A grant by id, revoked and expired ones too."""

    async def refresh_grant(self, grant_id: int, successor: Grant, now: Instant) -> bool:
        """Spend a grant's refresh token for a successor, in one step. False when it was spent or revoked before."""

    async def revoke_grant(self, grant_id: int, now: Instant) -> None:
        """End both tokens of a grant."""

    async def revoke_family(self, account_id: int, family_id: int, now: Instant) -> None:
        """End every grant that descends from one consent."""

    # -- sessions of the console -----------------------------------------------------------------------------
    async def add_session(self, session: Session) -> None:
        """Keep a new session."""

    async def session(self, session_id: int) -> Session | None:
        """A session by id, as it was kept; whether it is live is for others to say."""

    async def note_session(self, session_id: int, seen_at: Instant) -> None:
        """Somebody was there."""

    async def delete_session(self, session_id: int) -> None:
        """End a session; nothing happens where there is none."""

    async def prune_sessions(self, seen_before: Instant) -> None:
        """Forget the sessions in which nobody has been seen since."""

    # -- the audit trail -------------------------------------------------------------------------------------
    async def add_audit_entry(self, entry: Entry) -> None:
        """Keep the entry of what changes no row of ours."""

    async def audit_entries(self, query: AuditQuery) -> list[Entry]:
        """The entries that a query finds, newest first, up to its limit."""

    async def prune_audit_entries(self, before: Instant) -> None:
        """Forget what was changed before an instant."""

    # -- what the console shows ------------------------------------------------------------------------------
    async def search_deliveries(self, search: DeliverySearch) -> DeliveryMatches:
        """Find deliveries, newest first. Its cost is bounded, however rare the hits are."""

    async def count_matches(self, search: DeliverySearch) -> tuple[int, Instant | None]:
        """How many a search would find, up to its limit, and what is older than what was not looked at."""

    async def endpoints_by_id(self, endpoint_ids: Sequence[int]) -> dict[int, Endpoint]:
        """Endpoints of any accounts, deleted ones too, without their subscriptions."""

    async def event_ids_of_key(self, account_ids: Sequence[int], idempotency_key: str) -> list[str]:
        """The events that these accounts published with this idempotency key, as long as it is remembered."""

    async def endpoints_in_trouble(self, account_id: int | None, limit: int) -> list[Endpoint]:
        """Endpoints that fail, are disabled, or have missed something, without their subscriptions."""

    async def count_failed(self, account_id: int | None, at_most: int) -> int:
        """How many deliveries gave up or wait for a retry, counted no further than `at_most`."""

    async def oldest_due_at(self, account_id: int | None, now: Instant) -> Instant | None:
        """Since when the endpoint has waited that has waited longest for its turn."""

    async def add_tallies(self, tallies: Sequence[Tally]) -> None:
        """Add to what is counted in these slots."""

    async def tallies(self, account_id: int, slot_seconds: int, began_from: Instant) -> list[Tally]:
        """The slots of an account, or of the whole platform, that began at or after an instant."""

    async def prune_tallies(self, minutes_before: Instant, hours_before: Instant) -> None:
        """Forget the minutes and the hours that began before these instants."""

    # -- endpoints -------------------------------------------------------------------------------------------
    async def add_endpoint(
        self, endpoint: Endpoint, secret: SigningSecret | None = None, entry: Entry | None = None
    ) -> None:
        """Keep an endpoint with its subscriptions and its secret, if it has one; later events match it."""

    async def endpoint(self, account_id: int, endpoint_id: int) -> Endpoint | None:
        """An endpoint of this account that is not deleted."""

    async def endpoints(self, query: EndpointQuery) -> list[Endpoint]:
        """The endpoints that a query finds, in its order, with their subscriptions."""

    async def count_endpoints(self, query: EndpointQuery) -> int:
        """How many the query's filters pass, paging aside."""

    async def newest_endpoints(self, account_id: int | None, below: int | None, limit: int) -> list[Endpoint]:
        """Endpoints of an account, or of all, by id from the highest below the given one, without subscriptions."""

    async def subscriptions_of(self, endpoint_ids: Sequence[int]) -> dict[int, tuple[Subscription, ...]]:
        """What each of these endpoints subscribes to."""

    async def latest_outcomes(self, endpoint_ids: Sequence[int], deliveries_each: int) -> dict[int, list[Outcome]]:
        """What the attempts of each endpoint's newest tried deliveries came to, oldest first; without the answers.

        Where very much waits, fewer deliveries are found: its cost is bounded.
        """

    async def set_endpoint_status(
        self,
        account_id: int,
        endpoint_id: int,
        status: EndpointStatus,
        reason: str | None,
        now: Instant,
        entry: Entry | None = None,
    ) -> Endpoint | None:
        """Pause, disable or activate an endpoint. What waits for it is sent, when it is due, once it is active."""

    async def change_endpoint(
        self, account_id: int, endpoint_id: int, change: EndpointChange, now: Instant, entry: Entry | None = None
    ) -> Endpoint | None:
        """Change what is set in the change, in one step. None when there is no such endpoint."""

    async def delete_endpoint(
        self, account_id: int, endpoint_id: int, now: Instant, entry: Entry | None = None
    ) -> bool:
        """Delete an endpoint and cancel what was still to be sent to it. False when there is none."""

    # -- listeners -------------------------------------------------------------------------------------------
    async def heard_listener(self, endpoint_id: int, until: Instant) -> None:
        """Somebody fetches for this endpoint; until then they are taken to be there."""

    async def hold_request(self, request: HeldRequest, now: Instant) -> bool:
        """Keep a request until it is let go of. False, and nothing is kept, when its listener is not there."""

    async def has_requests(self, endpoint_id: int, now: Instant) -> bool:
        """Whether there is something to fetch."""

    async def fetch_requests(self, endpoint_id: int, now: Instant, limit: int) -> list[HeldRequest]:
        """Hand out requests that are waited for, oldest first, each once and to one caller."""

    async def answer_request(self, endpoint_id: int, request_id: int, answer: ListenersAnswer) -> bool:
        """Keep the answer to a request that was fetched. False when nobody waits for it, or it has one."""

    async def answer_to_request(self, endpoint_id: int, request_id: int) -> ListenersAnswer | None:
        """The answer, once it is there."""

    async def let_go_of_request(self, endpoint_id: int, request_id: int) -> None:
        """Nobody waits for an answer any more."""

    # -- replays of many -------------------------------------------------------------------------------------
    async def count_deliveries(self, query: DeliveryQuery, at_most: int) -> int:
        """How many deliveries a query finds, counted no further than `at_most`."""

    async def add_replay(self, replay: Replay, entry: Entry | None = None) -> None:
        """Keep a new replay; it runs from now on.

        If it replays all that its endpoint has missed, that counts as missed no longer.
        """

    async def replay_of_many(self, account_id: int, replay_id: int) -> Replay | None:
        """A replay of this account, finished and cancelled ones too."""

    async def replays(self, account_id: int, below: int | None, limit: int) -> list[Replay]:
        """The account's replays, newest first, with ids below the given one."""

    async def running_replays(self, lanes: Lanes = None) -> list[Replay]:
        """The replays of these lanes that are neither done nor cancelled, by id."""

    async def cancel_replay(
        self, account_id: int, replay_id: int, now: Instant, entry: Entry | None = None
    ) -> Replay | None:
        """End a running replay; what it has made due stays due. None when there is none."""

    async def advance_replay(self, account_id: int, replay_id: int, limit: int, now: Instant) -> int:
        """Make the next deliveries of a running replay due, up to `limit`, oldest first. Answers how many it saw.

        Each is seen once, by one process, and with it what went out together with it: all of that is made due, or
        none where it cannot go out as it was. A replay that sees none any more is done.
        """

    # -- retention -------------------------------------------------------------------------------------------
    async def prune_events(self, lane_index: int, before: Instant, limit: int) -> int:
        """Delete up to `limit` old events of a lane with their deliveries, attempts and payloads. Answers how many.

        Old is what was accepted before then and whose deliveries all ended before then: an event of which anything is
        still to be sent, or ended later, is kept. Whoever is told of fewer than `limit` has seen them all.
        """

    async def prune_payloads(self, lane_index: int, before: Instant, limit: int) -> int:
        """Delete the data and payloads of up to `limit` old events, not the rest. They cannot be replayed then."""

    async def prune_keys(self, lane_index: int, created_before: Instant, limit: int) -> int:
        """Forget up to `limit` old idempotency keys of a lane. Answers how many."""

    # -- what the vault has sealed ---------------------------------------------------------------------------
    async def sealed_counts(self) -> list[SealedCount]:
        """How many values each master key has sealed. Reads them all."""

    async def one_sealed_as(self, version: bytes) -> SealedValue | None:
        """Any signing secret that begins with this byte."""

    async def sealed_otherwise(
        self, lane_index: int, kind: SealedKind, head: bytes, after: int, limit: int
    ) -> list[SealedValue]:
        """Values of a lane that do not begin so, by the ids of their rows, from the one after `after`."""

    async def reseal(self, lane_index: int, resealed: Sequence[Resealed]) -> int:
        """Replace sealed values of a lane; one that changes at the same time stays. Answers how many it replaced."""

    async def master_key_ids(self) -> list[str]:
        """The names of the master keys that have sealed something here, the oldest first."""

    async def note_master_key(self, key_id: str, now: Instant) -> None:
        """From now on a master key of this name seals."""

    async def forget_master_key(self, key_id: str) -> None:
        """Nothing is left that it has sealed."""

    # -- event types -----------------------------------------------------------------------------------------
    async def put_event_type(self, declared: DeclaredType, entry: Entry | None = None) -> None:
        """Declare an event type, or declare it anew (its `created_at` stays)."""

    async def event_types(self) -> list[DeclaredType]:
        """What the platform declared, by name."""

    async def delete_event_type(self, name: str, entry: Entry | None = None) -> bool:
        """Take back a declaration; events of this type stay. False when there is none."""

    # -- events and deliveries -------------------------------------------------------------------------------
    async def accept(self, drafts: Sequence[Draft], room: Room = NO_ROOM) -> Acceptance:
        """Put events on disk with a delivery for each endpoint that they match, in one transaction.

        They must be of one lane where the store has its lanes apart. Where they have very many deliveries, only the
        first of them are put on disk, one at least: as many as there are answers. The others are for another call.

        A notice is rendered only if it matches. A draft whose idempotency key is known is a duplicate (the first
        answer again) or, with another fingerprint, a Conflict. As far as there is room, deliveries that nothing
        holds back are claimed in the same transaction.
        """

    async def event(self, event_id: str) -> Event | None:
        """An event by id, of any account. None for one that was pruned, or that is no id.

        Its data is empty once its payloads were pruned.
        """

    async def claim(
        self,
        limit: int,
        now: Instant,
        lease_until: Instant,
        lanes: Lanes = None,
        crowd: Crowd = NO_CROWD,
        may_go_on: Callable[[], bool] = always,
    ) -> list[Claim]:
        """Take up to `limit` due deliveries of these lanes: nobody else sends them until the lease ends.

        Endpoints take turns: each that has something due gets its share of the limit, as far as the crowd leaves it
        room, and goes behind the others. Deliveries of a paused or disabled endpoint stay as they are, those in a
        line are put aside until it is their turn, those of a deleted endpoint are cancelled; none of them counts.
        What has expired is left to `expire`.

        What went out together before goes out with all of its members or not: while one of them is on its way it
        waits, and once one is lost for good the rest goes on under a batch id that was never sent.

        Several transactions: one for each look, and one for each endpoint with a brake or lines that it meets. Once
        something was found it goes on only while `may_go_on` says so, and where a later one is Unavailable it
        answers with what the earlier ones took.
        """

    async def renew(self, leases: Sequence[Lease], lease_until: Instant) -> set[int]:
        """Keep claims longer. Answers with the deliveries that are still ours."""

    async def sendable(
        self, endpoint_ids: Sequence[int], unchanged_since: Instant, *, through_gates: bool = False
    ) -> set[int]:
        """Those of the endpoints that may still be sent what was claimed no earlier than that instant.

        They are active, and nobody has changed them since. They have no gate either, unless it went through theirs
        when it was claimed; what was claimed at its birth went through none.
        """

    async def release(self, leases: Sequence[Lease], now: Instant) -> None:
        """Give claims back untouched: due now, no attempt counted."""

    async def settle(self, settled: Sequence[Settled], now: Instant) -> set[int]:
        """Write attempts and what follows from them. A claim that was lost writes nothing, nor does its batch.

        What went out together is given together.

        Answers with the deliveries that were written. An endpoint that is to be disabled is disabled in the same
        transaction. A retry whose endpoint is not active any more waits for it; one of a deleted endpoint is
        cancelled.
        """

    async def announcements(self, limit: int, lanes: Lanes = None) -> list[Announcement]:
        """What accounts of these lanes are still to be told, oldest first.

        It was kept with the change that it tells of.
        """

    async def delete_announcement(self, announcement: Announcement) -> None:
        """It was told."""

    async def backlog(self, now: Instant) -> Backlog:
        """What waits to be sent, and how many breakers are open, over all lanes. Its cost is bounded."""

    async def expire(self, now: Instant, lanes: Lanes = None) -> list[Delivery]:
        """End what has expired in these lanes and is not being sent; its account is told.

        Answers with the dead, once each. A transaction for each endpoint, and where a later one is Unavailable the
        answer is what died by then.
        """

    async def blocked_lines(self, endpoint_id: int, limit: int) -> list[BlockedLine]:
        """Where deliveries of an ordered endpoint wait for one that fails; the longest blocked first."""

    async def ahead_of(self, delivery: Delivery) -> int | None:
        """The id of the first delivery in the line that this one waits in, or None when it need not wait."""

    async def rescue(self, now: Instant, lanes: Lanes = None) -> int:
        """Make deliveries of these lanes due whose lease has ended without an outcome. Answers how many."""

    async def delivery(self, delivery_id: int) -> Delivery | None:
        """A delivery by id, of any account. None for one that was pruned."""

    async def deliveries(self, query: DeliveryQuery) -> list[Delivery]:
        """The deliveries that a query finds, in its order, up to its limit."""

    async def attempts(self, delivery_id: int) -> list[Attempt]:
        """Every attempt of a delivery, in order."""

    async def payload(self, delivery_id: int) -> bytes | None:
        """The bytes that a delivery POSTs."""

    async def cancel(self, delivery_id: int, now: Instant) -> Delivery | None:
        """Give up a delivery that waits, and what it goes out with; in a line it is the next one's turn.

        None when there is none.

        Raises Conflict when it is finished, or is being sent at this moment, or a part of its batch is.
        """

    async def payloads_of(self, deliveries: Sequence[Delivery]) -> dict[int, bytes]:
        """The bytes that many deliveries of one account POST, by their ids; nothing for one that has expired."""

    async def replay(self, delivery_id: int, now: Instant) -> Delivery | None:
        """Make a delivery and what went out with it due now, in a new round of its schedule. None when there is none.

        Raises Conflict when its endpoint is deleted, and when one of these is being sent at this moment, has expired,
        or is not kept any more or without its payload.
        """
