"""Chores: what one turn does, and what it does not let happen."""

import asyncio

import pytest

from engine.harness import running_engine
from hookwright.ambient import AnchoredClock, MovableClock
from hookwright.core.audit import Entry
from hookwright.core.model import DAY, SECOND
from hookwright.engine import upkeep
from hookwright.engine.upkeep import Retention, anchor, prune, prune_audit
from hookwright.store.base import AuditQuery, Store

YEAR_2000 = 946_684_800 * SECOND


async def test_the_clock_is_set_to_the_databases(store: Store) -> None:
    clock = AnchoredClock()
    clock.anchor(YEAR_2000)
    assert await anchor(store, clock) == 1
    assert abs(clock.now() - await store.now()) < SECOND


async def test_a_step_of_the_machines_clock_is_told_and_not_lived(sqlite_store: Store) -> None:
    clock = AnchoredClock(holds_out=True)
    clock.anchor(YEAR_2000)
    assert await anchor(sqlite_store, clock) == 0
    assert abs(clock.now() - YEAR_2000) < 60 * SECOND
    assert abs(clock.time_of_day() - await sqlite_store.now()) < SECOND


async def test_an_answer_that_took_long_does_not_set_the_clock_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MAX_TRIP", 0)
    clock = AnchoredClock()
    clock.anchor(YEAR_2000)
    assert await anchor(store, clock) == 0
    assert clock.now() < YEAR_2000 + 60 * SECOND


async def test_a_chore_that_fails_has_its_next_turn() -> None:
    stop = asyncio.Event()
    turns = 0

    async def chore() -> int:
        nonlocal turns
        turns += 1
        if turns == 3:
            stop.set()
        raise ValueError("nobody foresaw this")

    async with asyncio.timeout(5):
        await upkeep.repeat(chore, 0.001, stop)
    assert turns == 3


async def test_what_is_older_than_it_is_kept_is_pruned_and_its_payload_before_it(
    store: Store, clock: MovableClock
) -> None:
    keep = Retention(events=30 * DAY, payloads=7 * DAY)
    async with running_engine(store, clock) as engine:
        await engine.endpoint()
        await engine.publish(idempotency_key="once")
        await engine.worker.tick()
        delivery = await engine.delivery()
        assert await prune(store, clock, keep) == 0
        clock.move(days=8)
        assert await prune(store, clock, keep) == 1
        assert await store.payload(delivery.id) is None
        assert (await engine.delivery()).status == "delivered"
        clock.move(days=23)
        assert await prune(store, clock, keep) == 2
        assert await engine.deliveries() == []


async def test_the_audit_trail_is_kept_as_long_as_it_should_be(store: Store, clock: MovableClock) -> None:
    entry = Entry(
        id=await store.new_id(0),
        at=clock.now(),
        account_id=None,
        way="cli",
        actor_kind="cli",
        actor_id=None,
        actor_name="the command line",
        action="app.created",
        object_id="64",
    )
    await store.add_audit_entry(entry)
    clock.move(days=30)
    await prune_audit(store, clock, 30 * DAY)
    assert await store.audit_entries(AuditQuery()) == [entry]
    clock.move(seconds=1)
    await prune_audit(store, clock, 30 * DAY)
    assert await store.audit_entries(AuditQuery()) == []
