"""The lanes whose due deliveries this process sends: held by leases that it renews, shared with other workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from hookwright.ambient import Clock
from hookwright.core.errors import Unavailable
from hookwright.core.model import SECOND, Instant
from hookwright.store.base import Lanes, Store

# How long the lanes of a killed worker stay its own, at most: with the time until the others look, and until the
# leases of its deliveries have ended, it must stay below the ten seconds that a takeover may take.
LONGEST_LEASE_SECONDS = 5.0
TURNS_IN_A_LEASE = 4

OwnLanes = Callable[[], Lanes]

log = structlog.get_logger("hookwright.lanes")


def every_lane() -> Lanes:
    """For a process that shares its database with no other worker."""
    return None


class LeasedLanes:
    """The lanes that a worker holds, as long as their leases run. One turn renews them and keeps the shares even."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        worker_id: str,
        lease_seconds: float = LONGEST_LEASE_SECONDS,
        on_gained: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._worker_id = worker_id
        self._lease: Instant = round(min(lease_seconds, LONGEST_LEASE_SECONDS) * SECOND)
        self._on_gained = on_gained
        self._ends: Mapping[int, Instant] = {}
        self.turn_seconds = self._lease / SECOND / TURNS_IN_A_LEASE

    def __call__(self) -> Lanes:
        """What is ours at this moment: nothing any more where a lease could not be renewed."""
        now = self._clock.now()
        return sorted(lane_index for lane_index, end in self._ends.items() if end > now)

    def __contains__(self, lane_index: object) -> bool:
        return isinstance(lane_index, int) and self._ends.get(lane_index, 0) > self._clock.now()

    async def turn(self) -> int:
        """Renew, take and give up. Answers how many lanes are ours."""
        now = self._clock.now()
        before, self._ends = self._ends, await self._store.share_lanes(self._worker_id, now, now + self._lease)
        if self._ends.keys() != before.keys():
            log.info("lanes shared anew", lanes=len(self._ends))
        if self._ends.keys() - before.keys():
            self._on_gained()
        return len(self._ends)

    async def give_up(self) -> None:
        """Leave every lane to the others at once, rather than when the leases end."""
        self._ends = {}
        try:
            await self._store.give_up_lanes(self._worker_id)
        except Unavailable as error:
            log.warning("lanes not given up; their leases end by themselves", error=str(error))
