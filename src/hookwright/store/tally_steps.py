"""Tallies, and the two other numbers that home shows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookwright.core.lanes import lane_of
from hookwright.core.model import Instant
from hookwright.core.tallies import HOUR_SLOT, MINUTE_SLOT, Tally
from hookwright.store.search_steps import FAILED
from hookwright.store.steps import Step, Steps, made, placeholders, reading, sql, writing

# Of one statement; each row has seven values.
ROWS_AT_ONCE = 500


class TallySteps(Steps):
    """Add to tallies, read and forget them."""

    @writing
    def add_tallies(self, tallies: Sequence[Tally]) -> Step[None]:
        # In one order everywhere, so that two processes cannot deadlock.
        rows = sorted(
            (lane_of(t.account_id), t.account_id, t.slot_seconds, t.began_at, t.published, t.delivered, t.failed)
            for t in tallies
        )
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            values = ", ".join(f"({placeholders(1 + 7 * number, range(7))})" for number in range(len(some)))
            yield sql(
                "INSERT INTO tallies (lane, account_id, slot_seconds, began_at, published, delivered, failed)"
                f" VALUES {values} ON CONFLICT (lane, account_id, slot_seconds, began_at) DO UPDATE SET"
                " published = tallies.published + excluded.published,"
                " delivered = tallies.delivered + excluded.delivered, failed = tallies.failed + excluded.failed",
                *(value for row in some for value in row),
            )

    @reading
    def tallies(self, account_id: int, slot_seconds: int, began_from: Instant) -> Step[list[Tally]]:
        rows = yield sql(
            "SELECT * FROM tallies WHERE lane = $1 AND account_id = $2 AND slot_seconds = $3 AND began_at >= $4"
            " ORDER BY began_at",
            lane_of(account_id),
            account_id,
            slot_seconds,
            began_from,
        )
        return [made(Tally, row) for row in rows]

    @writing
    def prune_tallies(self, minutes_before: Instant, hours_before: Instant) -> Step[None]:
        # Every lane: a chore of one process asks.
        for slot_seconds, before in ((MINUTE_SLOT, minutes_before), (HOUR_SLOT, hours_before)):
            yield sql("DELETE FROM tallies WHERE slot_seconds = $1 AND began_at < $2", slot_seconds, before)

    @reading
    def count_failed(self, account_id: int | None, at_most: int) -> Step[int]:
        where, values = _of_account(account_id)
        rows = yield sql(
            f"SELECT COUNT(*) AS number FROM (SELECT 1 FROM deliveries d WHERE ({FAILED}){where}"
            f" LIMIT ${len(values) + 1}) AS counted",
            *values,
            at_most,
        )
        return int(rows[0]["number"])

    @reading
    def oldest_due_at(self, account_id: int | None, now: Instant) -> Step[Instant | None]:
        # Of the queues, of which there is one for each endpoint: not of all that waits in them.
        if account_id is None:
            rows = yield sql("SELECT MIN(due_at) AS oldest FROM queues WHERE due_at <= $1", now)
        else:
            rows = yield sql(
                "SELECT MIN(q.due_at) AS oldest FROM endpoints e"
                " JOIN queues q ON q.lane = $1 AND q.endpoint_id = e.id"
                " WHERE e.lane = $1 AND e.account_id = $2 AND q.due_at <= $3",
                lane_of(account_id),
                account_id,
                now,
            )
        oldest: Instant | None = rows[0]["oldest"]
        return oldest


def _of_account(account_id: int | None) -> tuple[str, list[Any]]:
    if account_id is None:
        return "", []
    return " AND d.lane = $1 AND d.account_id = $2", [lane_of(account_id), account_id]
