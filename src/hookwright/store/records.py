"""Configuration and look-ups: steps that are the same SQL on every database.

A step is a generator: it yields statements and is given their rows, so it knows no driver. Each store runs a step
as one transaction. Placeholders are `$1`, `$2`, …; every statement names one lane unless it says why not.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, structs

from hookwright.core.announcements import Announcement, is_operational, of_death, of_endpoint
from hookwright.core.batches import Queued, batches_of
from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.gates import Gate, admit
from hookwright.core.health import diagnose
from hookwright.core.lanes import LANE_COUNT, LANES, MAX_ID, lane_of, lane_of_event
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import (
    Account,
    Attempt,
    Claim,
    DeclaredType,
    Delivery,
    Endpoint,
    EndpointChange,
    EndpointStatus,
    Event,
    Grant,
    Health,
    Instant,
    Key,
    OAuthApp,
    OAuthCode,
    Replay,
    Settled,
    SigningSecret,
    Site,
    Subscription,
)
from hookwright.store.base import MAX_LIVE_SECRETS, MOST_COUNTED, Backlog, DeliveryQuery, EndpointQuery

# How many rows one statement may change beside traffic: short enough that nobody waits for its locks.
BATCH = 2_000
# Where rows live that belong to no account.
PLATFORM_LANE = LANES[0]

# Whether an endpoint's deliveries go through a gate or in batches, which `_claim_guarded` sees to.
GUARDED = (
    "(e.batch_limit > 1 OR e.max_in_flight IS NOT NULL OR e.rate_per_second IS NOT NULL"
    " OR e.breaker_open_until IS NOT NULL)"
)

# What a due delivery meets: its own expiry first, then its endpoint's status, or a gate before an active endpoint.
# The placeholder is the present instant.
WHAT_IT_MEETS = (
    "CASE WHEN d.expires_at <= {now} THEN 'expired'"
    f" WHEN e.status = 'active' AND {GUARDED} THEN 'guarded' ELSE e.status END"
)
EXPIRE = "status = 'dead', due_at = NULL, finished_at = {now}, last_error = 'expired'"

# How often a claim that has found something looks again for more: what it has found waits, and its lease runs.
CLAIM_ROUNDS = 10


class Row(Protocol):
    """A row of either driver: a value for each column name."""

    def __getitem__(self, column: str, /) -> Any: ...


class Statement(msgspec.Struct, frozen=True):
    """One SQL statement and the values of its placeholders."""

    text: str
    values: tuple[Any, ...]


class Found(NamedTuple):
    """What one look at the due deliveries came to: those that are ours now, and how many it took out of the way."""

    claims: list[Claim]
    set_aside: int
    guarded: list[tuple[int, int]]  # lane and id of endpoints whose due deliveries go through a gate or in batches


T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", bound="Records")
Step = Generator[Statement, Sequence[Row], T]
StepMethod = Callable[Concatenate[S, P], Step[T]]
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def sql(text: str, *values: Any) -> Statement:
    """A statement with its values, in the order of its placeholders."""
    return Statement(text, values)


M = TypeVar("M", bound=msgspec.Struct)


def made(kind: type[M], row: Row, **given: Any) -> M:
    """A value of the row's columns of the same names; `given` are those that are kept in another form."""
    return kind(**{field: row[field] for field in kind.__struct_fields__ if field not in given}, **given)


def insert(table: str, lane: int, value: msgspec.Struct, *, leave_out: Sequence[str] = (), **given: Any) -> Statement:
    """Keep a value in the columns of the same names; `given` are those that are kept in another form."""
    fields = [field for field in value.__struct_fields__ if field not in leave_out]
    columns = {"lane": lane} | {field: getattr(value, field) for field in fields} | given
    return sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({_places(1, list(columns))})", *columns.values())


def reading(step: StepMethod[S, P, T]) -> Method[S, P, T]:
    """Run the step without the right to write."""

    @functools.wraps(step)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._read(step(self, *args, **kwargs))

    return run


def writing(step: StepMethod[S, P, T]) -> Method[S, P, T]:
    """Run the step as one transaction."""

    @functools.wraps(step)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._write(step(self, *args, **kwargs))

    return run


class Records:
    """The steps. A store inherits them and says how to run one, and how its database locks rows.

    A database with a single writer locks nothing. With many, a grant is added under a shared lock on what it hangs
    on; what ends grants holds that row alone, so it sees every grant that a refresh has added meanwhile.
    """

    SKIP_LOCKED = ""
    SHARED = ""
    ALONE = ""

    async def _read(self, step: Step[T]) -> T:
        raise NotImplementedError

    async def _write(self, step: Step[T]) -> T:
        raise NotImplementedError

    # -- accounts, sites, signing secrets --------------------------------------------------------------------

    @writing
    def add_account(self, account: Account, secret: SigningSecret) -> Step[None]:
        yield insert("accounts", lane_of(account.id), account)
        yield _insert_secret(secret)

    @reading
    def account(self, account_id: int) -> Step[Account | None]:
        rows = yield sql(
            "SELECT * FROM accounts WHERE lane = $1 AND id = $2 AND deleted_at IS NULL",
            lane_of(account_id),
            account_id,
        )
        return _account(rows[0]) if rows else None

    @reading
    def accounts(self, after: int = 0, limit: int = 100) -> Step[list[Account]]:
        # Every lane: administrators list accounts, traffic never does.
        rows = yield sql(
            "SELECT * FROM accounts WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2", after, limit
        )
        return [_account(row) for row in rows]

    async def delete_account(self, account_id: int, now: Instant) -> bool:
        """See Store, and `delete_endpoint` for the two steps."""
        endpoint_ids = await self._forget_account(account_id, now)
        await self._cancel_waiting(account_id, endpoint_ids or [], now)
        return endpoint_ids is not None

    @writing
    def _forget_account(self, account_id: int, now: Instant) -> Step[list[int] | None]:
        lane = lane_of(account_id)
        found = yield sql(
            "UPDATE accounts SET deleted_at = $3 WHERE lane = $1 AND id = $2 AND deleted_at IS NULL RETURNING id",
            lane,
            account_id,
            now,
        )
        if not found:
            return None
        yield sql("DELETE FROM keys WHERE lane = $1 AND account_id = $2", lane, account_id)
        yield sql(
            "UPDATE grants SET revoked_at = $3 WHERE lane = $1 AND account_id = $2 AND revoked_at IS NULL",
            lane,
            account_id,
            now,
        )
        deleted = yield sql(
            "UPDATE endpoints SET status = 'deleted', status_reason = 'account deleted', status_changed_at = $3,"
            " updated_at = $3 WHERE lane = $1 AND account_id = $2 AND status <> 'deleted' RETURNING id",
            lane,
            account_id,
            now,
        )
        return (yield from _after_deletion(lane, deleted, now))

    @reading
    def signing_secrets(self, account_id: int, endpoint_id: int | None, now: Instant) -> Step[list[SigningSecret]]:
        rows = yield _live_secrets(account_id, endpoint_id, now)
        return [_secret(row) for row in rows]

    @writing
    def rotate_signing_secret(
        self, secret: SigningSecret, others_expire_at: Instant, *, at_most: int = MAX_LIVE_SECRETS
    ) -> Step[bool]:
        # Held, so that two rotations at once cannot both find room.
        yield sql(
            f"SELECT id FROM accounts WHERE lane = $1 AND id = $2 {self.ALONE}",
            lane_of(secret.account_id),
            secret.account_id,
        )
        live = yield _live_secrets(secret.account_id, secret.endpoint_id, secret.created_at)
        if len(live) >= at_most:
            return False
        yield sql(
            "UPDATE signing_secrets SET expires_at = $4 WHERE lane = $1 AND account_id = $2"
            " AND COALESCE(endpoint_id, 0) = $3 AND (expires_at IS NULL OR expires_at > $4)",
            lane_of(secret.account_id),
            secret.account_id,
            secret.endpoint_id or 0,
            others_expire_at,
        )
        yield _insert_secret(secret)
        return True

    @writing
    def expire_previous_secrets(self, account_id: int, endpoint_id: int | None, now: Instant) -> Step[None]:
        live = yield _live_secrets(account_id, endpoint_id, now)
        for row in live[1:]:
            yield sql(
                "UPDATE signing_secrets SET expires_at = $3 WHERE lane = $1 AND id = $2",
                lane_of(account_id),
                row["id"],
                now,
            )

    @writing
    def add_site(self, site: Site) -> Step[None]:
        yield insert("sites", lane_of(site.account_id), site)

    @reading
    def site(self, account_id: int, site_id: int) -> Step[Site | None]:
        rows = yield sql(
            "SELECT * FROM sites WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            site_id,
            account_id,
        )
        return _site(rows[0]) if rows else None

    @reading
    def sites(self, account_id: int) -> Step[list[Site]]:
        rows = yield sql(
            "SELECT * FROM sites WHERE lane = $1 AND account_id = $2 ORDER BY id", lane_of(account_id), account_id
        )
        return [_site(row) for row in rows]

    async def delete_site(self, account_id: int, site_id: int, now: Instant) -> bool:
        """See Store, and `delete_endpoint` for the two steps."""
        endpoint_ids = await self._forget_site(account_id, site_id, now)
        await self._cancel_waiting(account_id, endpoint_ids or [], now)
        return endpoint_ids is not None

    @writing
    def _forget_site(self, account_id: int, site_id: int, now: Instant) -> Step[list[int] | None]:
        lane = lane_of(account_id)
        found = yield sql(
            "DELETE FROM sites WHERE lane = $1 AND id = $2 AND account_id = $3 RETURNING id",
            lane,
            site_id,
            account_id,
        )
        if not found:
            return None
        deleted = yield sql(
            "UPDATE endpoints SET status = 'deleted', status_reason = 'site deleted', status_changed_at = $4,"
            " updated_at = $4 WHERE lane = $1 AND account_id = $2 AND site_id = $3 AND status <> 'deleted'"
            " RETURNING id",
            lane,
            account_id,
            site_id,
            now,
        )
        return (yield from _after_deletion(lane, deleted, now))

    # -- credentials -----------------------------------------------------------------------------------------

    @writing
    def add_key(self, key: Key) -> Step[None]:
        yield insert(
            "keys",
            lane_of(key.id),
            key,
            scopes=json.dumps(key.scopes),
            attributes=json.dumps(key.attributes),
        )

    @reading
    def key(self, key_id: int) -> Step[Key | None]:
        rows = yield sql("SELECT * FROM keys WHERE lane = $1 AND id = $2", lane_of(key_id), key_id)
        return _key(rows[0]) if rows else None

    @reading
    def keys(self, account_id: int | None = None) -> Step[list[Key]]:
        if account_id is None:  # every lane: administrators list keys, traffic never does
            rows = yield sql("SELECT * FROM keys ORDER BY id")
        else:
            rows = yield sql(
                "SELECT * FROM keys WHERE lane = $1 AND account_id = $2 ORDER BY id", lane_of(account_id), account_id
            )
        return [_key(row) for row in rows]

    @writing
    def rotate_key(self, key_id: int, digest: bytes, now: Instant) -> Step[bool]:
        found = yield sql(
            "UPDATE keys SET digest = $3, rotated_at = $4 WHERE lane = $1 AND id = $2 RETURNING id",
            lane_of(key_id),
            key_id,
            digest,
            now,
        )
        yield _revoke_grants_of_key(key_id, now)
        return bool(found)

    @writing
    def delete_key(self, key_id: int, now: Instant) -> Step[bool]:
        found = yield sql("DELETE FROM keys WHERE lane = $1 AND id = $2 RETURNING id", lane_of(key_id), key_id)
        yield _revoke_grants_of_key(key_id, now)
        return bool(found)

    @writing
    def add_app(self, app: OAuthApp) -> Step[None]:
        yield insert("oauth_apps", lane_of(app.id), app, redirect_uris=json.dumps(app.redirect_uris))

    @reading
    def app(self, app_id: int) -> Step[OAuthApp | None]:
        rows = yield sql("SELECT * FROM oauth_apps WHERE lane = $1 AND id = $2", lane_of(app_id), app_id)
        return _app(rows[0]) if rows else None

    @reading
    def apps(self) -> Step[list[OAuthApp]]:
        rows = yield sql("SELECT * FROM oauth_apps ORDER BY id")  # every lane: only administrators list apps
        return [_app(row) for row in rows]

    @writing
    def delete_app(self, app_id: int, now: Instant) -> Step[bool]:
        found = yield sql("DELETE FROM oauth_apps WHERE lane = $1 AND id = $2 RETURNING id", lane_of(app_id), app_id)
        # Every lane: an app's grants live with the accounts that gave them. Rare, and never on the hot path.
        yield sql("UPDATE grants SET revoked_at = $2 WHERE app_id = $1 AND revoked_at IS NULL", app_id, now)
        return bool(found)

    @writing
    def add_code(self, code: OAuthCode) -> Step[None]:
        yield insert("oauth_codes", lane_of(code.id), code)

    @reading
    def code(self, code_id: int) -> Step[OAuthCode | None]:
        rows = yield sql("SELECT * FROM oauth_codes WHERE lane = $1 AND id = $2", lane_of(code_id), code_id)
        return _code(rows[0]) if rows else None

    @writing
    def redeem_code(self, code_id: int, grant: Grant, now: Instant) -> Step[bool]:
        live = yield from self._roots_are_live(grant)
        spent = yield sql(
            "UPDATE oauth_codes SET used_at = $3 WHERE lane = $1 AND id = $2 AND used_at IS NULL RETURNING id",
            lane_of(code_id),
            code_id,
            now,
        )
        if spent:
            yield _insert_grant(grant, live)
        return bool(spent)

    @writing
    def add_grant(self, grant: Grant) -> Step[None]:
        live = yield from self._roots_are_live(grant)
        yield _insert_grant(grant, live)

    def _roots_are_live(self, grant: Grant) -> Step[bool]:
        """Whether the account, key and app that a grant hangs on are there, and will be until it is on disk."""
        found = yield sql(
            f"SELECT id FROM accounts WHERE lane = $1 AND id = $2 AND deleted_at IS NULL {self.SHARED}",
            lane_of(grant.account_id),
            grant.account_id,
        )
        live = bool(found)
        for table, id in (("keys", grant.key_id), ("oauth_apps", grant.app_id)):
            if id is not None:
                found = yield sql(
                    f"SELECT id FROM {table} WHERE lane = $1 AND id = $2 {self.SHARED}", lane_of(id), id
                )
                live = live and bool(found)
        return live

    @reading
    def grant(self, grant_id: int) -> Step[Grant | None]:
        rows = yield sql("SELECT * FROM grants WHERE lane = $1 AND id = $2", lane_of(grant_id), grant_id)
        return _grant(rows[0]) if rows else None

    @writing
    def refresh_grant(self, grant_id: int, successor: Grant, now: Instant) -> Step[bool]:
        # The old access token goes on until it expires: requests that carry it are under way. Only the refresh
        # token is spent.
        live = yield from self._roots_are_live(successor)
        spent = yield sql(
            "UPDATE grants SET refreshed_at = $3 WHERE lane = $1 AND id = $2"
            " AND refreshed_at IS NULL AND revoked_at IS NULL RETURNING id",
            lane_of(grant_id),
            grant_id,
            now,
        )
        if spent:
            yield _insert_grant(successor, live)
        return bool(spent)

    @writing
    def revoke_grant(self, grant_id: int, now: Instant) -> Step[None]:
        yield sql(
            "UPDATE grants SET revoked_at = $3 WHERE lane = $1 AND id = $2 AND revoked_at IS NULL",
            lane_of(grant_id),
            grant_id,
            now,
        )

    @writing
    def revoke_family(self, account_id: int, family_id: int, now: Instant) -> Step[None]:
        yield sql(
            f"SELECT id FROM accounts WHERE lane = $1 AND id = $2 {self.ALONE}", lane_of(account_id), account_id
        )
        yield sql(
            "UPDATE grants SET revoked_at = $4"
            " WHERE lane = $1 AND account_id = $2 AND family_id = $3 AND revoked_at IS NULL",
            lane_of(account_id),
            account_id,
            family_id,
            now,
        )

    # -- endpoints -------------------------------------------------------------------------------------------

    @writing
    def add_endpoint(self, endpoint: Endpoint, secret: SigningSecret | None = None) -> Step[None]:
        yield insert(
            "endpoints",
            lane_of(endpoint.account_id),
            endpoint,
            retry_schedule=_dump_schedule(endpoint.retry_schedule),
            leave_out=("subscriptions", "health"),
        )
        yield from _subscribe(endpoint, endpoint.subscriptions)
        if secret is not None:
            yield _insert_secret(secret)

    @reading
    def endpoint(self, account_id: int, endpoint_id: int) -> Step[Endpoint | None]:
        return (yield from _endpoint_of(account_id, endpoint_id))

    @reading
    def endpoints(self, query: EndpointQuery) -> Step[list[Endpoint]]:
        where, values = _endpoint_filters(query, with_bounds=True)
        order = "ASC" if query.ascending else "DESC"
        limits = f"LIMIT ${len(values) + 1} OFFSET ${len(values) + 2}"
        rows = yield sql(
            f"SELECT e.* FROM endpoints e WHERE {where} ORDER BY e.id {order} {limits}",
            *values,
            query.limit,
            query.offset,
        )
        endpoints: list[Endpoint] = []
        for row in rows:
            endpoint = yield from _with_subscriptions(row)
            endpoints.append(endpoint)
        return endpoints

    @reading
    def count_endpoints(self, query: EndpointQuery) -> Step[int]:
        where, values = _endpoint_filters(query, with_bounds=False)
        rows = yield sql(f"SELECT COUNT(*) AS number FROM endpoints e WHERE {where}", *values)
        return int(rows[0]["number"])

    @writing
    def set_endpoint_status(
        self, account_id: int, endpoint_id: int, status: EndpointStatus, reason: str | None, now: Instant
    ) -> Step[Endpoint | None]:
        changed = yield sql(
            "UPDATE endpoints SET status = $4, status_reason = $5, status_changed_at = $6, updated_at = $6,"
            # Whatever the new status, a person has looked: the endpoint's troubles begin anew.
            " failing_since = NULL, failed_at = NULL, failures = 0, warned_percent = 0, breaker_open_until = NULL,"
            " probing = FALSE"
            " WHERE lane = $1 AND id = $2 AND account_id = $3 AND status <> 'deleted' RETURNING id",
            lane_of(account_id),
            endpoint_id,
            account_id,
            status,
            reason,
            now,
        )
        if changed and status == "active":
            # Only a claim puts deliveries aside, and it locks the endpoint's row to do so: whatever it put aside
            # before our update is seen here, and after it the claim sees an active endpoint.
            yield _wake(lane_of(account_id), endpoint_id, now)
        return (yield from _endpoint_of(account_id, endpoint_id))

    @writing
    def change_endpoint(
        self, account_id: int, endpoint_id: int, change: EndpointChange, now: Instant
    ) -> Step[Endpoint | None]:
        # The row is held, so that of two changes at once neither is lost.
        yield sql(
            f"SELECT id FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane_of(account_id), endpoint_id
        )
        endpoint = yield from _endpoint_of(account_id, endpoint_id)
        if endpoint is None:
            return None
        changed = changed_endpoint(endpoint, change, now)
        yield sql(
            "UPDATE endpoints SET url = $4, name = $5, description = $6, sealed_headers = $7, signature = $8,"
            " retry_schedule = $9, max_in_flight = $10, rate_per_second = $11, updated_at = $12"
            " WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            endpoint_id,
            account_id,
            changed.url,
            changed.name,
            changed.description,
            changed.sealed_headers,
            changed.signature,
            _dump_schedule(changed.retry_schedule),
            changed.max_in_flight,
            changed.rate_per_second,
            now,
        )
        if changed.subscriptions != endpoint.subscriptions:
            yield sql(
                "DELETE FROM subscriptions WHERE lane = $1 AND endpoint_id = $2", lane_of(account_id), endpoint_id
            )
            yield from _subscribe(changed, changed.subscriptions)
        return (yield from _endpoint_of(account_id, endpoint_id))

    async def delete_endpoint(self, account_id: int, endpoint_id: int, now: Instant) -> bool:
        """See Store. Two steps: from the first on nothing is sent; the second tidies up, in batches."""
        endpoint_ids = await self._forget_endpoint(account_id, endpoint_id, now)
        await self._cancel_waiting(account_id, endpoint_ids, now)
        return bool(endpoint_ids)

    @writing
    def _forget_endpoint(self, account_id: int, endpoint_id: int, now: Instant) -> Step[list[int]]:
        lane = lane_of(account_id)
        deleted = yield sql(
            "UPDATE endpoints SET status = 'deleted', status_changed_at = $4, updated_at = $4"
            " WHERE lane = $1 AND id = $2 AND account_id = $3 AND status <> 'deleted' RETURNING id",
            lane,
            endpoint_id,
            account_id,
            now,
        )
        return (yield from _after_deletion(lane, deleted, now))

    async def _cancel_waiting(self, account_id: int, endpoint_ids: Sequence[int], now: Instant) -> None:
        # The deletion is on disk. What an outage leaves here, the claim that finds it due cancels.
        with suppress(Unavailable):
            for endpoint_id in endpoint_ids:
                while await self._cancel_some(account_id, endpoint_id, now) == BATCH:
                    pass

    # What a claim holds at this moment is skipped: the claim sees the deleted endpoint and cancels it itself, and
    # waiting for it here could deadlock.
    @writing
    def _cancel_some(self, account_id: int, endpoint_id: int, now: Instant) -> Step[int]:
        cancelled = yield sql(
            "UPDATE deliveries SET status = 'cancelled', due_at = NULL, finished_at = $3"
            " WHERE lane = $1 AND id IN (SELECT id FROM deliveries WHERE lane = $1 AND endpoint_id = $2"
            f" AND status = 'pending' LIMIT {BATCH} {self.SKIP_LOCKED}) RETURNING id",
            lane_of(account_id),
            endpoint_id,
            now,
        )
        return len(cancelled)

    # -- event types -----------------------------------------------------------------------------------------

    @writing
    def put_event_type(self, declared: DeclaredType) -> Step[None]:
        yield sql(
            "INSERT INTO event_types (lane, name, description, schema, sample, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lane, name) DO UPDATE SET"
            " description = excluded.description, schema = excluded.schema, sample = excluded.sample,"
            " updated_at = excluded.updated_at",
            PLATFORM_LANE,
            declared.name,
            declared.description,
            declared.schema,
            declared.sample,
            declared.created_at,
            declared.updated_at,
        )

    @reading
    def event_types(self) -> Step[list[DeclaredType]]:
        rows = yield sql("SELECT * FROM event_types WHERE lane = $1", PLATFORM_LANE)
        return sorted((_declared_type(row) for row in rows), key=lambda declared: declared.name)

    @writing
    def delete_event_type(self, name: str) -> Step[bool]:
        found = yield sql("DELETE FROM event_types WHERE lane = $1 AND name = $2 RETURNING name", PLATFORM_LANE, name)
        return bool(found)

    # -- health ----------------------------------------------------------------------------------------------

    def _note_outcomes(self, written: Sequence[Settled], now: Instant) -> Step[None]:
        """What attempts mean for their endpoints and what is to be told of them; part of settling."""
        told = [of_death(each, now) for each in written if each.settlement.status == "dead" and _counts(each)]
        by_endpoint: dict[int, list[Settled]] = {}
        for each in written:
            by_endpoint.setdefault(each.claim.endpoint_id, []).append(each)
        for endpoint_id in sorted(by_endpoint):  # in one order everywhere, so that two settlements cannot deadlock
            told += yield from self._note_endpoint(by_endpoint[endpoint_id], now)
        yield from _announce(told)

    def _note_endpoint(self, settled: Sequence[Settled], now: Instant) -> Step[list[Announcement]]:
        claim = settled[0].claim
        lane = lane_of(claim.endpoint_id)
        rows = yield sql(f"SELECT * FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane, claim.endpoint_id)
        before = _health(rows[0])
        counted = [each for each in settled if _counts(each)]
        diagnosis = diagnose(before, [succeeded(each.outcome) for each in counted], now)
        if diagnosis.health != before:
            yield _keep_health(lane, claim.endpoint_id, diagnosis.health)
        gone = next((each for each in settled if each.settlement.disable_reason is not None), None)
        reason = gone.settlement.disable_reason if gone else "failing" if "disabled" in diagnosis.changes else None
        disabled = rows[0]["status"] == "active" and reason is not None
        if disabled:
            yield sql(
                "UPDATE endpoints SET status = 'disabled', status_reason = $3, status_changed_at = $4,"
                " updated_at = $4 WHERE lane = $1 AND id = $2",
                lane,
                claim.endpoint_id,
                reason,
                now,
            )
        changes = [change for change in diagnosis.changes if change != "disabled"]
        told = [of_endpoint(change, counted[-1], diagnosis.health, None, now) for change in changes]
        if disabled and counted:
            told.append(of_endpoint("disabled", counted[-1], diagnosis.health, reason, now))
        return told

    @reading
    def announcements(self, limit: int) -> Step[list[Announcement]]:
        # Every lane: there are few of them, and one process at a time asks.
        rows = yield sql("SELECT * FROM announcements ORDER BY created_at, id LIMIT $1", limit)
        return [
            Announcement(
                id=row["id"],
                account_id=row["account_id"],
                type=row["type"],
                data=row["data"],
                created_at=row["created_at"],
            )
            for row in rows
        ]

    @writing
    def delete_announcement(self, announcement: Announcement) -> Step[None]:
        yield sql("DELETE FROM announcements WHERE lane = $1 AND id = $2", lane_of(announcement.id), announcement.id)

    # -- replays of many -------------------------------------------------------------------------------------

    @reading
    def count_deliveries(self, query: DeliveryQuery, at_most: int) -> Step[int]:
        where, values = _delivery_filters(query)
        rows = yield sql(
            "SELECT COUNT(*) AS number FROM"
            f" (SELECT 1 FROM deliveries WHERE {where} LIMIT ${len(values) + 1}) AS counted",
            *values,
            at_most,
        )
        return int(rows[0]["number"])

    @writing
    def add_replay(self, replay: Replay) -> Step[None]:
        yield insert("replays", lane_of(replay.account_id), replay, statuses=json.dumps(replay.statuses))

    @reading
    def replay_of_many(self, account_id: int, replay_id: int) -> Step[Replay | None]:
        rows = yield sql(
            "SELECT * FROM replays WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            replay_id,
            account_id,
        )
        return _replay(rows[0]) if rows else None

    @reading
    def replays(self, account_id: int, below: int | None, limit: int) -> Step[list[Replay]]:
        rows = yield sql(
            "SELECT * FROM replays WHERE lane = $1 AND account_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
            lane_of(account_id),
            account_id,
            MAX_ID + 1 if below is None else below,
            limit,
        )
        return [_replay(row) for row in rows]

    @reading
    def running_replays(self) -> Step[list[Replay]]:
        # Every lane: there are few of them, and a chore asks.
        rows = yield sql("SELECT * FROM replays WHERE status = 'running' ORDER BY id")
        return [_replay(row) for row in rows]

    @writing
    def cancel_replay(self, account_id: int, replay_id: int, now: Instant) -> Step[Replay | None]:
        yield sql(
            "UPDATE replays SET status = 'cancelled', finished_at = $4"
            " WHERE lane = $1 AND id = $2 AND account_id = $3 AND status = 'running'",
            lane_of(account_id),
            replay_id,
            account_id,
            now,
        )
        rows = yield sql(
            "SELECT * FROM replays WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            replay_id,
            account_id,
        )
        return _replay(rows[0]) if rows else None

    @writing
    def advance_replay(self, account_id: int, replay_id: int, limit: int, now: Instant) -> Step[int]:
        lane = lane_of(account_id)
        # Held, so that two processes never take the same step.
        rows = yield sql(
            f"SELECT * FROM replays WHERE lane = $1 AND id = $2 AND status = 'running' {self.ALONE}", lane, replay_id
        )
        if not rows:
            return 0
        where, values = _delivery_filters(_replayed_by(_replay(rows[0])))
        place = (rows[0]["place_created_at"], rows[0]["place_id"])
        number = len(values)
        found = yield sql(
            f"SELECT id, created_at FROM deliveries WHERE {where}"
            f" AND (created_at, id) > (${number + 1}, ${number + 2}) ORDER BY created_at, id LIMIT ${number + 3}",
            *values,
            *place,
            limit,
        )
        if not found:
            yield sql(
                "UPDATE replays SET status = 'done', finished_at = $3 WHERE lane = $1 AND id = $2",
                lane,
                replay_id,
                now,
            )
            return 0
        ids = [int(row["id"]) for row in found]
        # As in `replay`; whatever is being sent, has no payload any more or no endpoint is passed over.
        changed = yield sql(
            "UPDATE deliveries SET status = 'pending', due_at = $2, round_start = attempts, finished_at = NULL"
            f" WHERE lane = $1 AND id IN ({_places(3, ids)}) AND status IN ('delivered', 'dead', 'cancelled')"
            " AND EXISTS (SELECT 1 FROM endpoints e WHERE e.lane = $1 AND e.id = deliveries.endpoint_id"
            " AND e.status <> 'deleted') AND EXISTS (SELECT 1 FROM payloads p WHERE p.lane = $1"
            " AND p.event_id = deliveries.event_id AND p.ordinal = deliveries.ordinal) RETURNING id",
            lane,
            now,
            *ids,
        )
        yield sql(
            "UPDATE replays SET replayed = replayed + $3, place_created_at = $4, place_id = $5"
            " WHERE lane = $1 AND id = $2",
            lane,
            replay_id,
            len(changed),
            found[-1]["created_at"],
            found[-1]["id"],
        )
        return len(found)

    # -- retention -------------------------------------------------------------------------------------------

    @writing
    def prune_events(self, lane_index: int, accepted_before: Instant, limit: int) -> Step[int]:
        lane = LANES[lane_index]
        rows = yield _finished_events(lane, accepted_before, limit, "")
        ids = [str(row["id"]) for row in rows]
        if ids:
            places = _places(2, ids)
            of_events = f"lane = $1 AND event_id IN ({places})"
            yield sql(
                "DELETE FROM attempts WHERE lane = $1 AND delivery_id IN"
                f" (SELECT id FROM deliveries WHERE {of_events})",
                lane,
                *ids,
            )
            for table in ("deliveries", "payloads"):
                yield sql(f"DELETE FROM {table} WHERE {of_events}", lane, *ids)
            yield sql(f"DELETE FROM events WHERE lane = $1 AND id IN ({places})", lane, *ids)
        return len(ids)

    @writing
    def prune_payloads(self, lane_index: int, accepted_before: Instant, limit: int) -> Step[int]:
        lane = LANES[lane_index]
        rows = yield _finished_events(lane, accepted_before, limit, "AND v.data <> ''")
        ids = [str(row["id"]) for row in rows]
        if ids:
            places = _places(2, ids)
            yield sql(f"DELETE FROM payloads WHERE lane = $1 AND event_id IN ({places})", lane, *ids)
            yield sql(f"UPDATE events SET data = '' WHERE lane = $1 AND id IN ({places})", lane, *ids)
        return len(ids)

    @writing
    def prune_keys(self, lane_index: int, created_before: Instant, limit: int) -> Step[int]:
        gone = yield sql(
            "DELETE FROM idempotency_keys WHERE lane = $1 AND (account_id, key) IN (SELECT account_id, key"
            " FROM idempotency_keys WHERE lane = $1 AND created_at < $2 LIMIT $3) RETURNING key",
            LANES[lane_index],
            created_before,
            limit,
        )
        return len(gone)

    # -- events and deliveries -------------------------------------------------------------------------------

    async def claim(self, limit: int, now: Instant, lease_until: Instant) -> list[Claim]:
        """See Store. What is put aside takes no room, so a look that put something aside is followed by another."""
        claims: list[Claim] = []
        rounds = 0
        while len(claims) < limit and not (claims and rounds >= CLAIM_ROUNDS):
            try:
                found = await self._claim_some(limit - len(claims), now, lease_until)
                claims += found.claims
                for lane, endpoint_id in found.guarded:
                    claims += await self._claim_guarded(lane, endpoint_id, now, lease_until)
            except Unavailable:
                if claims:
                    return claims
                raise
            rounds += 1
            if not found.set_aside and not found.guarded:
                break
        return claims

    @writing
    def _claim_guarded(self, lane: int, endpoint_id: int, now: Instant, lease_until: Instant) -> Step[list[Claim]]:
        """The due deliveries of an endpoint with a brake on, or that takes several events in one request."""
        # Held, so that only one worker at a time goes through the gate and makes batches.
        rows = yield sql(f"SELECT * FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane, endpoint_id)
        if rows[0]["status"] != "active":
            return []
        due = yield sql(
            "SELECT d.id, d.dialect_event, d.batch_id, LENGTH(p.body) AS size FROM deliveries d JOIN payloads p"
            " ON p.lane = d.lane AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
            " WHERE d.lane = $1 AND d.endpoint_id = $2 AND d.status = 'pending' AND d.due_at <= $3"
            f" AND (d.expires_at IS NULL OR d.expires_at > $3) LIMIT {BATCH}",
            lane,
            endpoint_id,
            now,
        )
        batches = _batches(due, rows[0]["batch_limit"])
        gate = yield from _gate(rows[0])
        admission = admit(gate, list(batches), now)
        if admission.gate != gate:
            yield _keep_gate(lane, endpoint_id, admission.gate)
        claims: list[Claim] = []
        for batch_id in admission.go:
            claims += yield from _claim_batch(lane, batch_id, batches[batch_id], rows[0]["batch_limit"], lease_until)
        for batch_id, until in admission.wait.items():
            yield _postpone(lane, batches[batch_id], until)
        return claims

    async def _claim_some(self, limit: int, now: Instant, lease_until: Instant) -> Found:
        raise NotImplementedError

    @reading
    def backlog(self, now: Instant) -> Step[Backlog]:
        # Every lane, as in a claim; both walk an index that holds nothing else, and no further than the bound.
        due = yield sql(
            "SELECT COUNT(*) AS number, MIN(due_at) AS oldest FROM (SELECT due_at FROM deliveries"
            " WHERE status = 'pending' AND due_at <= $1 ORDER BY due_at LIMIT $2) AS waiting",
            now,
            MOST_COUNTED,
        )
        breakers = yield sql(
            "SELECT COUNT(*) AS number, COUNT(CASE WHEN probing OR breaker_open_until <= $1 THEN 1 END) AS half_open"
            " FROM (SELECT probing, breaker_open_until FROM endpoints"
            " WHERE breaker_open_until IS NOT NULL AND status = 'active' LIMIT $2) AS troubled",
            now,
            MOST_COUNTED,
        )
        half_open = int(breakers[0]["half_open"])
        return Backlog(
            due=int(due[0]["number"]),
            oldest_due_at=due[0]["oldest"],
            breakers_open=int(breakers[0]["number"]) - half_open,
            breakers_half_open=half_open,
        )

    async def rescue(self, now: Instant) -> int:
        """See Store. In batches, each its own transaction."""
        rescued = 0
        while (number := await self._rescue_some(now)) == BATCH:
            rescued += number
        return rescued + number

    async def _rescue_some(self, now: Instant) -> int:
        raise NotImplementedError

    @reading
    def event(self, event_id: str) -> Step[Event | None]:
        id = _event_id(event_id)
        if id is None:
            return None
        rows = yield sql("SELECT * FROM events WHERE lane = $1 AND id = $2", lane_of_event(id), id)
        return _event(rows[0]) if rows else None

    @reading
    def delivery(self, delivery_id: int) -> Step[Delivery | None]:
        rows = yield sql("SELECT * FROM deliveries WHERE lane = $1 AND id = $2", lane_of(delivery_id), delivery_id)
        return _delivery(rows[0]) if rows else None

    @reading
    def deliveries(self, query: DeliveryQuery) -> Step[list[Delivery]]:
        where, values = _delivery_filters(query)
        rows = yield sql(
            f"SELECT * FROM deliveries WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ${len(values) + 1}",
            *values,
            query.limit,
        )
        return [_delivery(row) for row in rows]

    @reading
    def attempts(self, delivery_id: int) -> Step[list[Attempt]]:
        rows = yield sql(
            "SELECT * FROM attempts WHERE lane = $1 AND delivery_id = $2 ORDER BY number",
            lane_of(delivery_id),
            delivery_id,
        )
        return [_attempt(row) for row in rows]

    @reading
    def payload(self, delivery_id: int) -> Step[bytes | None]:
        rows = yield sql(
            "SELECT p.body FROM deliveries d JOIN payloads p"
            " ON p.lane = d.lane AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
            " WHERE d.lane = $1 AND d.id = $2 AND p.lane = $1",
            lane_of(delivery_id),
            delivery_id,
        )
        return bytes(rows[0]["body"]) if rows else None

    @writing
    def replay(self, delivery_id: int, now: Instant) -> Step[Delivery | None]:
        lane = lane_of(delivery_id)
        rows = yield sql("SELECT * FROM deliveries WHERE lane = $1 AND id = $2", lane, delivery_id)
        if not rows:
            return None
        body = yield sql(
            "SELECT ordinal FROM payloads WHERE lane = $1 AND event_id = $2 AND ordinal = $3",
            lane,
            rows[0]["event_id"],
            rows[0]["ordinal"],
        )
        if not body:
            raise Conflict(f"the payload of delivery {delivery_id} has expired")
        # What went out together goes out together again.
        column, id = ("id", delivery_id) if rows[0]["batch_id"] is None else ("batch_id", rows[0]["batch_id"])
        changed = yield sql(
            "UPDATE deliveries SET status = 'pending', due_at = $3, round_start = attempts, finished_at = NULL"
            f" WHERE lane = $1 AND {column} = $2 AND status <> 'in_flight' AND EXISTS (SELECT 1 FROM endpoints e"
            " WHERE e.lane = $1 AND e.id = deliveries.endpoint_id AND e.status <> 'deleted') RETURNING *",
            lane,
            id,
            now,
        )
        for row in changed:
            if row["id"] == delivery_id:
                return _delivery(row)
        rows = yield sql("SELECT status FROM deliveries WHERE lane = $1 AND id = $2", lane, delivery_id)
        if rows[0]["status"] == "in_flight":
            raise Conflict(f"delivery {delivery_id} is being sent at this moment")
        raise Conflict(f"the endpoint of delivery {delivery_id} is deleted")


def needs_noting(each: Settled) -> bool:
    """Whether an attempt may change its endpoint's health, or is to be told of. Most succeed at healthy endpoints."""
    return not succeeded(each.outcome) or each.claim.troubled


def _counts(each: Settled) -> bool:
    return not is_operational(each.claim.event_type)


def _health(row: Row) -> Health:
    return made(Health, row, probing=bool(row["probing"]))


def _keep_health(lane: int, endpoint_id: int, health: Health) -> Statement:
    return sql(
        "UPDATE endpoints SET failing_since = $3, failed_at = $4, failures = $5, warned_percent = $6,"
        " breaker_open_until = $7, probing = $8 WHERE lane = $1 AND id = $2",
        lane,
        endpoint_id,
        health.failing_since,
        health.failed_at,
        health.failures,
        health.warned_percent,
        health.breaker_open_until,
        health.probing,
    )


def _announce(told: Sequence[Announcement]) -> Step[None]:
    for announcement in told:
        lane = lane_of(announcement.account_id)
        taken = yield sql(
            "UPDATE lanes SET next_counter = next_counter + 1 WHERE lane = $1 RETURNING next_counter, lane_index",
            lane,
        )
        yield sql(
            "INSERT INTO announcements (lane, id, account_id, type, data, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            lane,
            (taken[0]["next_counter"] - 1) * LANE_COUNT + taken[0]["lane_index"],
            announcement.account_id,
            announcement.type,
            announcement.data,
            announcement.created_at,
        )


def _finished_events(lane: int, accepted_before: Instant, limit: int, condition: str) -> Statement:
    """Old events of which nothing is still to be sent: those are kept, however old they are."""
    return sql(
        f"SELECT v.id FROM events v WHERE v.lane = $1 AND v.accepted_at < $2 {condition}"
        " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.lane = $1 AND d.event_id = v.id"
        " AND d.status IN ('pending', 'in_flight')) ORDER BY v.accepted_at LIMIT $3",
        lane,
        accepted_before,
        limit,
    )


def _replayed_by(replay: Replay) -> DeliveryQuery:
    return DeliveryQuery(
        account_id=replay.account_id,
        endpoint_id=replay.endpoint_id,
        event_type=replay.event_type,
        statuses=replay.statuses,
        created_from=replay.created_from,
        created_to=replay.created_to,
        finished_from=replay.finished_from,
    )


def _replay(row: Row) -> Replay:
    return made(Replay, row, statuses=_texts(row["statuses"]))


def _batches(due: Sequence[Row], limit: int) -> dict[int, list[int]]:
    """What goes out together, by batch id: the one it had before, or else the id of its first delivery."""
    in_order = sorted(due, key=lambda row: int(row["id"]))
    queued = [Queued(row["id"], row["dialect_event"], row["size"], row["batch_id"]) for row in in_order]
    batches = batches_of(queued, limit)
    if len(due) == BATCH and len(batches) > 1:
        batches.pop()  # it may be cut short by the limit of the look
    known = {row["id"]: row["batch_id"] for row in in_order}
    return {known[batch[0]] or batch[0]: batch for batch in batches}


def _gate(row: Row) -> Step[Gate]:
    in_flight = 0
    if row["max_in_flight"] is not None:
        # By the leases, of which there are never many, rather than through the endpoint's whole history.
        found = yield sql(
            "SELECT COUNT(DISTINCT COALESCE(batch_id, id)) AS number FROM deliveries"
            " WHERE lane = $1 AND endpoint_id = $2 AND status = 'in_flight' AND lease_until > 0",
            row["lane"],
            row["id"],
        )
        in_flight = int(found[0]["number"])
    return Gate(
        max_in_flight=row["max_in_flight"],
        in_flight=in_flight,
        rate_per_second=row["rate_per_second"],
        rate_free_at=row["rate_free_at"],
        breaker_open_until=row["breaker_open_until"],
        probing=bool(row["probing"]),
    )


def _keep_gate(lane: int, endpoint_id: int, gate: Gate) -> Statement:
    return sql(
        "UPDATE endpoints SET rate_free_at = $3, breaker_open_until = $4, probing = $5 WHERE lane = $1 AND id = $2",
        lane,
        endpoint_id,
        gate.rate_free_at,
        gate.breaker_open_until,
        gate.probing,
    )


def _postpone(lane: int, ids: Sequence[int], until: Instant) -> Statement:
    return sql(
        f"UPDATE deliveries SET due_at = $2 WHERE lane = $1 AND id IN ({_places(3, ids)}) AND status = 'pending'",
        lane,
        until,
        *ids,
    )


def _places(first: int, values: Sequence[object]) -> str:
    return ", ".join(f"${number}" for number in range(first, first + len(values)))


def _claim_batch(lane: int, batch_id: int, ids: Sequence[int], limit: int, lease_until: Instant) -> Step[list[Claim]]:
    yield sql(
        "UPDATE deliveries SET status = 'in_flight', fence = fence + 1, lease_until = $2, due_at = NULL,"
        f" batch_id = $3 WHERE lane = $1 AND id IN ({_places(4, ids)}) AND status = 'pending'",
        lane,
        lease_until,
        batch_id if limit > 1 else None,
        *ids,
    )
    rows = yield sql(
        "SELECT d.*, e.url, e.retry_schedule, e.sealed_headers, e.signature, e.failing_since, p.body, v.occurred_at,"
        " v.traceparent FROM deliveries d"
        " JOIN endpoints e ON e.lane = d.lane AND e.id = d.endpoint_id"
        " JOIN payloads p ON p.lane = d.lane AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
        " JOIN events v ON v.lane = d.lane AND v.id = d.event_id"
        f" WHERE d.lane = $1 AND d.id IN ({_places(3, ids)}) AND d.status = 'in_flight' AND d.lease_until = $2",
        lane,
        lease_until,
        *ids,
    )
    return [claim_of(row, row["fence"]) for row in rows]


def claim_of(row: Row, fence: int) -> Claim:
    """A claim, from a row of its delivery with what else is needed to send it."""
    return Claim(
        delivery_id=row["id"],
        fence=fence,
        account_id=row["account_id"],
        event_id=str(row["event_id"]),
        event_type=row["event_type"],
        occurred_at=row["occurred_at"],
        created_at=row["created_at"],
        endpoint_id=row["endpoint_id"],
        dialect=row["dialect"],
        dialect_event=row["dialect_event"],
        ordinal=row["ordinal"],
        url=row["url"],
        body=row["body"],
        attempt=row["attempts"] + 1,
        round_attempt=row["attempts"] + 1 - row["round_start"],
        retry_schedule=load_schedule(row["retry_schedule"]),
        sealed_headers=row["sealed_headers"],
        signature=row["signature"],
        batch_id=row["batch_id"],
        troubled=row["failing_since"] is not None,
        traceparent=row["traceparent"],
    )


def _insert_secret(secret: SigningSecret) -> Statement:
    return insert("signing_secrets", lane_of(secret.account_id), secret)


def _live_secrets(account_id: int, endpoint_id: int | None, now: Instant) -> Statement:
    return sql(
        "SELECT * FROM signing_secrets WHERE lane = $1 AND account_id = $2"
        " AND COALESCE(endpoint_id, 0) = $3 AND (expires_at IS NULL OR expires_at > $4)"
        " ORDER BY created_at DESC, id DESC",
        lane_of(account_id),
        account_id,
        endpoint_id or 0,
        now,
    )


def _insert_grant(grant: Grant, live: bool) -> Statement:
    """A new grant; it is born revoked when its key, its app or its account ended while it was being made."""
    return insert(
        "grants",
        lane_of(grant.id),
        grant,
        scopes=json.dumps(grant.scopes),
        revoked_at=None if live else grant.created_at,
    )


def _wake(lane: int, endpoint_id: int, now: Instant) -> Statement:
    """Make due what was put aside for an endpoint."""
    return sql(
        "UPDATE deliveries SET due_at = $3"
        " WHERE lane = $1 AND endpoint_id = $2 AND status = 'pending' AND due_at IS NULL",
        lane,
        endpoint_id,
        now,
    )


def _after_deletion(lane: int, deleted: Sequence[Row], now: Instant) -> Step[list[int]]:
    """What goes with deleted endpoints in the same transaction; answers their ids.

    What was put aside for them is made due, so that a claim cancels it, whatever becomes of the rest.
    """
    ids = [int(row["id"]) for row in deleted]
    for id in ids:
        yield sql("DELETE FROM subscriptions WHERE lane = $1 AND endpoint_id = $2", lane, id)
        yield _wake(lane, id, now)
    return ids


def _event_id(text: str) -> str | None:
    """An event id in the form that it is kept in, or None when it is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _revoke_grants_of_key(key_id: int, now: Instant) -> Statement:
    # A key and what was granted with it share the account's lane.
    return sql(
        "UPDATE grants SET revoked_at = $3 WHERE lane = $1 AND key_id = $2 AND revoked_at IS NULL",
        lane_of(key_id),
        key_id,
        now,
    )


def _endpoint_of(account_id: int, endpoint_id: int) -> Step[Endpoint | None]:
    rows = yield sql(
        "SELECT * FROM endpoints WHERE lane = $1 AND id = $2 AND account_id = $3 AND status <> 'deleted'",
        lane_of(account_id),
        endpoint_id,
        account_id,
    )
    return (yield from _with_subscriptions(rows[0])) if rows else None


def changed_endpoint(endpoint: Endpoint, change: EndpointChange, now: Instant) -> Endpoint:
    """An endpoint with a change applied; what the change leaves unset stays."""
    given = {name: value for name, value in structs.asdict(change).items() if value is not UNSET}
    return structs.replace(endpoint, **given, updated_at=now)


def _subscribe(endpoint: Endpoint, subscriptions: Sequence[Subscription]) -> Step[None]:
    for subscription in dict.fromkeys(subscriptions):
        yield sql(
            "INSERT INTO subscriptions (lane, account_id, dialect, event, resource, endpoint_id)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            lane_of(endpoint.account_id),
            endpoint.account_id,
            endpoint.dialect,
            subscription.event,
            subscription.resource,
            endpoint.id,
        )


def _with_subscriptions(row: Row) -> Step[Endpoint]:
    found = yield sql(
        "SELECT event, resource FROM subscriptions WHERE lane = $1 AND endpoint_id = $2", row["lane"], row["id"]
    )
    # Sorted here: databases differ in how they order text.
    in_order = sorted((each["event"], each["resource"]) for each in found)
    return _endpoint(row, tuple(Subscription(event, resource) for event, resource in in_order))


class Filters:
    """Conditions and their values, numbered as they are added."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        """Add a condition; each `$` in it stands for the next value."""
        for value in values:
            self.values.append(value)
            condition = condition.replace("$?", f"${len(self.values)}", 1)
        self._conditions.append(condition)

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "TRUE"


def _endpoint_filters(query: EndpointQuery, *, with_bounds: bool) -> tuple[Filters, list[Any]]:
    filters = Filters()
    lane = lane_of(query.account_id)
    filters.add("e.lane = $? AND e.account_id = $? AND e.status <> 'deleted'", lane, query.account_id)
    if query.dialects is not None:
        places = ", ".join("$?" for _ in query.dialects)
        filters.add(f"e.dialect IN ({places})" if places else "FALSE", *query.dialects)
    if query.event is not None:
        filters.add(
            "EXISTS (SELECT 1 FROM subscriptions s WHERE s.lane = $? AND s.endpoint_id = e.id AND s.event = $?)",
            lane,
            query.event,
        )
    if query.site_id is not None:
        filters.add("e.site_id = $?", query.site_id)
    if with_bounds and query.above is not None:
        filters.add("e.id > $?", query.above)
    if with_bounds and query.below is not None:
        filters.add("e.id < $?", query.below)
    return filters, filters.values


def _delivery_filters(query: DeliveryQuery) -> tuple[Filters, list[Any]]:
    filters = Filters()
    if query.account_id is not None:
        filters.add("lane = $? AND account_id = $?", lane_of(query.account_id), query.account_id)
    if query.endpoint_id is not None:
        filters.add("lane = $? AND endpoint_id = $?", lane_of(query.endpoint_id), query.endpoint_id)
    if query.event_id is not None:
        _add_event_filter(filters, query.event_id)
    if query.event_type is not None:
        filters.add("event_type = $?", query.event_type)
    if query.dialect is not None:
        filters.add("dialect = $?", query.dialect)
    if query.statuses is not None:
        places = ", ".join("$?" for _ in query.statuses)
        filters.add(f"status IN ({places})" if places else "FALSE", *query.statuses)
    if query.attempted is not None:
        filters.add("attempts > 0" if query.attempted else "attempts = 0")
    if query.batch_id is not None:
        filters.add("lane = $? AND batch_id = $?", lane_of(query.batch_id), query.batch_id)
    if query.one_of_a_batch:
        filters.add("(batch_id IS NULL OR batch_id = id)")
    if query.created_from is not None:
        filters.add("created_at >= $?", query.created_from)
    if query.created_to is not None:
        filters.add("created_at < $?", query.created_to)
    if query.finished_from is not None:
        filters.add("finished_at >= $?", query.finished_from)
    if query.before is not None:
        filters.add("(created_at, id) < ($?, $?)", *query.before)
    return filters, filters.values


def _add_event_filter(filters: Filters, event_id: str) -> None:
    id = _event_id(event_id)
    if id is None:
        filters.add("FALSE")
    else:
        filters.add("lane = $? AND event_id = $?", lane_of_event(id), id)


def _declared_type(row: Row) -> DeclaredType:
    return made(DeclaredType, row)


def _account(row: Row) -> Account:
    return made(Account, row)


def _site(row: Row) -> Site:
    return made(Site, row)


def _secret(row: Row) -> SigningSecret:
    return made(SigningSecret, row)


def _key(row: Row) -> Key:
    return made(Key, row, scopes=_texts(row["scopes"]), attributes=json.loads(row["attributes"]))


def _app(row: Row) -> OAuthApp:
    return made(OAuthApp, row, redirect_uris=_texts(row["redirect_uris"]))


def _code(row: Row) -> OAuthCode:
    return made(OAuthCode, row)


def _grant(row: Row) -> Grant:
    return made(Grant, row, scopes=_texts(row["scopes"]))


def _endpoint(row: Row, subscriptions: tuple[Subscription, ...]) -> Endpoint:
    return made(
        Endpoint,
        row,
        subscriptions=subscriptions,
        health=_health(row),
        retry_schedule=load_schedule(row["retry_schedule"]),
    )


def _event(row: Row) -> Event:
    return Event(
        id=str(row["id"]),
        account_id=row["account_id"],
        site_id=row["site_id"],
        type=row["type"],
        occurred_at=row["occurred_at"],
        accepted_at=row["accepted_at"],
        data=row["data"].encode(),
        idempotency_key=row["idempotency_key"],
        traceparent=row["traceparent"],
    )


def _delivery(row: Row) -> Delivery:
    return made(Delivery, row, event_id=str(row["event_id"]))


def _attempt(row: Row) -> Attempt:
    return made(Attempt, row, response_body=bytes(row["response_body"]))


def _texts(kept: str) -> tuple[Any, ...]:
    """A tuple that is kept as a JSON list."""
    return tuple(json.loads(kept))


def _dump_schedule(schedule: Sequence[int] | None) -> str | None:
    return json.dumps(list(schedule)) if schedule is not None else None


def load_schedule(text: str | None) -> tuple[int, ...] | None:
    """A retry schedule as it is kept: a JSON list of seconds."""
    return tuple(json.loads(text)) if text is not None else None
