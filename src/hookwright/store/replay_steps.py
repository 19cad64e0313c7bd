"""Replays of many deliveries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain

from hookwright.core.audit import Entry
from hookwright.core.lanes import LANE_COUNT, MAX_ID, lane_of
from hookwright.core.model import (
    Instant,
    Replay,
)
from hookwright.store.audit_steps import keep_entry
from hookwright.store.base import DeliveryQuery, Lanes
from hookwright.store.batch_steps import BatchSteps, refusal_of
from hookwright.store.delivery_steps import delivery_filters
from hookwright.store.line_steps import move_to_the_end
from hookwright.store.steps import (
    Row,
    Step,
    insert,
    made,
    reading,
    sql,
    texts,
    writing,
)


class ReplaySteps(BatchSteps):
    """Keep a replay, take its next step, end it."""

    @writing
    def add_replay(self, replay: Replay, entry: Entry | None = None) -> Step[None]:
        lane = lane_of(replay.account_id)
        yield insert("replays", lane, replay, statuses=json.dumps(replay.statuses))
        yield from keep_entry(entry)
        if replay.finished_from is not None and replay.event_type is None and "dead" in replay.statuses:
            yield sql(
                "UPDATE endpoints SET missed_since = NULL WHERE lane = $1 AND id = $2 AND missed_since >= $3",
                lane,
                replay.endpoint_id,
                replay.finished_from,
            )

    @reading
    def replay_of_many(self, account_id: int, replay_id: int) -> Step[Replay | None]:
        rows = yield sql(
            "SELECT * FROM replays WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            replay_id,
            account_id,
        )
        return _replay(rows[0]) if rows else None

    @reading
    def replays(self, account_id: int, below: int | None, limit: int) -> Step[list[Replay]]:
        rows = yield sql(
            "SELECT * FROM replays WHERE lane = $1 AND account_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
            lane_of(account_id),
            account_id,
            MAX_ID + 1 if below is None else below,
            limit,
        )
        return [_replay(row) for row in rows]

    @reading
    def running_replays(self, lanes: Lanes = None) -> Step[list[Replay]]:
        # Every lane: there are few of them, and a chore asks.
        rows = yield sql("SELECT * FROM replays WHERE status = 'running' ORDER BY id")
        return [_replay(row) for row in rows if lanes is None or row["id"] % LANE_COUNT in lanes]

    @writing
    def cancel_replay(
        self, account_id: int, replay_id: int, now: Instant, entry: Entry | None = None
    ) -> Step[Replay | None]:
        cancelled = yield sql(
            "UPDATE replays SET status = 'cancelled', finished_at = $4"
            " WHERE lane = $1 AND id = $2 AND account_id = $3 AND status = 'running' RETURNING id",
            lane_of(account_id),
            replay_id,
            account_id,
            now,
        )
        if cancelled:
            yield from keep_entry(entry)
        rows = yield sql(
            "SELECT * FROM replays WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            replay_id,
            account_id,
        )
        return _replay(rows[0]) if rows else None

    @writing
    def advance_replay(self, account_id: int, replay_id: int, limit: int, now: Instant) -> Step[int]:
        lane = lane_of(account_id)
        # Held, so that two processes never take the same step.
        rows = yield sql(
            f"SELECT * FROM replays WHERE lane = $1 AND id = $2 AND status = 'running' {self.ALONE}", lane, replay_id
        )
        if not rows:
            return 0
        where, values = delivery_filters(_replayed_by(_replay(rows[0]), now))
        place = (rows[0]["place_created_at"], rows[0]["place_id"])
        number = len(values)
        found = yield sql(
            f"SELECT id, event_id, created_at, endpoint_id, place, batch_id FROM deliveries WHERE {where}"
            f" AND (created_at, id) > (${number + 1}, ${number + 2}) ORDER BY created_at, id LIMIT ${number + 3}",
            *values,
            *place,
            limit,
        )
        if not found:
            yield sql(
                "UPDATE replays SET status = 'done', finished_at = $3 WHERE lane = $1 AND id = $2",
                lane,
                replay_id,
                now,
            )
            return 0
        together = yield from self._what_goes_together(lane, found, now)
        yield from move_to_the_end(lane, together)
        among, in_ids = self.among(3, [int(row["id"]) for row in together])
        # As in `replay`; whatever is being sent, has no payload any more or no endpoint is passed over.
        changed = yield sql(
            "UPDATE deliveries SET status = 'pending', due_at = $2, round_start = attempts, finished_at = NULL"
            f" WHERE lane = $1 AND id {among} AND status IN ('delivered', 'dead', 'cancelled')"
            " AND EXISTS (SELECT 1 FROM endpoints e WHERE e.lane = $1 AND e.id = deliveries.endpoint_id"
            " AND e.status <> 'deleted') AND EXISTS (SELECT 1 FROM payloads p WHERE p.lane = $1"
            " AND p.event_id = deliveries.event_id AND p.ordinal = deliveries.ordinal) RETURNING endpoint_id",
            lane,
            now,
            *in_ids,
        )
        yield sql(
            "UPDATE replays SET replayed = replayed + $3, place_created_at = $4, place_id = $5"
            " WHERE lane = $1 AND id = $2",
            lane,
            replay_id,
            len(changed),
            found[-1]["created_at"],
            found[-1]["id"],
        )
        yield from self.queue_up({(lane, row["endpoint_id"]): now for row in changed})
        return len(found)

    def _what_goes_together(self, lane: int, found: Sequence[Row], now: Instant) -> Step[list[Row]]:
        """These, and what went out together with them: all of a batch, or none of it if it cannot go as it was."""
        alone = [row for row in found if row["batch_id"] is None]
        batch_ids = sorted({row["batch_id"] for row in found if row["batch_id"] is not None})
        before = yield from self._members(lane, batch_ids, now)
        yield from self.hold_events(lane, (str(row["event_id"]) for row in [*alone, *before]))
        # Those with lines too, though nothing of theirs is asked here: whoever holds some must not wait for others.
        of_order = [row for row in [*alone, *before] if row["batch_id"] is not None or row["place"] is not None]
        yield from self.hold_endpoints(lane, (row["endpoint_id"] for row in of_order))
        # Once more, now that nothing of them changes or is pruned.
        batches = yield from self.members_of(lane, batch_ids, now)
        whole = [rows for rows in batches.values() if refusal_of(rows[0]["id"], rows) is None]
        return [*alone, *chain.from_iterable(whole)]

    def _members(self, lane: int, batch_ids: Sequence[int], now: Instant) -> Step[list[Row]]:
        batches = yield from self.members_of(lane, batch_ids, now)
        return list(chain.from_iterable(batches.values()))


def _replayed_by(replay: Replay, now: Instant) -> DeliveryQuery:
    return DeliveryQuery(
        account_id=replay.account_id,
        endpoint_id=replay.endpoint_id,
        event_type=replay.event_type,
        statuses=replay.statuses,
        created_from=replay.created_from,
        created_to=replay.created_to,
        finished_from=replay.finished_from,
        # What an earlier step has made due may be finished again: its batch, say, went out with the first of it.
        finished_to=replay.created_at,
        unexpired_at=now,
    )


def _replay(row: Row) -> Replay:
    return made(Replay, row, statuses=texts(row["statuses"]))
