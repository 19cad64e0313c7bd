"""Outcomes on their way into the store: those of twenty milliseconds are one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from hookwright.core.errors import Unavailable
from hookwright.core.model import Claim, Settled
from hookwright.store.base import Store

# Outcomes of so long are one transaction. Nobody waits for it: the slot of a request is free before.
LINGER_SECONDS = 0.02
MOST_AT_ONCE = 250

log = structlog.get_logger("hookwright.worker")

# What one request came to, for each claim that went out in it; it is recorded together.
Parcel = Sequence[Settled]


class Recorder:
    """Writes what requests came to. `on_end` is told of the parcels of each batch, and which deliveries were written.

    An outcome that cannot be written is left to its lease: the receiver may see the delivery again, with its id.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], int],
        tries: int,
        on_end: Callable[[Sequence[Parcel], set[int]], None],
        most: int,
    ) -> None:
        """When `most` outcomes wait, it is behind: whoever adds more should let it catch up first."""
        self._store = store
        self._now = now
        self._tries = tries
        self._on_end = on_end
        self._most = most
        self._waiting: list[Parcel] = []
        self._writing: Sequence[Parcel] = ()
        self._flushing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def add(self, parcel: Parcel) -> None:
        """Record this, soon; at once where others wait in line for it."""
        self._waiting.append(parcel)
        if parcel[0].claim.line is not None:
            self._hurry.set()
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    @property
    def is_behind(self) -> bool:
        """Whether so many outcomes wait to be written that no more should be added."""
        return len(self._writing) + len(self._waiting) >= self._most

    @property
    def claims(self) -> list[Claim]:
        """What is not recorded yet, and whose leases must be kept meanwhile."""
        return [each.claim for parcels in (self._writing, self._waiting) for parcel in parcels for each in parcel]

    async def emptied(self) -> None:
        """Wait until everything that was added is recorded, or given up."""
        while self._flushing is not None:
            self._hurry.set()
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < MOST_AT_ONCE:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._hurry.wait(), LINGER_SECONDS)
                self._hurry.clear()
                self._writing, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._write(self._writing)
                self._writing = ()
        finally:
            self._flushing = None

    async def _write(self, parcels: Sequence[Parcel]) -> None:
        try:
            written = await self._settle([each for parcel in parcels for each in parcel])
        except Exception as error:
            if len(parcels) == 1 or isinstance(error, Unavailable):
                for parcel in parcels:
                    self._give_up(parcel)
                return
            # Whatever is wrong may be wrong with one of them only.
            for parcel in parcels:
                await self._write([parcel])
            return
        self._on_end(parcels, written)

    async def _settle(self, settled: Sequence[Settled]) -> set[int]:
        for attempt in range(1, self._tries):
            try:
                return await self._store.settle(settled, self._now())
            except Unavailable:
                await asyncio.sleep(0.1 * 2**attempt)
        return await self._store.settle(settled, self._now())

    def _give_up(self, parcel: Parcel) -> None:
        claim = parcel[0].claim
        log.exception("delivery sent but not recorded", delivery_id=claim.delivery_id, event_id=claim.event_id)
        self._on_end([parcel], set())
