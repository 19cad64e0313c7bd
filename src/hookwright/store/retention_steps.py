"""What is old goes, in steps too small to disturb deliveries."""

from __future__ import annotations

from hookwright.core.lanes import LANES
from hookwright.core.model import (
    Instant,
)
from hookwright.store.steps import (
    Step,
    Steps,
    placeholders,
    sql,
    writing,
)


class RetentionSteps(Steps):
    """Delete what has been kept long enough."""

    @writing
    def prune_events(self, lane_index: int, accepted_before: Instant, limit: int) -> Step[int]:
        lane = LANES[lane_index]
        ids = yield from self._finished_events(lane, accepted_before, limit, "")
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
    def prune_payloads(self, lane_index: int, accepted_before: Instant, limit: int) -> Step[int]:
        lane = LANES[lane_index]
        ids = yield from self._finished_events(lane, accepted_before, limit, "AND v.data <> ''")
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

    def _finished_events(self, lane: int, accepted_before: Instant, limit: int, condition: str) -> Step[list[str]]:
        """Old events of which nothing is still to be sent, held: those are kept, however old they are.

        A replay holds the events of what it sends again. One that is under way is passed over here, and one that has
        just ended is seen by the second look, which begins when no other can.
        """
        rows = yield sql(
            f"SELECT v.id FROM events v WHERE v.lane = $1 AND v.accepted_at < $2 {condition}"
            " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.lane = $1 AND d.event_id = v.id"
            f" AND d.status IN ('pending', 'in_flight')) ORDER BY v.accepted_at LIMIT $3 {self.SKIP_LOCKED}",
            lane,
            accepted_before,
            limit,
        )
        ids = [str(row["id"]) for row in rows]
        if not ids:
            return []
        unfinished = yield sql(
            f"SELECT event_id FROM deliveries WHERE lane = $1 AND event_id IN ({placeholders(2, ids)})"
            " AND status IN ('pending', 'in_flight')",
            lane,
            *ids,
        )
        kept = {str(row["event_id"]) for row in unfinished}
        return [id for id in ids if id not in kept]
