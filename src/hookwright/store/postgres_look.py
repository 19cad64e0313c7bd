"""How PostgreSQL is looked through for what is due: endpoints take turns, and their deliveries are claimed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hookwright.store.claim_steps import WHAT_IT_MEETS, Found, Look, found_by
from hookwright.store.matching_steps import TROUBLED
from hookwright.store.postgres_rows import transposed
from hookwright.store.queue_steps import QueueKey


class LookTexts(NamedTuple):
    """The statements of a look."""

    take_turns: str
    claim: str
    put_back: str


_FIRST_IN_LANE = """
        SELECT lane, endpoint_id, due_at FROM queues
        WHERE lane = {lane} AND due_at <= $1 AND endpoint_id <> ALL($3::bigint[]) ORDER BY due_at LIMIT $4"""

# The first of each lane, and of those the first: what is due in other processes' lanes is not even looked at.
_FIRST_IN_MANY_LANES = f"""
    SELECT first.* FROM unnest($2::smallint[]) AS own (lane)
    CROSS JOIN LATERAL ({_FIRST_IN_LANE.format(lane="own.lane")}
    ) AS first ORDER BY first.due_at LIMIT $4"""

_TAKE_TURNS = """
SELECT q.lane, q.endpoint_id, {meets} AS meets
FROM ({first}) AS first
JOIN queues q ON q.lane = {lane} AND q.endpoint_id = first.endpoint_id
JOIN endpoints e ON e.lane = {lane} AND e.id = q.endpoint_id
WHERE q.due_at <= $1
FOR UPDATE OF q SKIP LOCKED
"""

# What stands in line is left to whoever holds the endpoint's row. No CTE is joined to another: without statistics
# that would be a nested loop over both.
_CLAIM = (
    """
WITH due AS (
    SELECT d.lane, d.id, d.due_at, COALESCE(d.expires_at <= $1, FALSE) AS expired,
           e.url, e.retry_schedule, e.sealed_headers, e.signature,
           """
    + TROUBLED
    + """ AS troubled
    FROM {shares}
    JOIN endpoints e ON e.lane = {u_lane} AND e.id = u.endpoint_id
    CROSS JOIN LATERAL (
        SELECT lane, id, due_at, expires_at FROM deliveries f
        WHERE f.lane = {u_lane} AND f.endpoint_id = u.endpoint_id AND f.status = 'pending' AND f.due_at <= $1
          AND f.place IS NULL
        ORDER BY f.due_at LIMIT u.share FOR UPDATE SKIP LOCKED
    ) AS d
), looked_at AS (
    UPDATE deliveries d SET
        status = CASE WHEN due.expired THEN 'pending' ELSE 'in_flight' END,
        fence = CASE WHEN due.expired THEN d.fence ELSE d.fence + 1 END,
        lease_until = CASE WHEN due.expired THEN NULL ELSE $2::bigint END,
        due_at = NULL
    FROM due
    WHERE d.lane = {due_lane} AND d.id = due.id
    RETURNING d.lane, d.id, d.fence, d.account_id, d.event_id, d.event_type, d.endpoint_id, d.dialect,
              d.dialect_event, d.ordinal, d.attempts, d.round_start, d.batch_id, d.created_at, due.due_at AS was_due,
              d.line, due.expired, due.url, due.retry_schedule, due.sealed_headers, due.signature,
              due.troubled
)
SELECT l.*, p.body, v.occurred_at, v.traceparent
FROM looked_at l
LEFT JOIN payloads p ON p.lane = {l_lane} AND p.event_id = l.event_id AND p.ordinal = l.ordinal
LEFT JOIN events v ON v.lane = {l_lane} AND v.id = l.event_id
ORDER BY l.was_due, l.id
"""
)

# An endpoint that is not active leaves the queue, however much waits for it: its activation brings it back. A deleted
# one stays until all is cancelled.
_PUT_BACK = """
WITH next AS MATERIALIZED (
    SELECT {u_lane} AS lane, u.endpoint_id, CASE e.status WHEN 'active' THEN (
        SELECT MIN(d.due_at) FROM deliveries d
        WHERE d.lane = {u_lane} AND d.endpoint_id = u.endpoint_id AND d.status = 'pending' AND d.due_at IS NOT NULL
    ) END AS due_at
    FROM {served}
    JOIN endpoints e ON e.lane = {u_lane} AND e.id = u.endpoint_id AND e.status <> 'deleted'
), gone AS (
    DELETE FROM queues q USING next n WHERE q.lane = {n_lane} AND q.endpoint_id = n.endpoint_id AND n.due_at IS NULL
)
UPDATE queues q SET due_at = GREATEST(n.due_at, $1)
FROM next n WHERE q.lane = {n_lane} AND q.endpoint_id = n.endpoint_id AND n.due_at IS NOT NULL
"""

IN_MANY_LANES = LookTexts(
    _TAKE_TURNS.format(first=_FIRST_IN_MANY_LANES, lane="first.lane", meets=WHAT_IT_MEETS.format(lane="e.lane")),
    _CLAIM.format(
        shares="unnest($3::smallint[], $4::bigint[], $5::int[]) AS u (lane, endpoint_id, share)",
        u_lane="u.lane",
        due_lane="due.lane",
        l_lane="l.lane",
    ),
    _PUT_BACK.format(
        served="unnest($2::smallint[], $3::bigint[]) AS u (lane, endpoint_id)", u_lane="u.lane", n_lane="n.lane"
    ),
)
IN_ONE_LANE = LookTexts(
    _TAKE_TURNS.format(first=_FIRST_IN_LANE.format(lane="$2"), lane="$2", meets=WHAT_IT_MEETS.format(lane="$2")),
    _CLAIM.format(
        shares="unnest($4::bigint[], $5::int[]) AS u (endpoint_id, share)", u_lane="$3", due_lane="$3", l_lane="$3"
    ),
    _PUT_BACK.format(served="unnest($3::bigint[]) AS u (endpoint_id)", u_lane="$2", n_lane="$2"),
)


async def take_look(db: Any, look: Look, lanes: Sequence[int]) -> Found:
    """Serve the first endpoints of some lanes. Three statements, since each sees what was committed before it began.

    So the last two see whatever was made due before the rows of `queues` were locked. See `queue_steps`, also for why
    none of them waits.
    """
    is_one = len(lanes) == 1
    texts = IN_ONE_LANE if is_one else IN_MANY_LANES
    met = await db.fetch(texts.take_turns, look.now, lanes[0] if is_one else lanes, look.left_out, look.limit)
    shares = look.shares(met)
    free = [(*_key_of(row), share) for row, share in zip(met, shares, strict=True) if row["meets"] == "active"]
    taken: Sequence[Any] = ()
    if free:
        of_lanes, ids, most = transposed(free, 3)
        taken = await db.fetch(texts.claim, look.now, look.lease_until, lanes[0] if is_one else of_lanes, ids, most)
    if served := [_key_of(row) for row in met if row["meets"] not in ("guarded", "deleted")]:
        of_lanes, ids = transposed(served, 2)
        await db.execute(texts.put_back, look.now, lanes[0] if is_one else of_lanes, ids)
    return found_by(look, met, taken)


def _key_of(row: Any) -> QueueKey:
    return row["lane"], row["endpoint_id"]
