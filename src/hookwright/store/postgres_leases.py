"""What PostgreSQL does with deliveries that somebody holds: leases go on or are given back, outcomes are written."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from hookwright.core.lanes import lane_of
from hookwright.core.model import Settled
from hookwright.store.base import Lease
from hookwright.store.postgres_rows import transposed
from hookwright.store.queue_steps import QUEUE_UP
from hookwright.store.steps import headers_text

# Only what is in flight has a lease. It is asked for in these words because a condition on the status would let the
# planner walk the index of everything that is or was in flight instead of looking the rows up by key.
OURS = """
FROM unnest($1::smallint[], $2::bigint[], $3::int[]) AS u (lane, id, fence)
WHERE d.lane = u.lane AND d.id = u.id AND d.fence = u.fence AND d.lease_until IS NOT NULL
"""


def lease_columns(leases: Sequence[Lease]) -> tuple[list[int], list[int], list[int]]:
    """Lanes, ids and fences, for `OURS`."""
    # Rows are locked in the order of these columns: one order everywhere, since a worker renews and settles the same
    # deliveries at the same time, and two orders would deadlock.
    in_order = sorted(leases, key=attrgetter("delivery_id"))
    return (
        [lane_of(lease.delivery_id) for lease in in_order],
        [lease.delivery_id for lease in in_order],
        [lease.fence for lease in in_order],
    )


def lease_of(settled: Settled) -> Lease:
    """Under which lease it was sent."""
    return Lease(settled.claim.delivery_id, settled.claim.fence)


def settlement_columns(settled: Sequence[Settled]) -> list[list[Any]]:
    """The columns of `SETTLE`."""
    rows = [
        (
            lane_of(each.claim.delivery_id),
            each.claim.delivery_id,
            each.claim.fence,
            each.settlement.status,
            each.settlement.due_at,
            each.claim.attempt,
            each.outcome.started_at,
            each.outcome.duration_us,
            each.outcome.status_code,
            each.outcome.error,
            each.outcome.detail,
            each.outcome.body,
            each.claim.endpoint_id,
            None if each.outcome.headers is None else headers_text(each.outcome.headers),
        )
        for each in sorted(settled, key=attrgetter("claim.delivery_id"))  # see lease_columns
    ]
    return transposed(rows, 14)


# Which of these are still ours, held in the order in which everything else takes them.
HOLD = """
SELECT d.id, d.fence
FROM unnest($1::smallint[], $2::bigint[], $3::int[]) AS u (lane, id, fence)
JOIN deliveries d ON d.lane = u.lane AND d.id = u.id AND d.fence = u.fence
WHERE d.lease_until IS NOT NULL {of_d}
ORDER BY d.id
FOR UPDATE OF d
"""

# A lost claim may come in the same batch as the one that took its place, so rows are told apart by their fences.
# A retry of an endpoint that was deleted meanwhile is cancelled; one of a paused or disabled endpoint stays
# pending and is put aside by the claim that finds it due. The endpoint's status is looked up where it matters, and
# not joined: before the tables have statistics, a join may walk every delivery of the endpoint.
SETTLE = """
WITH u AS (
    SELECT o.*, o.status = 'pending' AND (
        SELECT e.status = 'deleted' FROM endpoints e WHERE e.lane = o.lane AND e.id = o.endpoint_id {of_e}
    ) AS forgotten
    FROM unnest($1::smallint[], $2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::int[], $7::bigint[],
                $8::bigint[], $9::int[], $10::text[], $11::text[], $12::bytea[], $13::bigint[], $14::text[])
    AS o (lane, id, fence, status, due_at, number, started_at, duration_us, status_code, error, detail, body,
          endpoint_id, headers)
), written AS (
    UPDATE deliveries d SET
        status = CASE WHEN u.forgotten THEN 'cancelled' ELSE u.status END,
        due_at = CASE WHEN u.forgotten THEN NULL ELSE u.due_at END,
        finished_at = CASE WHEN u.status = 'pending' AND NOT u.forgotten THEN NULL ELSE $15::bigint END,
        attempts = d.attempts + 1, lease_until = NULL, last_status_code = u.status_code, last_error = u.error
    FROM u
    WHERE d.lane = u.lane AND d.id = u.id AND d.fence = u.fence AND d.lease_until IS NOT NULL
      {of_d}
    RETURNING d.lane, d.id, d.fence, u.number, u.started_at, u.duration_us, u.status_code, u.error, u.detail, u.body,
              u.headers, d.due_at
), noted AS (
    INSERT INTO attempts (lane, delivery_id, number, started_at, duration_us, status_code, error, detail,
                          response_body, response_headers, next_attempt_at)
    SELECT lane, id, number, started_at, duration_us, status_code, error, detail, body, headers, due_at FROM written
)
SELECT id, fence FROM written
"""


# Rows of `queues` are locked last and in one order: see `queue_steps`.
_QUEUE_UP_WRITTEN = QUEUE_UP.format(
    rows="SELECT lane, endpoint_id, {due_at}::bigint FROM written GROUP BY lane, endpoint_id"
    " ORDER BY lane, endpoint_id"
)

RELEASE = f"""
WITH written AS (
    UPDATE deliveries d SET status = 'pending', due_at = $4, lease_until = NULL {OURS} {{of_d}}
    RETURNING d.lane, d.endpoint_id
)
{_QUEUE_UP_WRITTEN.format(due_at="$4")}
"""

_RESCUE_LATE = f"""
WITH written AS (
    UPDATE deliveries d SET status = 'pending', due_at = $1, lease_until = NULL
    FROM (
        SELECT lane, id FROM deliveries WHERE {{lanes}} AND status = 'in_flight' AND lease_until <= $1
        LIMIT $2 FOR UPDATE SKIP LOCKED
    ) AS late
    WHERE {{d_lane}} AND d.id = late.id
    RETURNING d.lane, d.endpoint_id
), queued AS ({_QUEUE_UP_WRITTEN.format(due_at="$1")})
SELECT lane FROM written
"""
RESCUE = _RESCUE_LATE.format(lanes="lane = ANY($3::smallint[])", d_lane="d.lane = late.lane")
RESCUE_IN_ONE_LANE = _RESCUE_LATE.format(lanes="lane = $3", d_lane="d.lane = $3")
