"""The door: concurrent publishes of a lane share one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Accepted, Draft
from hookwright.engine.batching import Batcher
from hookwright.store.base import Store
from hookwright.telemetry.metrics import Metrics


class GroupCommit:
    """Accepts drafts into the store, grouped by lane; `on_accepted` is told in which there may be deliveries."""

    def __init__(
        self,
        store: Store,
        on_accepted: Callable[[int], None] = lambda lane_index: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._store = store
        self._metrics = metrics or Metrics()
        self._on_accepted = on_accepted
        self._lanes: dict[int, Batcher[Draft, Accepted | Conflict]] = {}

    async def accept(self, draft: Draft) -> Accepted | Conflict:
        """Returns when the event and its deliveries are on disk. Raises Unavailable when they are not."""
        return await self._lane(draft.event.account_id % LANE_COUNT).submit(draft)

    async def close(self) -> None:
        """Wait until everything that was submitted is on disk."""
        for lane in self._lanes.values():
            await lane.close()

    def _lane(self, lane_index: int) -> Batcher[Draft, Accepted | Conflict]:
        if lane_index not in self._lanes:
            write = partial(self._write, lane_index)
            self._lanes[lane_index] = Batcher(write, shared_failures=(Unavailable,))
        return self._lanes[lane_index]

    async def _write(self, lane_index: int, drafts: Sequence[Draft]) -> Sequence[Accepted | Conflict]:
        answers = await self._store.accept(lane_index, drafts)
        self._metrics.published(answers)
        self._on_accepted(lane_index)
        return answers
