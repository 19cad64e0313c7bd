"""A receiver that hangs, or a flood to one endpoint, costs nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from engine.harness import DIALECT, Engine, Held, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.model import Endpoint, Subscription
from hookwright.engine.intake import GroupCommit
from hookwright.engine.worker import Worker
from hookwright.operations.endpoints import create_endpoint
from hookwright.store.base import Store
from hookwright.testing.receiver import Receiver


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock) as engine:
        yield engine


@asynccontextmanager
async def hanging(engine: Engine, *events: str) -> AsyncIterator[Held]:
    """A receiver that takes requests and does not answer, with an endpoint for each of these event types."""
    async with Receiver() as receiver:
        held = Held()
        receiver.behave(held)
        for event in events:
            await endpoint_at(engine, receiver, event)
        yield held
        held.answer()


async def endpoint_at(engine: Engine, receiver: Receiver, event: str) -> Endpoint:
    return await create_endpoint(
        engine.services, engine.account.id, DIALECT, receiver.url + "/", [Subscription(event)]
    )


@asynccontextmanager
async def running(engine: Engine, **settings: Any) -> AsyncIterator[Worker]:
    """A worker that claims what waits; at its end, what is under way is finished."""
    worker = engine.another_worker(poll_seconds=0.01, **settings)
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        worker.wake()
        await task
        await worker.drain(5)


async def publish_many(engine: Engine, number: int, type: str) -> None:
    for _ in range(number):
        await engine.publish(type=type)


async def test_a_receiver_that_hangs_with_hundreds_of_deliveries_delays_nobody_else(engine: Engine) -> None:
    await engine.endpoint(event="contact.created")
    async with hanging(engine, "contact.activated") as held:
        await publish_many(engine, 200, "contact.activated")
        async with running(engine, concurrency=8):
            for _ in range(2):
                await held.arrived()
            await engine.publish(type="contact.created")
            await engine.receiver.wait_for(1)
            assert held.arrived_count == 2
            held.answer()


async def test_requests_that_wait_for_longer_than_a_second_leave_their_slots_to_others(
    engine: Engine, clock: MovableClock
) -> None:
    slow = ["contact.activated", "contact.bounced", "contact.complained", "contact.unsubscribed"]
    await engine.endpoint(event="contact.created")
    async with hanging(engine, *slow) as held, running(engine, concurrency=4):
        for type in slow:
            await engine.publish(type=type)
            await held.arrived()
        await engine.publish(type="contact.created")
        assert len(await engine.deliveries(statuses=("in_flight",))) == 4
        assert engine.receiver.count == 0
        clock.move(seconds=1)
        await engine.receiver.wait_for(1)
        held.answer()


async def test_a_flood_leaves_room_at_birth_for_another_endpoints_deliveries(engine: Engine) -> None:
    await engine.endpoint(event="contact.created")
    async with hanging(engine, "contact.activated") as held, running(engine, concurrency=8) as worker:
        intake = GroupCommit(engine.store, worker=worker)
        engine.services = replace(engine.services, intake=intake)
        await publish_many(engine, 20, "contact.activated")
        for _ in range(2):
            await held.arrived()
        await engine.publish(type="contact.created")
        await engine.receiver.wait_for(1)
        # Two, and one or two more where a look in the store had counted before those claimed at birth began.
        assert 2 <= held.arrived_count <= 4
        held.answer()
        await intake.close()


async def test_a_crowded_endpoint_is_looked_at_again_when_its_requests_have_ended(engine: Engine) -> None:
    async with hanging(engine, "contact.activated") as held:
        await publish_many(engine, 6, "contact.activated")
        worker = engine.another_worker(poll_seconds=3600, concurrency=8)
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(stop))
        for _ in range(2):
            await held.arrived()
        held.answer()
        for _ in range(4):
            await held.arrived()
        stop.set()
        worker.wake()
        await task
        await worker.drain(5)
    assert {each.status for each in await engine.deliveries()} == {"delivered"}
