"""Many tenants at a low, steady rate, and one that sends as much as it can."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

import asyncpg
import httpx
import msgspec
from msgspec import Struct

from faults.records import SECOND, Aim, Arrival, Log, now
from faults.system import EVENT_TYPE

FLOOD_TYPE = "contact.tag_added"
BATCH = 1_000
CONNECTIONS = 4


ASKED = "asked.jsonl"

Part = Literal["quiet", "flood"]
T = TypeVar("T")


class Asked(Struct, frozen=True):
    """One event of a quiet tenant: when it was published, and its id, or None where it was refused."""

    part: Part
    at: int
    event_id: str | None


class QuietTenants:
    """Publishes for one tenant after another, at a rate that does not wait for answers."""

    def __init__(
        self, client: httpx.AsyncClient, folder: Path, aims: Sequence[Aim], per_second: float, dice: random.Random
    ) -> None:
        self._client = client
        self._log = Log(folder / ASKED)
        self._aims = aims
        self._pause = 1 / per_second
        self._dice = dice
        self._numbers = count(1)

    async def warm_up(self, seconds: float) -> None:
        """Publish for so long what nobody judges."""
        await self._publish_until(asyncio.create_task(asyncio.sleep(seconds)))

    async def publish(self, part: Part, meanwhile: Coroutine[Any, Any, T]) -> T:
        """Publish until something has ended, write down what was asked, and answer what that came to."""
        ending = asyncio.create_task(meanwhile)
        for asked in await self._publish_until(ending):
            self._log.write(Asked(part, *asked))
        return await ending

    async def _publish_until(self, end: asyncio.Task[Any]) -> list[tuple[int, str | None]]:
        tasks: list[asyncio.Task[tuple[int, str | None]]] = []
        while not end.done():
            tasks.append(asyncio.create_task(self._publish_one(self._dice.choice(self._aims))))
            await asyncio.wait({end}, timeout=self._dice.uniform(0, 2 * self._pause))
        await end
        return await asyncio.gather(*tasks)

    async def _publish_one(self, aim: Aim) -> tuple[int, str | None]:
        contact = {"id": next(self._numbers), "email": "ada@example.com"}
        content = {"type": EVENT_TYPE, "account": aim.account_id, "data": {"contact": contact}}
        at = now()
        answer = await self._client.post("/events", json=content)
        return at, answer.json()["event_id"] if answer.status_code == 202 else None


class Flooder:
    """A tenant with one receiver that answers and many that hang, and with a flood of events for all of them."""

    def __init__(self, client: httpx.AsyncClient, database_url: str, account_id: int) -> None:
        self._client = client
        self._database_url = database_url
        self._account_id = account_id
        self._answering = 0
        self._hanging = 0

    async def subscribe(self, answering: str, hanging: str, hanging_count: int) -> None:
        """Endpoints at a receiver that answers and gets every event, and at many that hang and get a few each."""
        self._answering = await self._subscribe(answering, {"event": FLOOD_TYPE})
        for number in range(1, hanging_count + 1):
            await self._subscribe(f"{hanging}/{number}", {"event": FLOOD_TYPE, "resource": str(number)})
        self._hanging = hanging_count

    def plan(self, events: int, seconds: float) -> Flood:
        """What `flood` is to do: so many events as fast as batches are answered, for so long at most."""
        return Flood(
            url=str(self._client.base_url.join("events/batch")),
            authorization=self._client.headers["authorization"],
            database_url=self._database_url,
            account_id=self._account_id,
            answering=self._answering,
            hanging=self._hanging,
            events=events,
            seconds=seconds,
        )

    async def _subscribe(self, url: str, wanted: Mapping[str, str]) -> int:
        content = {"account": self._account_id, "url": url, "events": [wanted]}
        return int((await self._client.post("/endpoints", json=content)).raise_for_status().json()["id"])


@dataclass(frozen=True, slots=True)
class Flood:
    """What is published, by whom, and for how long at most."""

    url: str
    authorization: str
    database_url: str
    account_id: int
    answering: int  # the endpoint that gets every event
    hanging: int  # how many there are
    events: int
    seconds: float


async def flood_beside(flood: Flood) -> int:
    """Publish in a process of its own, so as not to hold up those who measure. Answers how many were accepted."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return await asyncio.get_running_loop().run_in_executor(process, flood_all, flood)


def flood_all(flood: Flood) -> int:
    """Publish everything, and return when it was sent as well or the time is over."""
    return asyncio.run(_Flooding(flood).run())


class _Flooding:
    def __init__(self, flood: Flood) -> None:
        self._flood = flood
        self._accepted = 0

    async def run(self) -> int:
        flood = self._flood
        batches = iter([_batch(flood, first) for first in range(0, flood.events, BATCH)])
        headers = {"authorization": flood.authorization, "content-type": "application/json"}
        async with httpx.AsyncClient(headers=headers, timeout=30, trust_env=False) as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(flood.seconds):
                    async with asyncio.TaskGroup() as group:
                        for _ in range(CONNECTIONS):
                            group.create_task(self._publish_some(client, batches))
                    await self._sent()
        return self._accepted

    async def _publish_some(self, client: httpx.AsyncClient, batches: Iterator[bytes]) -> None:
        for batch in batches:
            (await client.post(self._flood.url, content=batch)).raise_for_status()
            self._accepted += BATCH

    async def _sent(self) -> None:
        """Returns when nothing waits for the receiver that answers: then its endpoint is in no queue."""
        db = await asyncpg.connect(self._flood.database_url)
        try:
            while await db.fetchval("SELECT count(*) FROM queues WHERE endpoint_id = $1", self._flood.answering):  # noqa: ASYNC110 - another process sends
                await asyncio.sleep(0.2)
        finally:
            await db.close()


def _batch(flood: Flood, first: int) -> bytes:
    return msgspec.json.encode({"events": [_event(flood, number) for number in range(first, first + BATCH)]})


def _event(flood: Flood, number: int) -> Mapping[str, Any]:
    # One event in ten is for a receiver that hangs, too.
    tag = 1 + number // 10 % flood.hanging if number % 10 == 0 else 1_000_000
    contact = {"id": number + 1, "email": "flood@example.com"}
    return {
        "type": FLOOD_TYPE,
        "account": flood.account_id,
        "data": {"contact": contact, "tag": {"id": tag, "name": "VIP"}},
    }


async def flooder_on(client: httpx.AsyncClient, database_url: str) -> Flooder:
    """A new account that floods."""
    account = (await client.post("/accounts", json={"name": "flooder"})).raise_for_status().json()
    return Flooder(client, database_url, int(account["id"]))


@asynccontextmanager
async def hanging_receiver() -> AsyncIterator[str]:
    """The URL of a receiver that takes requests and never answers."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0, backlog=4096) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()


def waits(asked: Sequence[Asked], arrivals: Sequence[Arrival]) -> list[float]:
    """Seconds from each publish to its first request; infinite for what was refused or never came."""
    first: dict[str, int] = {}
    for arrival in arrivals:
        first.setdefault(arrival.message_id, arrival.at)
    return [(first[each.event_id] - each.at) / SECOND if each.event_id in first else float("inf") for each in asked]
