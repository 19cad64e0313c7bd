"""Event types, events, deliveries and their attempts: look them up, list them, replay one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hookwright.core.audit import Entry
from hookwright.core.errors import Conflict
from hookwright.core.lanes import lane_of, lane_of_event
from hookwright.core.model import (
    Attempt,
    DeclaredType,
    Delivery,
    Event,
    Instant,
)
from hookwright.store.audit_steps import keep_entry
from hookwright.store.base import DeliveryQuery
from hookwright.store.batch_steps import BatchSteps, refusal_of
from hookwright.store.line_steps import (
    ENDPOINT_OPENS_AT,
    delivery_of,
    move_to_the_end,
    next_in_line,
    shown_delivery_of,
)
from hookwright.store.steps import (
    PLATFORM_LANE,
    Filters,
    Row,
    Step,
    headers_of,
    made,
    placeholders,
    reading,
    sql,
    writing,
)


class DeliverySteps(BatchSteps):
    """Look-ups and lists, and the replay of one delivery."""

    @writing
    def put_event_type(self, declared: DeclaredType, entry: Entry | None = None) -> Step[None]:
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
        yield from keep_entry(entry)

    @reading
    def event_types(self) -> Step[list[DeclaredType]]:
        rows = yield sql("SELECT * FROM event_types WHERE lane = $1", PLATFORM_LANE)
        return sorted((_declared_type(row) for row in rows), key=lambda declared: declared.name)

    @writing
    def delete_event_type(self, name: str, entry: Entry | None = None) -> Step[bool]:
        found = yield sql("DELETE FROM event_types WHERE lane = $1 AND name = $2 RETURNING name", PLATFORM_LANE, name)
        if found:
            yield from keep_entry(entry)
        return bool(found)

    @reading
    def event(self, event_id: str) -> Step[Event | None]:
        id = _event_id(event_id)
        if id is None:
            return None
        rows = yield sql("SELECT * FROM events WHERE lane = $1 AND id = $2", lane_of_event(id), id)
        return _event(rows[0]) if rows else None

    @reading
    def event_ids_of_key(self, account_ids: Sequence[int], idempotency_key: str) -> Step[list[str]]:
        if not account_ids:
            return []
        asked = ", ".join(
            f"(CAST(${2 * place + 2} AS smallint), CAST(${2 * place + 3} AS bigint))"
            for place in range(len(account_ids))
        )
        rows = yield sql(
            f"WITH asked (lane, account_id) AS (VALUES {asked}) SELECT k.event_id FROM asked a"
            " JOIN idempotency_keys k ON k.lane = a.lane AND k.account_id = a.account_id AND k.key = $1",
            idempotency_key,
            *(value for id in account_ids for value in (lane_of(id), id)),
        )
        return [str(row["event_id"]) for row in rows]

    @reading
    def delivery(self, delivery_id: int) -> Step[Delivery | None]:
        return (yield from _delivery(delivery_id))

    @reading
    def deliveries(self, query: DeliveryQuery) -> Step[list[Delivery]]:
        where, values = delivery_filters(query)
        order = "ASC" if query.ascending else "DESC"
        rows = yield sql(
            f"SELECT *, {ENDPOINT_OPENS_AT.format('deliveries')} FROM deliveries"
            f" WHERE {where} ORDER BY created_at {order}, id {order}"
            f" LIMIT ${len(values) + 1}",
            *values,
            query.limit,
        )
        return [shown_delivery_of(row) for row in rows]

    @reading
    def count_deliveries(self, query: DeliveryQuery, at_most: int) -> Step[int]:
        where, values = delivery_filters(query)
        rows = yield sql(
            "SELECT COUNT(*) AS number FROM"
            f" (SELECT 1 FROM deliveries WHERE {where} LIMIT ${len(values) + 1}) AS counted",
            *values,
            at_most,
        )
        return int(rows[0]["number"])

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

    @reading
    def payloads_of(self, deliveries: Sequence[Delivery]) -> Step[dict[int, bytes]]:
        if not deliveries:
            return {}
        event_ids = list(dict.fromkeys(delivery.event_id for delivery in deliveries))
        # Not through the deliveries: for many ids PostgreSQL may walk an index of everything in their lane.
        rows = yield sql(
            "SELECT event_id, ordinal, body FROM payloads"
            f" WHERE lane = $1 AND event_id IN ({placeholders(2, event_ids)})",
            lane_of(deliveries[0].id),
            *event_ids,
        )
        bodies = {(str(row["event_id"]), row["ordinal"]): bytes(row["body"]) for row in rows}
        keys = {delivery.id: (delivery.event_id, delivery.ordinal) for delivery in deliveries}
        return {id: bodies[key] for id, key in keys.items() if key in bodies}

    @writing
    def replay(self, delivery_id: int, now: Instant) -> Step[Delivery | None]:
        lane = lane_of(delivery_id)
        rows = yield sql("SELECT * FROM deliveries WHERE lane = $1 AND id = $2", lane, delivery_id)
        if not rows:
            return None
        # What went out together goes out together again.
        column, id = ("id", delivery_id) if rows[0]["batch_id"] is None else ("batch_id", rows[0]["batch_id"])
        together = yield sql(f"SELECT event_id FROM deliveries WHERE lane = $1 AND {column} = $2", lane, id)
        yield from self.hold_events(lane, (str(row["event_id"]) for row in together))
        yield from self.hold_endpoints(lane, [rows[0]["endpoint_id"]])
        members = (yield from self.members_of(lane, [id], now, column)).get(id)
        if not members:
            return None
        if refusal := refusal_of(delivery_id, members):
            raise Conflict(refusal)
        yield from move_to_the_end(lane, members)
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
                yield from self.queue_up({(lane, row["endpoint_id"]): now})
                return (yield from _delivery(delivery_id))
        raise Conflict(f"the endpoint of delivery {delivery_id} is deleted")

    @writing
    def cancel(self, delivery_id: int, now: Instant) -> Step[Delivery | None]:
        lane = lane_of(delivery_id)
        rows = yield sql("SELECT * FROM deliveries WHERE lane = $1 AND id = $2", lane, delivery_id)
        if not rows:
            return None
        # Held for the sake of those behind it: see `line_steps`.
        yield from self.hold_endpoints(lane, [rows[0]["endpoint_id"]])
        cancelled = yield sql(
            "UPDATE deliveries SET status = 'cancelled', due_at = NULL, finished_at = $3"
            " WHERE lane = $1 AND (id = $2 OR batch_id = $4) AND status = 'pending' RETURNING *",
            lane,
            delivery_id,
            now,
            # What goes out together stays together: another body under the same id would be another message.
            rows[0]["batch_id"],
        )
        if delivery_id not in {row["id"] for row in cancelled}:
            raise Conflict(f"delivery {delivery_id} is not waiting to be sent")
        under_way = yield sql(
            "SELECT id FROM deliveries WHERE lane = $1 AND batch_id = $2 AND status = 'in_flight' LIMIT 1",
            lane,
            rows[0]["batch_id"],
        )
        if under_way:
            raise Conflict(f"a part of what goes out with delivery {delivery_id} is being sent at this moment")
        if (yield from next_in_line(lane, rows[0]["endpoint_id"], [rows[0]["line"]], now)):
            yield from self.queue_up({(lane, rows[0]["endpoint_id"]): now})
        return next(delivery_of(row) for row in cancelled if row["id"] == delivery_id)


def _delivery(delivery_id: int) -> Step[Delivery | None]:
    rows = yield sql(
        f"SELECT *, {ENDPOINT_OPENS_AT.format('deliveries')} FROM deliveries WHERE lane = $1 AND id = $2",
        lane_of(delivery_id),
        delivery_id,
    )
    return shown_delivery_of(rows[0]) if rows else None


def _event_id(text: str) -> str | None:
    """An event id in the form that it is kept in, or None when it is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def delivery_filters(query: DeliveryQuery) -> tuple[Filters, list[Any]]:
    filters = Filters()
    if query.account_id is not None:
        filters.add("lane = $? AND account_id = $?", lane_of(query.account_id), query.account_id)
    if query.endpoint_id is not None:
        filters.add("lane = $? AND endpoint_id = $?", lane_of(query.endpoint_id), query.endpoint_id)
    if query.event_id is not None:
        _add_event_filter(filters, query.event_id)
    if query.event_type is not None:
        filters.add_type("event_type", query.event_type)
    if query.dialect is not None:
        filters.add("dialect = $?", query.dialect)
    if query.statuses is not None:
        filters.add_one_of("status", query.statuses)
    if query.attempted is not None:
        filters.add("attempts > 0" if query.attempted else "attempts = 0")
    if query.batch_id is not None:
        filters.add("lane = $? AND batch_id = $?", lane_of(query.batch_id), query.batch_id)
    if query.one_of_a_batch:
        # Not the one that has the batch's id: it may not be kept any more, or be in another batch since.
        filters.add(
            "(batch_id IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries mate WHERE mate.lane = deliveries.lane"
            " AND mate.batch_id = deliveries.batch_id AND mate.id < deliveries.id))"
        )
    if query.created_from is not None:
        filters.add("created_at >= $?", query.created_from)
    if query.created_to is not None:
        filters.add("created_at < $?", query.created_to)
    if query.finished_from is not None:
        filters.add("finished_at >= $?", query.finished_from)
    if query.finished_to is not None:
        filters.add("finished_at <= $?", query.finished_to)
    if query.unexpired_at is not None:
        filters.add("(expires_at IS NULL OR expires_at > $?)", query.unexpired_at)
    if query.before is not None:
        filters.add("(created_at, id) < ($?, $?)", *query.before)
    if query.after is not None:
        filters.add("(created_at, id) > ($?, $?)", *query.after)
    return filters, filters.values


def _add_event_filter(filters: Filters, event_id: str) -> None:
    id = _event_id(event_id)
    if id is None:
        filters.add("FALSE")
    else:
        filters.add("lane = $? AND event_id = $?", lane_of_event(id), id)


def _declared_type(row: Row) -> DeclaredType:
    return made(DeclaredType, row)


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
        expires_at=row["expires_at"],
        ordering_key=row["ordering_key"],
        traceparent=row["traceparent"],
    )


def _attempt(row: Row) -> Attempt:
    return made(
        Attempt, row, response_body=bytes(row["response_body"]), response_headers=headers_of(row["response_headers"])
    )
