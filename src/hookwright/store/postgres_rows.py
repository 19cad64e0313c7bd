"""Rows on their way into PostgreSQL: as columns, which `unnest` takes, and the statements that write them.

A statement about one lane names it once, as a distributed database wants it; one about many takes it as a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from hookwright.store.acceptance import DeliveryRow, EventRow, KeyRow, PayloadRow, QueueRow
from hookwright.store.queue_steps import QUEUE_UP

Rows = tuple[Any, Sequence[tuple[Any, ...]]]  # of one kind, a NamedTuple

# What the columns hold, after the lane.
_TYPES: Mapping[type, str] = {
    KeyRow: "bigint text uuid bytea bigint",
    EventRow: "uuid bigint bigint text bigint bigint text text text bigint text",
    PayloadRow: "uuid smallint bytea",
    DeliveryRow: "bigint bigint uuid text bigint text text smallint bigint bigint text bigint text int bigint bigint",
    QueueRow: "bigint bigint",
}


def given(*tables: Rows) -> tuple[bool, list[Any]]:
    """Rows by their columns, as a statement takes them; where all are of one lane, that comes first, once."""
    columns = [transposed(rows, len(kind._fields)) for kind, rows in tables]
    lanes = {lane for of_table in columns for lane in of_table[0]}
    if len(lanes) == 1:
        return True, [*lanes, *(column for of_table in columns for column in of_table[1:])]
    return False, [column for of_table in columns for column in of_table]


def rows_given(kind: type, in_one_lane: bool, before: Sequence[type] = ()) -> str:
    """The query for rows that `given` gave to a statement, behind those of the kinds before."""
    types = _TYPES[kind].split()
    place = 1 + sum(len(_TYPES[each].split()) + (not in_one_lane) for each in before) + in_one_lane
    if not in_one_lane:
        types.insert(0, "smallint")
    columns = ", ".join(f"${place + number}::{each}[]" for number, each in enumerate(types))
    return f"SELECT {'$1, ' if in_one_lane else ''}* FROM unnest({columns})"


@cache
def insertion(in_one_lane: bool, queued: bool) -> str:
    """What writes a batch, and what queues up its endpoints where something waits."""
    events = rows_given(EventRow, in_one_lane)
    payloads = rows_given(PayloadRow, in_one_lane, [EventRow])
    deliveries = rows_given(DeliveryRow, in_one_lane, [EventRow, PayloadRow])
    queues = QUEUE_UP.format(rows=rows_given(QueueRow, in_one_lane, [EventRow, PayloadRow, DeliveryRow]))
    return (
        f"WITH new_events AS (INSERT INTO events ({', '.join(EventRow._fields)}) {events}),"
        f" new_payloads AS (INSERT INTO payloads ({', '.join(PayloadRow._fields)}) {payloads})"
        f"{f', queued AS ({queues})' if queued else ''}"
        f" INSERT INTO deliveries ({', '.join(DeliveryRow._fields)}) {deliveries}"
    )


@cache
def queueing_up(in_one_lane: bool) -> str:
    """What lets endpoints queue up."""
    return QUEUE_UP.format(rows=rows_given(QueueRow, in_one_lane))


@cache
def claiming_keys(in_one_lane: bool) -> str:
    """What writes idempotency keys, but for those that are there already."""
    return (
        "INSERT INTO idempotency_keys (lane, account_id, key, event_id, fingerprint, created_at)"
        f" {rows_given(KeyRow, in_one_lane)} ON CONFLICT DO NOTHING"
    )


@cache
def looking_up_keys(in_one_lane: bool) -> str:
    """What reads the same keys, by the first three columns."""
    if in_one_lane:
        asked, lane = "unnest($2::bigint[], $3::text[]) AS u (account_id, key)", "$1"
    else:
        asked, lane = "unnest($1::smallint[], $2::bigint[], $3::text[]) AS u (lane, account_id, key)", "u.lane"
    return (
        f"SELECT k.account_id, k.key, k.event_id, k.fingerprint FROM {asked} JOIN idempotency_keys k"
        f" ON k.account_id = u.account_id AND k.key = u.key AND k.lane = {lane}"
    )


def transposed(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as columns, which `unnest` wants; no rows are `width` empty columns."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
