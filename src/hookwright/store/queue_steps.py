"""Queues: a row for each endpoint that has something to send, so that work is taken endpoint by endpoint.

What must hold: an active endpoint with a pending delivery that has a due time has a row that is due no later than the
earliest of them, or than the last look, or than the time at which its breaker lets something through. It may be due
earlier: the look that finds nothing corrects it. Whoever makes a delivery pending and due lets its endpoint queue up,
in the same transaction. So does whoever closes a breaker or activates an endpoint, and whoever deletes one, since
what waits for it is still to be cancelled.

A breaker puts off its endpoint's turn and no delivery: however much waits, opening and closing it costs one row, and
each retry keeps its own time, so that none comes early when the breaker closes.

The order of locks. A transaction takes its locks on accounts, endpoints, deliveries and lanes first and on rows of
`queues` last, in one statement, ordered by lane and endpoint. A look has it the other way round: it holds rows of
`queues` while it claims. So a look waits for nobody: it skips every row that another transaction has locked, be it of
`queues` or of `deliveries`, and locks none of any other table. What waits for a look therefore never waits long, and
no circle can close through it.

A row is put back by what is left in a statement of its own, after the row was locked: whoever makes something due
holds the row until it commits, so that statement sees it, or else it comes after the look and queues up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hookwright.core.model import Instant
from hookwright.store.steps import BATCH, Statement, Step, Steps, sql

# Lane and id.
QueueKey = tuple[int, int]

# In this order everywhere, so that two transactions cannot deadlock. A row that is due early enough is only locked:
# the look that holds it must be over, or see what is new.
QUEUE_UP = (
    "INSERT INTO queues (lane, endpoint_id, due_at) {rows} ON CONFLICT (lane, endpoint_id)"
    " DO UPDATE SET due_at = excluded.due_at WHERE queues.due_at > excluded.due_at"
)


class QueueSteps(Steps):
    """Let endpoints queue up, and put them back by what is left to do."""

    def queue_up(self, turns: Mapping[QueueKey, Instant]) -> Step[None]:
        """Endpoints have something due at these times. The last thing of a transaction: see the module."""
        for (lane, endpoint_id), due_at in sorted(turns.items()):
            yield sql(QUEUE_UP.format(rows="VALUES ($1, $2, $3)"), lane, endpoint_id, due_at)

    def put_back(self, lane: int, endpoint_id: int, not_before: Instant) -> Step[None]:
        """An endpoint had its turn: the next is when the next of its deliveries is due, and not before a time.

        That is now, behind all who wait, or else when its breaker lets something through.
        """
        # May be waited for: what else this transaction needed, it has.
        yield sql(f"SELECT due_at FROM queues WHERE lane = $1 AND endpoint_id = $2 {self.ALONE}", lane, endpoint_id)
        rows = yield sql(
            "SELECT MIN(due_at) AS due_at FROM deliveries"
            " WHERE lane = $1 AND endpoint_id = $2 AND status = 'pending' AND due_at IS NOT NULL",
            lane,
            endpoint_id,
        )
        earliest = rows[0]["due_at"]
        yield (
            _leave(lane, endpoint_id)
            if earliest is None
            else _next_turn(lane, endpoint_id, max(earliest, not_before))
        )

    # What a transaction holds at this moment is skipped, since waiting for it here could deadlock. The row stays
    # until nothing waits any more, so a later look cancels it.
    def cancel_some(self, lane: int, endpoint_id: int, now: Instant) -> Step[int]:
        """Cancel what waits for a deleted endpoint, up to a batch. Answers how many."""
        cancelled = yield sql(
            "UPDATE deliveries SET status = 'cancelled', due_at = NULL, finished_at = $3"
            " WHERE lane = $1 AND id IN (SELECT id FROM deliveries WHERE lane = $1 AND endpoint_id = $2"
            f" AND status = 'pending' LIMIT {BATCH} {self.SKIP_LOCKED}) RETURNING id",
            lane,
            endpoint_id,
            now,
        )
        if len(cancelled) < BATCH:
            yield sql(
                f"SELECT due_at FROM queues WHERE lane = $1 AND endpoint_id = $2 {self.ALONE}", lane, endpoint_id
            )
            yield sql(
                "DELETE FROM queues WHERE lane = $1 AND endpoint_id = $2 AND NOT EXISTS (SELECT 1 FROM deliveries d"
                " WHERE d.lane = $1 AND d.endpoint_id = $2 AND d.status = 'pending')",
                lane,
                endpoint_id,
            )
        return len(cancelled)


def earliest_of(pairs: Sequence[tuple[QueueKey, Instant]]) -> dict[QueueKey, Instant]:
    """When each endpoint's turn is: at the earliest of its times."""
    turns: dict[QueueKey, Instant] = {}
    for key, due_at in pairs:
        turns[key] = min(due_at, turns.get(key, due_at))
    return turns


def _leave(lane: int, endpoint_id: int) -> Statement:
    return sql("DELETE FROM queues WHERE lane = $1 AND endpoint_id = $2", lane, endpoint_id)


def _next_turn(lane: int, endpoint_id: int, due_at: Instant) -> Statement:
    return sql("UPDATE queues SET due_at = $3 WHERE lane = $1 AND endpoint_id = $2", lane, endpoint_id, due_at)
