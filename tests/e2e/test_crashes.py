"""A server killed under load, again and again: what was answered 202 arrives, and what arrives twice has one id.

When one of these fails it prints its seed; HOOKWRIGHT_TEST_SEED repeats it.
"""

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

import httpx
import pytest

from e2e.conftest import Environ, Publisher, publisher_for
from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.core.model import Delivery
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery
from hookwright.testing.receiver import Receiver
from processes import Running, hookwright

PATIENCE_SECONDS = 20
PUBLISHERS = 8
PATHS = ("/1", "/2", "/3")  # an event is for all of them, and a crash leaves some of its deliveries behind


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("HOOKWRIGHT_TEST_SEED") or random.randrange(1_000_000))
    print(f"HOOKWRIGHT_TEST_SEED={seed}")
    return random.Random(seed)


class Load:
    """Publishers that go on until they have enough or their server dies, and what it answered 202 until then."""

    def __init__(self, publisher: Publisher, url: str, enough: float = inf) -> None:
        self._publisher = publisher
        self._url = url
        self._enough = enough
        self._news = asyncio.Condition()
        self.event_ids: list[str] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as publishers:
            for _ in range(PUBLISHERS):
                publishers.create_task(self._publish())

    async def answered(self, count: int) -> None:
        """Returns when so many were answered."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            await self._news.wait_for(lambda: len(self.event_ids) >= count)

    async def _publish(self) -> None:
        while len(self.event_ids) < self._enough:
            try:
                event_ids = await self._publisher.publish(self._url, 1)
            except httpx.TransportError:
                return  # killed: no answer, no promise
            async with self._news:
                self.event_ids += event_ids
                self._news.notify_all()


class Server:
    """A running server that can be killed."""

    def __init__(self, running: Running, url: str) -> None:
        self._running = running
        self._reading = asyncio.create_task(running.read_log())
        self.url = url

    async def kill(self) -> None:
        await self.end(signal.SIGKILL, -signal.SIGKILL)

    async def end(self, number: signal.Signals = signal.SIGTERM, exit_code: int = 0) -> None:
        self._running.send(number)
        await self._reading
        assert (await self._running.end())[0] == exit_code


@asynccontextmanager
async def serving(environ: Environ, folder: Path) -> AsyncIterator[Server]:
    """A server whose deliveries are rescued soon after it was killed."""
    async with hookwright("serve", environ={**environ, "HOOKWRIGHT_LEASE_SECONDS": "1"}, folder=folder) as running:
        yield Server(running, str((await running.logged("ready"))["url"]))


async def test_nothing_that_was_answered_is_lost_though_the_server_is_killed_again_and_again(
    environ: Environ, tmp_path: Path, dice: random.Random
) -> None:
    event_ids: list[str] = []
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, *(receiver.url + path for path in PATHS))
        for _ in range(2):
            async with serving(environ, tmp_path) as server:
                load = Load(publisher, server.url)
                running = asyncio.create_task(load.run())
                await load.answered(dice.randint(1, 60))
                await server.kill()
                await running
                event_ids += load.event_ids
        async with serving(environ, tmp_path) as server:
            await everything_is_delivered(environ, publisher)
            await server.end()
        await reconcile(environ, publisher, receiver, event_ids)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_two_servers_share_the_work_and_one_takes_over_what_the_other_leaves(
    environ: Environ, tmp_path: Path, dice: random.Random
) -> None:
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, *(receiver.url + path for path in PATHS))
        async with serving(environ, tmp_path) as first, serving(environ, tmp_path) as second:
            loads = [Load(publisher, first.url), Load(publisher, second.url, enough=100)]
            running = asyncio.gather(*(load.run() for load in loads))
            await loads[0].answered(dice.randint(1, 60))
            await first.kill()
            await running
            await everything_is_delivered(environ, publisher)
            await second.end()
        await reconcile(environ, publisher, receiver, [id for load in loads for id in load.event_ids])


async def everything_is_delivered(environ: Environ, publisher: Publisher) -> None:
    """Returns when no delivery waits or is in flight any more."""
    async with asyncio.timeout(PATIENCE_SECONDS), open_services(load_settings(environ)) as services:
        while {each.status for each in await deliveries_of(services, publisher)} != {"delivered"}:  # noqa: ASYNC110 - another process does it, and tells nobody
            await asyncio.sleep(0.05)


async def reconcile(environ: Environ, publisher: Publisher, receiver: Receiver, event_ids: list[str]) -> None:
    """What was answered, what is in the store and what arrived tell the same story."""
    async with open_services(load_settings(environ)) as services:
        deliveries = await deliveries_of(services, publisher)
    stored = {(publisher.paths[each.endpoint_id], each.message_id) for each in deliveries}
    assert {(path, event_id) for path in publisher.paths.values() for event_id in event_ids} <= {
        (publisher.paths[each.endpoint_id], each.event_id) for each in deliveries
    }
    assert {each.attempts for each in deliveries} == {1}, "an attempt was recorded twice, or one that failed"
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for request in receiver.requests:
        bodies[request.headers["webhook-id"]].add(request.body)
    assert {(request.path, request.headers["webhook-id"]) for request in receiver.requests} == stored
    assert {len(each) for each in bodies.values()} == {1}, "the same id came with other bytes"


async def deliveries_of(services: Services, publisher: Publisher) -> list[Delivery]:
    return await services.store.deliveries(DeliveryQuery(account_id=publisher.account_id, limit=10_000))
