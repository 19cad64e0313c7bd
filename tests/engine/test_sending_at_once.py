"""What a process accepts it sends from memory, as far as it has room, and gives back what it can send no more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest

from engine.harness import Engine, Held, make_worker, running_engine
from hookwright.ambient import MovableClock
from hookwright.engine.intake import GroupCommit
from hookwright.engine.worker import STARTS_IN_A_TURN, Worker
from hookwright.store.base import NO_ROOM, Store
from hookwright.telemetry.metrics import Metrics


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock) as engine:
        yield engine


class Sending:
    """A worker that looks into the store once an hour, and an intake that hands over to it."""

    def __init__(self, engine: Engine, concurrency: int = 10) -> None:
        self.worker: Worker = engine.another_worker(concurrency=concurrency, poll_seconds=3600)
        intake = GroupCommit(engine.store, on_waiting=lambda _: self.worker.wake(), worker=self.worker)
        engine.services = replace(engine.services, intake=intake)
        self._stop = asyncio.Event()
        self._running = asyncio.create_task(self.worker.run(self._stop))

    async def stop(self) -> None:
        self._stop.set()
        self.worker.wake()
        await self._running


async def test_an_accepted_event_is_sent_without_a_look_into_the_store(engine: Engine) -> None:
    await engine.endpoint()
    sending = Sending(engine)
    await asyncio.sleep(0)  # the worker runs
    await engine.publish()
    await engine.receiver.wait_for(1)
    await sending.stop()
    await sending.worker.drain(5)
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


async def test_what_there_is_no_room_for_waits_in_the_store_and_is_sent_later(engine: Engine) -> None:
    await engine.endpoint()
    held = Held()
    engine.receiver.behave(held)
    sending = Sending(engine, concurrency=4)
    await asyncio.sleep(0)
    await engine.publish()  # takes a fourth, all that an endpoint may have that has not answered yet
    await held.arrived()
    await engine.publish()
    assert [each.status for each in await engine.deliveries()] == ["in_flight", "pending"]
    held.answer()
    await held.arrived()
    await sending.stop()
    await sending.worker.drain(5)
    assert {each.status for each in await engine.deliveries()} == {"delivered"}


async def test_what_is_claimed_at_birth_is_sent_though_few_slots_are_left_and_more_waits_in_the_store(
    engine: Engine,
) -> None:
    held = Held()
    engine.receiver.behave(held)
    for number in range(3):
        await engine.endpoint(f"/hanging/{number}")
    await engine.endpoint("/other", event="contact.unsubscribed")
    sending = Sending(engine, concurrency=8)
    await asyncio.sleep(0)
    for _ in range(2):
        await engine.publish()
    for _ in range(6):
        await held.arrived()
    sending.worker._may_be_more = True  # as after a look that filled every slot
    await engine.publish(type="contact.unsubscribed")
    async with asyncio.timeout(5):
        await held.arrived()
    held.answer()
    await sending.stop()
    await sending.worker.drain(5)


@pytest.mark.parametrize("from_the_store", [False, True])
async def test_requests_begin_a_few_in_each_turn_of_the_loop(engine: Engine, from_the_store: bool) -> None:
    held = Held()
    engine.receiver.behave(held)
    for _ in range(3 * STARTS_IN_A_TURN):
        await engine.endpoint()
    metrics = Metrics()
    worker = make_worker(engine.services, engine.clock, metrics=metrics, poll_seconds=3600)
    if not from_the_store:
        engine.services = replace(engine.services, intake=GroupCommit(engine.store, worker=worker))
    else:
        await engine.publish()
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    publishing = asyncio.create_task(asyncio.sleep(0) if from_the_store else engine.publish())

    under_way = [0]
    while under_way[-1] < 3 * STARTS_IN_A_TURN:
        await asyncio.sleep(0)
        under_way.append(metrics.in_flight)

    steps = [after - before for before, after in pairwise(under_way)]
    assert (max(steps), sum(steps)) == (STARTS_IN_A_TURN, 3 * STARTS_IN_A_TURN)
    await publishing
    stop.set()
    worker.wake()
    await running
    await worker.drain(0)


async def test_a_worker_that_does_not_run_takes_nothing(engine: Engine) -> None:
    await engine.endpoint()
    sending = Sending(engine)
    await asyncio.sleep(0)
    await sending.stop()
    assert sending.worker.reserve() == NO_ROOM
    await engine.publish()
    assert (await engine.delivery()).status == "pending"


async def test_what_is_accepted_as_the_worker_stops_is_given_back(engine: Engine) -> None:
    await engine.endpoint()
    sending = Sending(engine)
    await asyncio.sleep(0)
    room = sending.worker.reserve()
    engine.services = replace(engine.services, intake=GroupCommit(engine.store))
    await engine.publish()
    claims = await engine.store.claim(1, engine.clock.now(), room.lease_until)
    await sending.stop()
    await sending.worker.begin(claims, room)
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.due_at) == ("pending", 0, engine.clock.now())


async def test_room_that_was_reserved_is_free_again_when_accepting_fails(engine: Engine) -> None:
    await engine.endpoint()
    sending = Sending(engine)
    await asyncio.sleep(0)
    free = sending.worker.reserve()
    await sending.worker.begin((), free)
    await engine.store.close()
    with pytest.raises(Exception, match="closed"):
        await engine.publish()
    assert sending.worker.reserve().deliveries == free.deliveries
    await sending.stop()
