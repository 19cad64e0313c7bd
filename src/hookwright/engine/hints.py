"""Hints: a process that accepts events tells those that send them, so that nobody waits for the next poll.

A hint may be lost and promises nothing: whatever is due is found by polling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Sequence

import structlog

from hookwright.core.errors import Unavailable
from hookwright.store.base import Store

# Hints of this long go out together: under load the workers are awake anyway.
PAUSE_SECONDS = 0.01

log = structlog.get_logger("hookwright.hints")


class Hints:
    """Tells who sends a lane's deliveries that there may be some: this process's worker, or another's."""

    def __init__(self, store: Store, own_lanes: Container[int], wake: Callable[[], None]) -> None:
        self._store = store
        self._own_lanes = own_lanes
        self._wake = wake
        self._waiting: set[int] = set()
        self._telling: asyncio.Task[None] | None = None

    def waiting(self, lane_index: int) -> None:
        """Something is due in this lane and nobody sends it yet."""
        if lane_index in self._own_lanes:
            self._wake()
            return
        self._waiting.add(lane_index)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def hear(self) -> int:
        """Stay connected to what the others tell."""
        await self._store.hear_hints(self._heard)
        return 0

    async def close(self) -> None:
        """Wait until the last hint is given."""
        if self._telling is not None:
            await self._telling

    def _heard(self, lane_indexes: Sequence[int]) -> None:
        if any(lane_index in self._own_lanes for lane_index in lane_indexes):
            self._wake()

    async def _tell(self) -> None:
        try:
            while self._waiting:
                lane_indexes, self._waiting = sorted(self._waiting), set()
                await self._store.hint(lane_indexes)
                await asyncio.sleep(PAUSE_SECONDS)
        except Unavailable as error:
            log.debug("hint not given; the lanes are polled", error=str(error))
        finally:
            self._telling = None
