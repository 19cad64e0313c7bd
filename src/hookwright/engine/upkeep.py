"""Chores: each is one tick that answers how much it did; the loop round them is the same for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from hookwright.ambient import AnchoredClock, Clock
from hookwright.core.errors import Unavailable
from hookwright.store.base import Store

log = structlog.get_logger("hookwright.upkeep")


async def rescue(store: Store, clock: Clock) -> int:
    """Make deliveries due again whose worker went away. Answers how many."""
    rescued = await store.rescue(clock.now())
    if rescued:
        log.warning("deliveries rescued", deliveries=rescued)
    return rescued


async def anchor(store: Store, clock: AnchoredClock) -> int:
    """Set our clock to the database's, so that every process has the same idea of what is due."""
    clock.anchor(await store.now())
    return 1


async def repeat(chore: Callable[[], Awaitable[int]], every_seconds: float, stop: asyncio.Event) -> None:
    """Run a chore again and again until told to stop. A store that does not answer costs one turn."""
    while not stop.is_set():
        try:
            await chore()
        except Unavailable as error:
            log.warning("chore skipped", error=str(error))
        try:
            await asyncio.wait_for(stop.wait(), every_seconds)
        except TimeoutError:
            continue
