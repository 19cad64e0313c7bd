"""Endpoints, what they subscribe to, and the secrets that they sign with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec import UNSET, structs

from hookwright.core.audit import Entry
from hookwright.core.errors import Unavailable
from hookwright.core.health import TOLD_PERCENT
from hookwright.core.lanes import lane_of
from hookwright.core.listening import LISTENER_SCHEME
from hookwright.core.model import (
    Endpoint,
    EndpointChange,
    EndpointStatus,
    Health,
    Instant,
    SigningSecret,
    Subscription,
)
from hookwright.store.audit_steps import keep_entry
from hookwright.store.base import EndpointQuery
from hookwright.store.matching_steps import note_change
from hookwright.store.queue_steps import QueueSteps
from hookwright.store.steps import (
    BATCH,
    Filters,
    Row,
    Statement,
    Step,
    dump_schedule,
    insert,
    load_schedule,
    made,
    placeholders,
    reading,
    sql,
    writing,
)


class EndpointSteps(QueueSteps):
    """Keep, change, list and delete endpoints."""

    @writing
    def add_endpoint(
        self, endpoint: Endpoint, secret: SigningSecret | None = None, entry: Entry | None = None
    ) -> Step[None]:
        yield note_change(lane_of(endpoint.account_id), endpoint.account_id)
        yield insert(
            "endpoints",
            lane_of(endpoint.account_id),
            endpoint,
            retry_schedule=dump_schedule(endpoint.retry_schedule),
            leave_out=("subscriptions", "health"),
        )
        yield from _subscribe(endpoint, endpoint.subscriptions)
        if secret is not None:
            yield insert_secret(secret)
        yield from keep_entry(entry)

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
        return (yield from _with_subscriptions(lane_of(query.account_id), rows))

    @reading
    def endpoints_by_id(self, endpoint_ids: Sequence[int]) -> Step[dict[int, Endpoint]]:
        if not endpoint_ids:
            return {}
        # Joined to a list: of `(lane, id) IN (…)` PostgreSQL would make a condition that no index serves.
        wanted = ", ".join(
            f"(CAST(${2 * place + 1} AS smallint), CAST(${2 * place + 2} AS bigint))"
            for place in range(len(endpoint_ids))
        )
        rows = yield sql(
            f"WITH wanted (lane, id) AS (VALUES {wanted})"
            " SELECT e.* FROM wanted w JOIN endpoints e ON e.lane = w.lane AND e.id = w.id",
            *(value for id in endpoint_ids for value in (lane_of(id), id)),
        )
        return {row["id"]: endpoint_of_row(row, ()) for row in rows}

    @reading
    def endpoints_in_trouble(self, account_id: int | None, limit: int) -> Step[list[Endpoint]]:
        # Of all accounts this reads every lane, but only the few rows of an index that holds nothing else.
        where, values = ("", []) if account_id is None else (" AND lane = $2 AND account_id = $3", [account_id])
        rows = yield sql(
            "SELECT * FROM endpoints WHERE (failing_since IS NOT NULL OR missed_since IS NOT NULL"
            f" OR status = 'disabled') AND status <> 'deleted'{where} LIMIT $1",
            limit,
            *(value for id in values for value in (lane_of(id), id)),
        )
        return [endpoint_of_row(row, ()) for row in rows]

    @reading
    def count_endpoints(self, query: EndpointQuery) -> Step[int]:
        where, values = _endpoint_filters(query, with_bounds=False)
        rows = yield sql(f"SELECT COUNT(*) AS number FROM endpoints e WHERE {where}", *values)
        return int(rows[0]["number"])

    @writing
    def set_endpoint_status(
        self,
        account_id: int,
        endpoint_id: int,
        status: EndpointStatus,
        reason: str | None,
        now: Instant,
        entry: Entry | None = None,
    ) -> Step[Endpoint | None]:
        changed = yield sql(
            "UPDATE endpoints SET status = $4, status_reason = $5, status_changed_at = $6, updated_at = $6,"
            # Whatever the new status, a person has looked: the endpoint's troubles begin anew. What it missed is
            # remembered until it is replayed.
            " missed_since = COALESCE(missed_since, failing_since,"
            " CASE WHEN $4 = 'disabled' THEN CAST($6 AS bigint) END),"
            " warned_percent = CASE WHEN status = 'disabled' AND status_reason IN ('failing', 'gone') THEN"
            f" {TOLD_PERCENT} ELSE 0 END,"
            " failing_since = NULL, failed_at = NULL, failures = 0, breaker_open_until = NULL, probing = FALSE"
            " WHERE lane = $1 AND id = $2 AND account_id = $3 AND status <> 'deleted' RETURNING id",
            lane_of(account_id),
            endpoint_id,
            account_id,
            status,
            reason,
            now,
        )
        if changed:
            yield from keep_entry(entry)
        if changed and status == "active":
            # A look that still sees the old status may be about to take the endpoint out of the queue. It holds the
            # row, so we come after it.
            yield from self.queue_up({(lane_of(account_id), endpoint_id): now})
        return (yield from _endpoint_of(account_id, endpoint_id))

    @writing
    def change_endpoint(
        self, account_id: int, endpoint_id: int, change: EndpointChange, now: Instant, entry: Entry | None = None
    ) -> Step[Endpoint | None]:
        if change.subscriptions is not UNSET:
            yield note_change(lane_of(account_id), account_id)
        # The row is held, so that of two changes at once neither is lost.
        yield sql(
            f"SELECT id FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane_of(account_id), endpoint_id
        )
        endpoint = yield from _endpoint_of(account_id, endpoint_id)
        if endpoint is None:
            return None
        yield from keep_entry(entry)
        changed = changed_endpoint(endpoint, change, now)
        yield sql(
            "UPDATE endpoints SET url = $4, name = $5, description = $6, sealed_headers = $7, signature = $8,"
            " retry_schedule = $9, max_in_flight = $10, rate_per_second = $11, ordering = $12, updated_at = $13"
            " WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            endpoint_id,
            account_id,
            changed.url,
            changed.name,
            changed.description,
            changed.sealed_headers,
            changed.signature,
            dump_schedule(changed.retry_schedule),
            changed.max_in_flight,
            changed.rate_per_second,
            changed.ordering,
            now,
        )
        if changed.subscriptions != endpoint.subscriptions:
            yield sql(
                "DELETE FROM subscriptions WHERE lane = $1 AND endpoint_id = $2", lane_of(account_id), endpoint_id
            )
            yield from _subscribe(changed, changed.subscriptions)
        return (yield from _endpoint_of(account_id, endpoint_id))

    async def delete_endpoint(
        self, account_id: int, endpoint_id: int, now: Instant, entry: Entry | None = None
    ) -> bool:
        """See Store. Two steps: from the first on nothing is sent; the second tidies up, in batches."""
        endpoint_ids = await self._forget_endpoint(account_id, endpoint_id, now, entry)
        await self._cancel_waiting(account_id, endpoint_ids, now)
        return bool(endpoint_ids)

    @writing
    def _forget_endpoint(
        self, account_id: int, endpoint_id: int, now: Instant, entry: Entry | None
    ) -> Step[list[int]]:
        lane = lane_of(account_id)
        yield note_change(lane, account_id)
        deleted = yield sql(
            "UPDATE endpoints SET status = 'deleted', status_changed_at = $4, updated_at = $4"
            " WHERE lane = $1 AND id = $2 AND account_id = $3 AND status <> 'deleted' RETURNING id",
            lane,
            endpoint_id,
            account_id,
            now,
        )
        if deleted:
            yield from keep_entry(entry)
        return (yield from self.after_deletion(lane, deleted, now))

    async def _cancel_waiting(self, account_id: int, endpoint_ids: Sequence[int], now: Instant) -> None:
        # The deletion is on disk. What an outage leaves here, looks cancel.
        with suppress(Unavailable):
            for endpoint_id in endpoint_ids:
                while await self._cancel_some(account_id, endpoint_id, now) == BATCH:
                    pass

    @writing
    def _cancel_some(self, account_id: int, endpoint_id: int, now: Instant) -> Step[int]:
        return (yield from self.cancel_some(lane_of(account_id), endpoint_id, now))

    def after_deletion(self, lane: int, deleted: Sequence[Row], now: Instant) -> Step[list[int]]:
        """What goes with deleted endpoints in the same transaction; answers their ids.

        They queue up once more, so that a look cancels what waits for them, whatever becomes of the rest.
        """
        ids = [int(row["id"]) for row in deleted]
        for id in ids:
            yield sql("DELETE FROM subscriptions WHERE lane = $1 AND endpoint_id = $2", lane, id)
            yield sql("DELETE FROM listeners WHERE lane = $1 AND endpoint_id = $2", lane, id)
        yield from self.queue_up({(lane, id): now for id in ids})
        return ids


def insert_secret(secret: SigningSecret) -> Statement:
    return insert("signing_secrets", lane_of(secret.account_id), secret)


def live_secrets(account_id: int, endpoint_id: int | None, now: Instant) -> Statement:
    # Two texts rather than one of both: an account may have a secret for each of thousands of endpoints, and only
    # these conditions find theirs by the index.
    owner, ids = ("endpoint_id IS NULL", ()) if endpoint_id is None else ("endpoint_id = $4", (endpoint_id,))
    return _live_secrets(account_id, owner, ids, now)


def live_secrets_of(account_id: int, among: str, endpoint_ids: Sequence[Any], now: Instant) -> Statement:
    """Those of many endpoints; `among` is the condition for `endpoint_ids`, from the placeholder $4 on."""
    return _live_secrets(account_id, f"endpoint_id {among}", endpoint_ids, now)


def _live_secrets(account_id: int, owners: str, endpoint_ids: Sequence[Any], now: Instant) -> Statement:
    return sql(
        f"SELECT * FROM signing_secrets WHERE lane = $1 AND account_id = $2 AND {owners}"
        " AND (expires_at IS NULL OR expires_at > $3) ORDER BY created_at DESC, id DESC",
        lane_of(account_id),
        account_id,
        now,
        *endpoint_ids,
    )


def _endpoint_of(account_id: int, endpoint_id: int) -> Step[Endpoint | None]:
    rows = yield sql(
        "SELECT * FROM endpoints WHERE lane = $1 AND id = $2 AND account_id = $3 AND status <> 'deleted'",
        lane_of(account_id),
        endpoint_id,
        account_id,
    )
    found = yield from _with_subscriptions(lane_of(account_id), rows)
    return found[0] if found else None


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


def _with_subscriptions(lane: int, rows: Sequence[Row]) -> Step[list[Endpoint]]:
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    found = yield sql(
        "SELECT endpoint_id, event, resource FROM subscriptions"
        f" WHERE lane = $1 AND endpoint_id IN ({placeholders(2, ids)})",
        lane,
        *ids,
    )
    wanted: dict[int, list[Subscription]] = {}
    # Sorted here: databases differ in how they order text.
    for endpoint_id, event, resource in sorted(
        (each["endpoint_id"], each["event"], each["resource"]) for each in found
    ):
        wanted.setdefault(endpoint_id, []).append(Subscription(event, resource))
    return [endpoint_of_row(row, tuple(wanted.get(row["id"], ()))) for row in rows]


def _endpoint_filters(query: EndpointQuery, *, with_bounds: bool) -> tuple[Filters, list[Any]]:
    filters = Filters()
    lane = lane_of(query.account_id)
    filters.add("e.lane = $? AND e.account_id = $? AND e.status <> 'deleted'", lane, query.account_id)
    if query.dialects is not None:
        filters.add_one_of("e.dialect", query.dialects)
    if query.event is not None:
        filters.add(
            "EXISTS (SELECT 1 FROM subscriptions s WHERE s.lane = $? AND s.endpoint_id = e.id AND s.event = $?)",
            lane,
            query.event,
        )
    if query.site_id is not None:
        filters.add("e.site_id = $?", query.site_id)
    if query.app_id is not None:
        filters.add("e.app_id = $?", query.app_id)
    if query.statuses is not None:
        filters.add_one_of("e.status", query.statuses)
    if not query.listeners:
        filters.add("e.url NOT LIKE $?", f"{LISTENER_SCHEME}%")
    if with_bounds and query.above is not None:
        filters.add("e.id > $?", query.above)
    if with_bounds and query.below is not None:
        filters.add("e.id < $?", query.below)
    return filters, filters.values


def endpoint_of_row(row: Row, subscriptions: tuple[Subscription, ...]) -> Endpoint:
    """An endpoint from its row and from what it subscribes to, which is in rows of its own."""
    return made(
        Endpoint,
        row,
        subscriptions=subscriptions,
        health=health_of(row),
        retry_schedule=load_schedule(row["retry_schedule"]),
    )


def health_of(row: Row) -> Health:
    return made(Health, row, probing=bool(row["probing"]))
