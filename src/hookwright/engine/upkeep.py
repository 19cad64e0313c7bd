"""Chores: each is one tick that answers how much it did; the loop round them is the same for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from msgspec import Struct

from hookwright.ambient import DRIFT, AnchoredClock, Clock, monotonic_us
from hookwright.core.errors import Unavailable
from hookwright.core.model import SECOND, Instant
from hookwright.core.tallies import HOURS_KEPT_FOR, MINUTES_KEPT_FOR
from hookwright.engine.lanes import OwnLanes, every_lane
from hookwright.store.base import Store
from hookwright.telemetry.metrics import Metrics
from hookwright.telemetry.tallying import Tallying

MAX_TRIP: Instant = SECOND

# Rows of one step; each is a transaction of its own.
PRUNE_STEP = 200

log = structlog.get_logger("hookwright.upkeep")


async def rescue(store: Store, clock: Clock, own_lanes: OwnLanes = every_lane) -> int:
    """Make deliveries due again whose worker went away. Answers how many."""
    rescued = await store.rescue(clock.now(), own_lanes())
    if rescued:
        log.warning("deliveries rescued", deliveries=rescued)
    return rescued


async def expire(store: Store, clock: Clock, metrics: Metrics, own_lanes: OwnLanes = every_lane) -> int:
    """End deliveries whose time is over. Answers how many."""
    dead = await store.expire(clock.now(), own_lanes())
    metrics.expired(dead)
    for delivery in dead:
        log.info("delivery expired", delivery_id=delivery.id, event_id=delivery.event_id)
    return len(dead)


async def anchor(store: Store, clock: AnchoredClock) -> int:
    """Set our clock to the database's, so that every process has the same idea of what is due.

    An answer that took long says little about what time it is now, and is not used.
    """
    asked = monotonic_us()
    instant = await store.now()
    trip = monotonic_us() - asked
    if trip > MAX_TRIP:
        log.warning("clock not anchored", trip_ms=trip // 1000)
        return 0
    was_in_step = clock.time_of_day()
    if not clock.anchor(instant + trip // 2):
        step = clock.time_of_day() - was_in_step
        if abs(step) > DRIFT:  # it is told once, not at each anchor from now on
            log.warning("clock stepped", seconds=round(step / SECOND), cure="restart, to live by the new time")
        return 0
    return 1


async def advance_replays(store: Store, clock: Clock, own_lanes: OwnLanes = every_lane) -> int:
    """Take the next second's step of every running replay. Answers how many deliveries became due."""
    advanced = 0
    for replay in await store.running_replays(own_lanes()):
        try:
            advanced += await store.advance_replay(replay.account_id, replay.id, replay.rate_per_second, clock.now())
        except Unavailable as error:
            # It may be this one's alone, such as a step that takes too long: the others must not wait behind it.
            log.warning("replay not advanced", replay_id=replay.id, error=str(error))
    return advanced


class Retention(Struct, frozen=True):
    """How long finished events are kept, and how long their payloads are (None: as long)."""

    events: Instant
    payloads: Instant | None = None


async def prune(store: Store, clock: Clock, keep: Retention, own_lanes: OwnLanes = every_lane) -> int:
    """Delete what has been kept long enough, lane by lane, in steps too small to disturb deliveries."""
    now = clock.now()
    pruned = 0
    lanes = own_lanes()
    for lane_index in range(store.lane_count) if lanes is None else lanes:
        pruned += await _exhaust(partial(store.prune_events, lane_index, now - keep.events))
        pruned += await _exhaust(partial(store.prune_keys, lane_index, now - keep.events))
        if keep.payloads is not None:
            pruned += await _exhaust(partial(store.prune_payloads, lane_index, now - keep.payloads))
    return pruned


async def prune_audit(store: Store, clock: Clock, keep: Instant) -> int:
    """Forget changes that were noted longer ago than they are kept."""
    await store.prune_audit_entries(clock.now() - keep)
    return 0


async def keep_tallies(store: Store, tallying: Tallying) -> int:
    """Write down what was counted since the last time. Answers how many slots."""
    tallies = tallying.take()
    if tallies:
        try:
            await store.add_tallies(tallies)
        except BaseException:
            # If it was written and only the confirmation was lost, a chart shows a little too much.
            tallying.give_back(tallies)
            raise
    return len(tallies)


async def prune_tallies(store: Store, clock: Clock) -> int:
    """Forget the slots that no chart shows any more."""
    await store.prune_tallies(clock.now() - MINUTES_KEPT_FOR, clock.now() - HOURS_KEPT_FOR)
    return 0


async def _exhaust(step: Callable[[int], Awaitable[int]]) -> int:
    total = 0
    while (number := await step(PRUNE_STEP)) == PRUNE_STEP:
        total += number
    return total + number


async def repeat(chore: Callable[[], Awaitable[int]], every_seconds: float, stop: asyncio.Event) -> None:
    """Run a chore again and again until told to stop. A store that does not answer costs one turn."""
    while not stop.is_set():
        try:
            await chore()
        except Unavailable as error:
            log.warning("chore skipped", error=str(error))
        except Exception:
            # Whatever it was, the next turn may do better; a chore that has ended never comes back.
            log.exception("chore failed")
        try:
            await asyncio.wait_for(stop.wait(), every_seconds)
        except TimeoutError:
            continue
