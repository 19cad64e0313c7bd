"""The door: concurrent publishes of a lane share one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Accepted, Claim, Draft
from hookwright.engine.batching import Batcher
from hookwright.store.base import NO_ROOM, Room, Store
from hookwright.telemetry.metrics import Metrics

Answers = list[Accepted | Conflict]


class SendsAtOnce(Protocol):
    """A worker of this process: it may send what is accepted without looking for it in the store."""

    def reserve(self) -> Room:
        """Set aside all the room there is."""
        ...

    async def begin(self, claims: Sequence[Claim], room: Room) -> None:
        """Send these; the rest of the room that was reserved is free again."""
        ...


class NobodySends:
    """No worker in this process: everything that is accepted waits in the store."""

    def reserve(self) -> Room:
        return NO_ROOM

    async def begin(self, claims: Sequence[Claim], room: Room) -> None:
        return


class GroupCommit:
    """Accepts drafts into the store, grouped by lane; `on_waiting` is told in which there are deliveries to claim."""

    def __init__(
        self,
        store: Store,
        on_waiting: Callable[[int], None] = lambda lane_index: None,
        metrics: Metrics | None = None,
        worker: SendsAtOnce | None = None,
    ) -> None:
        self._store = store
        self._metrics = metrics or Metrics()
        self._on_waiting = on_waiting
        self._worker = worker or NobodySends()
        self._lanes: dict[int, Batcher[Sequence[Draft], Answers]] = {}

    async def accept(self, drafts: Sequence[Draft]) -> Answers:
        """Returns when the events and their deliveries are on disk. Raises Unavailable when they are not.

        Those of one lane are accepted together or not at all. Answers in the order of the drafts.
        """
        by_lane: dict[int, list[int]] = {}
        for position, draft in enumerate(drafts):
            by_lane.setdefault(draft.event.account_id % LANE_COUNT, []).append(position)
        if len(by_lane) == 1:
            return await self._lane(next(iter(by_lane))).submit(drafts)
        of_lanes = await asyncio.gather(
            *(self._lane(lane).submit([drafts[position] for position in of]) for lane, of in by_lane.items())
        )
        pairs = zip(by_lane.values(), of_lanes, strict=True)
        placed = {position: answer for of, found in pairs for position, answer in zip(of, found, strict=True)}
        return [placed[position] for position in range(len(drafts))]

    async def close(self) -> None:
        """Wait until everything that was submitted is on disk."""
        for lane in self._lanes.values():
            await lane.close()

    def _lane(self, lane_index: int) -> Batcher[Sequence[Draft], Answers]:
        if lane_index not in self._lanes:
            write = partial(self._write, lane_index)
            self._lanes[lane_index] = Batcher(write, size_of=len, shared_failures=(Unavailable,))
        return self._lanes[lane_index]

    async def _write(self, lane_index: int, groups: Sequence[Sequence[Draft]]) -> list[Answers]:
        drafts = [draft for group in groups for draft in group]
        room = self._worker.reserve()
        claims: Sequence[Claim] = ()
        try:
            answers, claims, deliveries = await self._store.accept(lane_index, drafts, room)
        finally:
            await self._worker.begin(claims, room)
        self._metrics.published(drafts, answers)
        if deliveries > len(claims):
            self._on_waiting(lane_index)
        taken = iter(answers)
        return [[next(taken) for _ in group] for group in groups]
