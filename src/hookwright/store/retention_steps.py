"""What is old goes, in steps too small to disturb deliveries."""

from __future__ import annotations

from hookwright.core.lanes import LANES
from hookwright.core.model import Instant
from hookwright.store.steps import (
    Step,
    Steps,
    placeholders,
    sql,
    writing,
)

# What of an event keeps it: a delivery that is still to be sent, or that ended a short while ago. Without the second
# an event that waited for a disabled endpoint, or went through all of its retries, would go as its delivery dies.
KEPT_FOR = "(d.status IN ('pending', 'in_flight') OR d.finished_at >= $2)"


class RetentionSteps(Steps):
    """Delete what has been kept long enough."""

    # How far the walk through the oldest events of a lane has come, while it goes on: what was found to be kept is
    # not looked at in every step again.
    _walked_to: dict[tuple[int, str], Instant]

    @writing
    def prune_events(self, lane_index: int, before: Instant, limit: int) -> Step[int]:
        lane = LANES[lane_index]
        ids = yield from self._finished_events(lane, before, limit, "")
        if ids:
            places = placeholders(2, ids)
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
    def prune_payloads(self, lane_index: int, before: Instant, limit: int) -> Step[int]:
        lane = LANES[lane_index]
        ids = yield from self._finished_events(lane, before, limit, "AND v.data <> ''")
        if ids:
            places = placeholders(2, ids)
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

    def _finished_events(self, lane: int, before: Instant, limit: int, condition: str) -> Step[list[str]]:
        """Events, held, that were accepted and sent for the last time before then. Fewer than `limit` are the last.

        A replay holds the events of what it sends again. One that is under way is passed over here, and one that has
        just ended is seen by the second look, which begins when no other can.
        """
        walk = (lane, condition)
        rows = yield sql(
            "SELECT v.id, v.accepted_at FROM events v"
            f" WHERE v.lane = $1 AND v.accepted_at >= $4 AND v.accepted_at < $2 {condition}"
            f" AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.lane = $1 AND d.event_id = v.id AND {KEPT_FOR})"
            f" ORDER BY v.accepted_at LIMIT $3 {self.SKIP_LOCKED}",
            lane,
            before,
            limit,
            self._walked_to.pop(walk, 0),
        )
        ids = [str(row["id"]) for row in rows]
        if not ids:
            return []
        unfinished = yield sql(
            "SELECT d.event_id FROM deliveries d"
            f" WHERE d.lane = $1 AND d.event_id IN ({placeholders(3, ids)}) AND {KEPT_FOR}",
            lane,
            before,
            *ids,
        )
        kept = {str(row["event_id"]) for row in unfinished}
        finished = [id for id in ids if id not in kept]
        if len(finished) == limit:
            self._walked_to[walk] = rows[-1]["accepted_at"]
        return finished
