"""The door: concurrent small publishes share one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Accepted, Claim, Draft
from hookwright.engine.batching import Batcher
from hookwright.store.base import NO_ROOM, Room, Store
from hookwright.telemetry.metrics import Metrics

Answers = list[Accepted | Conflict]
Door = tuple[int | None, int | None]  # a lane, or a group of lanes


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


# A request with more events than this is a transaction by itself: it gains nothing from company, and whoever
# publishes one event must not wait for a thousand of somebody else's.
FEW_EVENTS = 50

# Small requests for so many lanes share transactions. A transaction that waits, for an idempotency key that a process
# holds which stands still, makes these lanes wait and no others.
LANES_TOGETHER = 16


class GroupCommit:
    """Accepts drafts into the store; `on_waiting` is told in which lanes there are deliveries to claim."""

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
        self._doors: dict[Door, Batcher[Sequence[Draft], Answers]] = {}

    async def accept(self, drafts: Sequence[Draft]) -> Answers:
        """Returns when the events and their deliveries are on disk. Raises Unavailable when they are not.

        Each is accepted with all its deliveries or not at all. Several share a transaction, but for those beyond very
        many deliveries and, on a distributed database, those of other lanes. Answers in the order of the drafts.
        """
        if not self._store.lanes_apart:
            return await self._door(door_of(drafts)).submit(drafts)
        by_lane: dict[int, list[int]] = {}
        for position, draft in enumerate(drafts):
            by_lane.setdefault(lane_index_of(draft), []).append(position)
        of_lanes = await asyncio.gather(
            *(self._door((lane, None)).submit([drafts[position] for position in of]) for lane, of in by_lane.items())
        )
        pairs = zip(by_lane.values(), of_lanes, strict=True)
        placed = {position: answer for of, found in pairs for position, answer in zip(of, found, strict=True)}
        return [placed[position] for position in range(len(drafts))]

    async def close(self) -> None:
        """Wait until everything that was submitted is on disk."""
        while writing := [door for door in self._doors.values() if door.is_writing]:  # others may open meanwhile
            for door in writing:
                await door.close()

    def _door(self, door: Door) -> Batcher[Sequence[Draft], Answers]:
        if door not in self._doors:
            self._doors[door] = Batcher(self._write, size_of=len, shared_failures=(Unavailable,))
        return self._doors[door]

    async def _write(self, requests: Sequence[Sequence[Draft]]) -> list[Answers | Exception]:
        """As many requests, from the first on, as one transaction takes; if it ends within one, the rest of that."""
        answers = await self._accept_some([draft for request in requests for draft in request])
        written: list[Answers | Exception] = []
        for request in requests:
            if not answers:
                break
            own, answers = answers[: len(request)], answers[len(request) :]
            written.append(await self._finished(request, own))
        return written

    async def _finished(self, request: Sequence[Draft], answers: Answers) -> Answers | Exception:
        # It is on disk in part: it must not be tried again as a whole.
        try:
            while len(answers) < len(request):
                answers += await self._accept_some(request[len(answers) :])
        except Exception as error:
            return error
        return answers

    async def _accept_some(self, drafts: Sequence[Draft]) -> Answers:
        """The first of them, as many as one transaction takes."""
        room = self._worker.reserve()
        claims: Sequence[Claim] = ()
        try:
            answers, claims, deliveries = await self._store.accept(drafts, room)
        finally:
            await self._worker.begin(claims, room)
        accepted = drafts[: len(answers)]
        self._metrics.published(accepted, answers)
        if deliveries > len(claims):
            for lane_index in set(map(lane_index_of, accepted)):
                self._on_waiting(lane_index)
        return answers


def door_of(drafts: Sequence[Draft]) -> Door:
    """Where a request queues up for a transaction: a large one behind those of its lane, a small one with others."""
    lane_index = lane_index_of(drafts[0])
    return (lane_index, None) if len(drafts) > FEW_EVENTS else (None, lane_index // LANES_TOGETHER)


def lane_index_of(draft: Draft) -> int:
    """The lane of an event's account, by its index."""
    return draft.event.account_id % LANE_COUNT
