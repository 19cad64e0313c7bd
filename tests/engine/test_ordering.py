"""An ordered endpoint gets its events one after another, also from several workers and when some of them fail."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.harness import Engine, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.model import EndpointChange, Ordering
from hookwright.engine.worker import Worker
from hookwright.operations.endpoints import change_endpoint
from hookwright.store.base import Store


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock) as engine:
        yield engine


async def ordered_endpoint(engine: Engine, ordering: Ordering) -> None:
    endpoint = await engine.endpoint()
    change = EndpointChange(ordering=ordering, retry_schedule=(0, 1, 1))
    await change_endpoint(engine.services, engine.account.id, endpoint.id, change)


async def publish_numbers(engine: Engine, count: int, keys: int = 1) -> None:
    for number in range(count):
        data = {"contact": {"id": number + 1, "email": "ada@example.com"}}
        await engine.publish(data=data, ordering_key=f"contact-{number % keys}")


async def work_until_idle(engine: Engine, *workers: Worker) -> None:
    """Ticks of all workers at once, a second apart, until nothing waits."""
    while await engine.deliveries(statuses=("pending",), limit=1):
        while any(await asyncio.gather(*(worker.tick() for worker in workers))):
            pass
        engine.clock.move(seconds=2)


def numbers(engine: Engine) -> list[int]:
    return [request.json()["contact"]["id"] for request in engine.receiver.requests]


async def test_a_failing_event_is_sent_again_before_the_next_one(engine: Engine) -> None:
    await ordered_endpoint(engine, "endpoint")
    await publish_numbers(engine, 4)
    engine.receiver.fail_next(2)
    await work_until_idle(engine, engine.worker, engine.another_worker())
    assert numbers(engine) == [1, 1, 1, 2, 3, 4]


async def test_an_event_that_gives_up_lets_the_next_one_go(engine: Engine) -> None:
    await ordered_endpoint(engine, "endpoint")
    await publish_numbers(engine, 3)
    engine.receiver.fail_next(3)
    await work_until_idle(engine, engine.worker)
    assert numbers(engine) == [1, 1, 1, 2, 3]


async def test_the_events_of_each_key_are_in_order_whatever_fails(engine: Engine) -> None:
    await ordered_endpoint(engine, "key")
    await publish_numbers(engine, 30, keys=3)
    engine.receiver.fail_next(7)
    await work_until_idle(engine, engine.worker, engine.another_worker(), engine.another_worker())
    for key in range(3):
        of_key = [number for number in numbers(engine) if (number - 1) % 3 == key]
        assert of_key == sorted(of_key)
    assert set(numbers(engine)) == set(range(1, 31))


async def test_a_running_worker_goes_on_to_the_next_at_once(engine: Engine) -> None:
    await ordered_endpoint(engine, "endpoint")
    await publish_numbers(engine, 10)
    worker = engine.another_worker(poll_seconds=60)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await engine.receiver.wait_for(10)  # within its few seconds, though the worker polls once a minute
    stop.set()
    worker.wake()
    await running
    await worker.drain(1)
    assert numbers(engine) == list(range(1, 11))
