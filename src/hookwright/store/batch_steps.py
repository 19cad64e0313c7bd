"""Batches: what went out together goes out together again, under its id, or what is left gets another one.

A batch is named by the id of its first delivery, which names no other ever: a delivery that was in a batch stays in
one. How many it had when it was made is kept with each member, so that nobody takes a part for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from hookwright.core.batches import Member, Queued, batches_of, standing_of, why_not_again
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import SECOND, Instant, Settled
from hookwright.store.base import Lease
from hookwright.store.line_steps import IN_TURN, postpone, set_aside
from hookwright.store.queue_steps import QueueSteps
from hookwright.store.steps import Row, Step, sql

# When a batch is looked at again of which a part is still on its way.
LOOKED_AT_AGAIN_AFTER: Instant = SECOND


class BatchSteps(QueueSteps):
    """Look up what goes together, and hold it together."""

    def members_of(
        self, lane: int, ids: Sequence[int], now: Instant, column: str = "batch_id"
    ) -> Step[dict[int, list[Row]]]:
        """All members of these batches, whatever their status, in order, by batch id."""
        if not ids:
            return {}
        among, values = self.among(3, ids)
        rows = yield sql(
            "SELECT d.id, d.event_id, d.endpoint_id, d.place, d.status, d.batch_id, d.batch_size,"
            f" {IN_TURN} AS in_turn, COALESCE(d.expires_at <= $2, FALSE) AS expired, p.ordinal AS kept"
            " FROM deliveries d LEFT JOIN payloads p"
            " ON p.lane = $1 AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
            f" WHERE d.lane = $1 AND d.{column} {among} ORDER BY d.id",
            lane,
            now,
            *values,
        )
        members: dict[int, list[Row]] = {}
        for row in rows:
            members.setdefault(row[column], []).append(row)
        return members

    def hold_endpoints(self, lane: int, endpoint_ids: Iterable[int]) -> Step[None]:
        """Nobody claims, cancels or replays a batch of these endpoints before this transaction ends."""
        for endpoint_id in sorted(set(endpoint_ids)):  # in one order everywhere, so that two cannot deadlock
            yield sql(f"SELECT id FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane, endpoint_id)

    def break_off(self, lane: int, ids: Sequence[int]) -> Step[int]:
        """What is left of a batch becomes a batch of its own. Answers under which id."""
        batch_id = yield from next_id(lane)
        among, values = self.among(4, ids)
        yield sql(
            f"UPDATE deliveries SET batch_id = $2, batch_size = $3 WHERE lane = $1 AND id {among}",
            lane,
            batch_id,
            len(ids),
            *values,
        )
        return batch_id

    def known_batches(self, lane: int, due: Sequence[Row], now: Instant) -> Step[dict[int, list[int]]]:
        """What went out together before and may go again, by the ids that it goes under; the rest of it waits.

        Asked for by their batches: of one that was given back in parts, the parts may be due at different times, and
        further apart than a look sees.
        """
        known = sorted({row["batch_id"] for row in due if row["batch_id"] is not None})
        going: dict[int, list[int]] = {}
        aside: list[int] = []
        waiting: list[int] = []
        for batch_id, rows in (yield from self.members_of(lane, known, now)).items():
            members = [member_of(row) for row in rows]
            left = [member for member in members if member.can_be_sent]
            ids = [member.id for member in left]
            standing = standing_of(members, size_of(rows))
            if standing == "broken":
                batch_id = yield from self.break_off(lane, ids)
                standing = standing_of(left, len(left))
            if standing == "goes":
                going[batch_id] = ids
            else:
                (aside if standing == "aside" else waiting).extend(ids)
        if aside:
            yield set_aside(lane, *self.among(2, aside))
        if waiting:
            yield postpone(lane, now + LOOKED_AT_AGAIN_AFTER, *self.among(3, waiting))
        return going


def next_id(lane: int) -> Step[int]:
    """A new id of a lane, for a transaction that finds out in its midst that it needs one."""
    taken = yield sql(
        "UPDATE lanes SET next_counter = next_counter + 1 WHERE lane = $1 RETURNING next_counter, lane_index", lane
    )
    return int((taken[0]["next_counter"] - 1) * LANE_COUNT + taken[0]["lane_index"])


def member_of(row: Row) -> Member:
    """A member, of a row of `members_of`."""
    return Member(
        id=row["id"],
        status=row["status"],
        has_payload=row["kept"] is not None,
        has_expired=bool(row["expired"]),
        is_in_turn=bool(row["in_turn"]),
    )


def size_of(rows: Sequence[Row]) -> int:
    """How many members a batch had when it was made; of one that is older than that number, how many it has."""
    return int(rows[0]["batch_size"] or len(rows))


def refusal_of(asked: int, rows: Sequence[Row]) -> str | None:
    """Why these members of a batch cannot be sent once more, or None."""
    return why_not_again(asked, [member_of(row) for row in rows], size_of(rows))


def new_batches(due: Sequence[Row], limit: int, *, is_cut: bool) -> dict[int, list[int]]:
    """What goes out together for the first time, by the id of its first delivery."""
    in_order = sorted(due, key=lambda row: int(row["id"]))
    queued = [Queued(row["id"], row["dialect_event"], row["size"], row["expires_at"]) for row in in_order]
    batches = batches_of(queued, limit)
    if is_cut and len(batches) > 1:
        batches.pop()  # it may be cut short by the limit of the look
    return {batch[0]: batch for batch in batches}


def unbroken(settled: Sequence[Settled], ours: Set[Lease]) -> list[Settled]:
    """Those that may be written: of what went out together all, if all is still ours, or else none of it.

    With one part delivered and the other sent again, that part would be another request under the same id.
    """
    lost = {_request_of(each) for each in settled if Lease(each.claim.delivery_id, each.claim.fence) not in ours}
    return [each for each in settled if each.claim.batch_id is None or _request_of(each) not in lost]


def _request_of(settled: Settled) -> tuple[int | None, int]:
    """What goes out together is claimed together, so its members have one fence, and another when they go again."""
    return settled.claim.batch_id, settled.claim.fence
