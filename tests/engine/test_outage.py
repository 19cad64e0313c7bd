"""A database that goes away and comes back: nothing that was accepted is lost, and no loop needs a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import asyncpg
import pytest

from engine.harness import Engine, Held, make_worker, running_engine
from engine.line import Line, line_to
from hookwright.ambient import MovableClock
from hookwright.core.errors import Unavailable
from hookwright.engine.upkeep import repeat, rescue
from hookwright.engine.worker import Worker
from hookwright.store.postgres import PostgresStore
from hookwright.testing.postgres import fresh_database, run

T = TypeVar("T")

PATIENCE_SECONDS = 10
CUT_EVERY_CONNECTION = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    async with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with line_to(database_url) as line:
        yield line


@pytest.fixture
async def engine(line: Line, clock: MovableClock) -> AsyncIterator[Engine]:
    store = PostgresStore(line.url, max_connections=4)
    async with running_engine(store, clock) as engine:
        yield engine
    await store.close()


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    """A worker that runs until the end of the block."""
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        worker.wake()
        await running
        await worker.drain(PATIENCE_SECONDS)


async def until_it_answers(ask: Callable[[], Awaitable[T]]) -> T:
    """What the store answers when it is back: each try takes as long as the store takes to refuse."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await ask()
            except Unavailable:
                await asyncio.sleep(0)  # a closed store refuses at once, and the time limit needs its turn


async def test_the_worker_goes_on_by_itself_when_the_database_is_back(engine: Engine, line: Line) -> None:
    await engine.endpoint()
    async with at_work(make_worker(engine.services, engine.clock, poll_seconds=0.01)):
        await engine.publish()
        await engine.receiver.wait_for(1)
        await line.cut()
        with pytest.raises(Unavailable):
            await engine.publish()
        await line.mend()
        await until_it_answers(engine.publish)
        await engine.receiver.wait_for(2, PATIENCE_SECONDS)


async def test_a_publish_that_is_refused_says_why(engine: Engine, line: Line) -> None:
    await line.cut()
    with pytest.raises(Unavailable, match=r"PostgreSQL: .+"):
        await engine.publish()


async def test_upkeep_goes_on_by_itself_when_the_database_is_back(engine: Engine, line: Line) -> None:
    failed, succeeded = asyncio.Event(), asyncio.Event()

    async def chore() -> int:
        try:
            rescued = await rescue(engine.store, engine.clock)
        except Unavailable:
            failed.set()
            raise
        succeeded.set()
        return rescued

    stop = asyncio.Event()
    upkeep = asyncio.create_task(repeat(chore, 0.01, stop))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await succeeded.wait()
        await line.cut()
        await failed.wait()
        await line.mend()
        succeeded.clear()
        await succeeded.wait()
    stop.set()
    await upkeep


async def test_worker_and_upkeep_outlive_an_error_that_nobody_foresaw(engine: Engine, database_url: str) -> None:
    await engine.endpoint()
    stop = asyncio.Event()
    upkeep = asyncio.create_task(repeat(partial(rescue, engine.store, engine.clock), 0.01, stop))
    async with at_work(make_worker(engine.services, engine.clock, poll_seconds=0.01, renew_seconds=0.01)):
        # As in a restore that has not come to this table yet: no outage, but a statement that is wrong.
        await run(database_url, "ALTER TABLE deliveries RENAME TO missing")
        with pytest.raises(Exception, match="does not exist"):
            await rescue(engine.store, engine.clock)
        await run(database_url, "ALTER TABLE missing RENAME TO deliveries")
        await engine.publish()
        await engine.receiver.wait_for(1, PATIENCE_SECONDS)
        assert not upkeep.done()
        stop.set()
        await upkeep


async def test_nothing_more_is_sent_while_too_many_outcomes_wait_to_be_written(
    engine: Engine, database_url: str
) -> None:
    await engine.endpoint()
    worker = make_worker(engine.services, engine.clock, poll_seconds=0.01, most_unrecorded=20)
    other = await asyncpg.connect(database_url)
    for _ in range(60):
        await engine.publish()
    async with at_work(worker):
        async with other.transaction():
            # Settlements wait for it; what is claimed and sent does not.
            await other.execute("LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE")
            await engine.receiver.wait_for(20, PATIENCE_SECONDS)
            for _ in range(100):
                await engine.deliveries()  # time in which all of them would go out
            assert engine.receiver.count < 60
        await engine.receiver.wait_for(60, PATIENCE_SECONDS)
    await other.close()
    assert {each.status for each in await engine.deliveries()} == {"delivered"}
    assert engine.receiver.count == 60


async def test_what_was_sent_during_an_outage_is_sent_again_with_the_same_id(engine: Engine, line: Line) -> None:
    await engine.endpoint()
    await engine.publish()
    held = Held()
    engine.receiver.behave(held)
    worker = make_worker(engine.services, engine.clock, record_tries=1)
    tick = asyncio.create_task(worker.tick())
    await held.arrived()
    await line.cut()
    held.answer()
    await tick
    await line.mend()

    engine.receiver.behave(None)
    engine.clock.move(seconds=11)
    assert await engine.store.rescue(engine.clock.now()) == 1
    assert await worker.tick() == 1
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)
    [request] = engine.receiver.requests
    assert request.headers["webhook-id"] == delivery.message_id


async def test_a_drain_ends_in_good_order_though_the_database_is_away(engine: Engine, line: Line) -> None:
    await engine.endpoint()
    await engine.publish()
    held = Held()
    engine.receiver.behave(held)
    stop = asyncio.Event()
    running = asyncio.create_task(engine.worker.run(stop))
    await held.arrived()
    await line.cut()
    stop.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await running
        await engine.worker.drain(0.01)
    await line.mend()
    # It could not be given back, so its lease decides.
    engine.clock.move(seconds=11)
    assert await engine.store.rescue(engine.clock.now()) == 1


async def test_every_publish_that_was_answered_is_delivered_though_connections_break_all_the_time(
    engine: Engine, database_url: str
) -> None:
    await engine.endpoint()
    accepted: set[str] = set()
    cutting = asyncio.Lock()

    async def publish_ten() -> None:
        for _ in range(10):
            accepted.add((await until_it_answers(engine.publish)).event_id)
            if len(accepted) % 5 == 0:
                async with cutting:
                    await run(database_url, CUT_EVERY_CONNECTION)

    worker = make_worker(engine.services, engine.clock, poll_seconds=0.01)
    async with at_work(worker), asyncio.TaskGroup() as publishers:
        for _ in range(4):
            publishers.create_task(publish_ten())
    # What a cut left in flight goes out when its lease has ended.
    engine.clock.move(seconds=11)
    await until_it_answers(partial(rescue, engine.store, engine.clock))
    while await until_it_answers(engine.worker.tick):
        pass
    assert len(accepted) == 40
    assert accepted <= {request.headers["webhook-id"][:36] for request in engine.receiver.requests}
    assert {each.status for each in await engine.deliveries(limit=1_000)} == {"delivered"}
