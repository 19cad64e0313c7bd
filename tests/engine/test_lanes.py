"""Lane leases as a worker holds them, and hints to whoever sends a lane's deliveries."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.harness import running_engine
from hookwright.ambient import MovableClock
from hookwright.core.errors import Unavailable
from hookwright.engine.hints import Hints
from hookwright.engine.lanes import LeasedLanes
from hookwright.engine.upkeep import rescue
from hookwright.store.base import Store
from hookwright.store.postgres import PostgresStore
from hookwright.testing.postgres import fresh_database

PATIENCE_SECONDS = 10


async def test_lanes_are_ours_until_a_lease_that_could_not_be_renewed_ends(store: Store, clock: MovableClock) -> None:
    lanes = LeasedLanes(store, clock, "a", lease_seconds=5)
    assert lanes() == []
    assert await lanes.turn() == store.lane_count
    assert lanes() == list(range(store.lane_count))
    clock.move(seconds=4.9)
    assert 0 in lanes
    clock.move(seconds=0.1)
    assert lanes() == []
    assert 0 not in lanes


async def test_no_lease_is_longer_than_a_takeover_may_take(store: Store, clock: MovableClock) -> None:
    lanes = LeasedLanes(store, clock, "a", lease_seconds=3600)
    await lanes.turn()
    clock.move(seconds=5)
    assert lanes() == []


async def test_whoever_gains_lanes_looks_for_what_is_due_and_whoever_ends_leaves_them_at_once(
    store: Store, clock: MovableClock
) -> None:
    gained: list[str] = []
    first = LeasedLanes(store, clock, "a", on_gained=lambda: gained.append("a"))
    second = LeasedLanes(store, clock, "b", on_gained=lambda: gained.append("b"))
    for lanes in (first, first, second):
        await lanes.turn()
    assert gained == ["a"]
    await first.give_up()
    assert first() == []
    assert await second.turn() == store.lane_count
    assert gained == ["a", "b"]


async def test_lanes_that_cannot_be_given_up_do_not_hold_up_the_end(store: Store, clock: MovableClock) -> None:
    lanes = LeasedLanes(store, clock, "a")
    await lanes.turn()
    await store.close()
    with pytest.raises(Unavailable):
        await lanes.turn()
    await lanes.give_up()
    assert lanes() == []


async def test_a_worker_claims_from_its_own_lanes_and_takes_over_those_of_one_that_was_killed(
    store: Store, clock: MovableClock
) -> None:
    async with running_engine(store, clock) as engine:
        await engine.endpoint()
        await engine.publish()
        killed, left = LeasedLanes(store, clock, "killed"), LeasedLanes(store, clock, "left")
        await killed.turn()
        await left.turn()
        now = clock.now()
        assert len(await store.claim(10, now, now + 8_000_000, killed())) == 1
        worker = engine.another_worker(own_lanes=left)
        assert await worker.tick() == 0

        clock.move(seconds=8)
        await left.turn()
        assert await rescue(store, clock, left) == 1
        assert await worker.tick() == 1
        assert (await engine.delivery()).status == "delivered"


# -- hints -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two nodes on one PostgreSQL."""
    async with fresh_database(postgres_url) as url:
        both = PostgresStore(url, max_connections=2), PostgresStore(url, max_connections=2)
        yield both
        for each in both:
            await each.close()


async def test_an_event_for_another_nodes_lane_wakes_that_node_and_no_other(nodes: tuple[Store, Store]) -> None:
    woken: asyncio.Queue[str] = asyncio.Queue()
    accepting = Hints(nodes[0], (1,), lambda: woken.put_nowait("own"))
    sending = Hints(nodes[1], (2, 3), lambda: woken.put_nowait("other"))
    for _ in range(2):
        await sending.hear()
    await accepting.hear()

    for lane_index in (5, 3, 1):  # nobody's, the other's, our own
        accepting.waiting(lane_index)
    await accepting.close()

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [await woken.get(), await woken.get()] == ["own", "other"]
    assert woken.empty()


async def test_who_listens_is_connected_again_after_the_connection_was_cut(nodes: tuple[Store, Store]) -> None:
    woken = asyncio.Event()
    sending = Hints(nodes[1], (2,), woken.set)
    await sending.hear()
    assert isinstance(nodes[1], PostgresStore)
    await nodes[1]._hearing.close()

    await sending.hear()
    await nodes[0].hint([2])

    async with asyncio.timeout(PATIENCE_SECONDS):
        await woken.wait()


async def test_a_hint_that_cannot_be_given_is_no_error(store: Store) -> None:
    await store.close()
    hints = Hints(store, (), lambda: None)
    hints.waiting(3)
    await hints.close()
