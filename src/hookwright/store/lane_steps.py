"""Lane leases: which worker takes the due deliveries of which lanes.

They only save work: a delivery is with one worker at a time by its own lease and fence, whoever holds its lane.
"""

from __future__ import annotations

from collections.abc import Sequence

from hookwright.core.lane_shares import LaneLease, next_turn
from hookwright.core.model import SECOND, Instant
from hookwright.store.steps import PLATFORM_LANE, Statement, Step, Steps, labels, placeholders, sql, writing

# A worker that was not seen for so long is forgotten. Much longer than any lease, so that nobody deletes the row of a
# worker that is just coming back, which could deadlock.
FORGET_WORKERS_AFTER: Instant = 60 * SECOND


class LaneSteps(Steps):
    """Share the lanes among the workers that live."""

    @writing
    def share_lanes(self, worker_id: str, now: Instant, until: Instant) -> Step[dict[int, Instant]]:
        yield sql(
            "INSERT INTO workers (lane, id, seen_until) VALUES ($1, $2, $3)"
            " ON CONFLICT (lane, id) DO UPDATE SET seen_until = excluded.seen_until",
            PLATFORM_LANE,
            worker_id,
            until,
        )
        seen = yield sql("SELECT id, seen_until FROM workers WHERE lane = $1", PLATFORM_LANE)
        for row in seen:
            if row["seen_until"] <= now - FORGET_WORKERS_AFTER:
                yield sql("DELETE FROM workers WHERE lane = $1 AND id = $2", PLATFORM_LANE, row["id"])
        # Every lane: this is the one place that looks at them all, once in a worker's turn.
        rows = yield sql("SELECT lane_index, owner, leased_until FROM lanes ORDER BY lane_index")
        leases = [LaneLease(row["lane_index"], row["owner"], row["leased_until"]) for row in rows]
        turn = next_turn(leases, [row["id"] for row in seen if row["seen_until"] > now], worker_id, now)
        for together in self.lanes_of_one_statement(turn.give_up):
            yield self._give_up(worker_id, together)
        held = {
            each.lane_index: each.leased_until or now
            for each in leases
            if each.owner == worker_id and each.lane_index in turn.lease
        }
        for together in self.lanes_of_one_statement(turn.lease):
            leased = yield self._lease(worker_id, together, now, until)
            held |= {row["lane_index"]: until for row in leased}
        return held

    @writing
    def give_up_lanes(self, worker_id: str) -> Step[None]:
        yield sql("DELETE FROM workers WHERE lane = $1 AND id = $2", PLATFORM_LANE, worker_id)
        for together in self.lanes_of_one_statement(range(self.lane_count)):
            yield self._give_up(worker_id, together)

    def _lease(self, worker_id: str, lane_indexes: Sequence[int], now: Instant, until: Instant) -> Statement:
        # A lane whose row somebody holds at this moment (ids are taken from it) is left for the next turn: waiting
        # for it while holding others could deadlock, and the lease outlasts several turns.
        lanes = f"lane IN ({placeholders(4, lane_indexes)})"
        return sql(
            f"UPDATE lanes SET owner = $1, leased_until = $2 WHERE {lanes} AND lane IN (SELECT lane FROM lanes"
            f" WHERE {lanes} AND (owner IS NULL OR owner = $1 OR leased_until <= $3) {self.SKIP_LOCKED})"
            " RETURNING lane_index",
            worker_id,
            until,
            now,
            *labels(lane_indexes),
        )

    def _give_up(self, worker_id: str, lane_indexes: Sequence[int]) -> Statement:
        # As above; at the end of a worker, the lease of a lane that is left out ends by itself.
        lanes = f"lane IN ({placeholders(2, lane_indexes)})"
        return sql(
            f"UPDATE lanes SET owner = NULL, leased_until = NULL WHERE {lanes} AND lane IN (SELECT lane FROM lanes"
            f" WHERE {lanes} AND owner = $1 {self.SKIP_LOCKED})",
            worker_id,
            *labels(lane_indexes),
        )
