"""The platform: publishes, and writes each answer to its file before it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path

import httpx

from faults.records import AIMS, PRODUCER, Aim, Answered, Log, now
from faults.system import EVENT_TYPE

RETRY_SECONDS = 0.1
REFUSALS = 3

# Where to send the next request: a case changes it as its nodes come and go.
Address = Callable[[], str]


class NotPublishing(Exception):
    """The producer has ended, by itself or by an error of its own."""


class ResetAwareTransport(httpx.AsyncHTTPTransport):
    """A connection that is reset as it is made could not be made; anyio 4 fails over it with an AttributeError."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except AttributeError as error:
            if "getpeername" not in str(error):
                raise
            raise httpx.ConnectError("the connection was reset as it was made") from error


@dataclass
class Producer:
    """Publishes one event after another, from any number of tasks at a time.

    Every event has an idempotency key of its own. With `persistent` an event that was not accepted is asked for
    again, with the same key, until it is; without, every request stands for itself.
    """

    folder: Path
    key: str
    aims: Sequence[Aim]
    address: Address
    persistent: bool = True
    balanced: bool = False  # a connection that is refused is tried at the next address, as a load balancer does
    pause: float = 0.0  # seconds between two events of a task
    request_seconds: float = 30.0
    name: str = "event"
    answers: list[Answered] = field(default_factory=list)

    def __post_init__(self) -> None:
        _write_down(self.aims, self.folder)
        self._log = Log(self.folder / PRODUCER)
        self._numbers = count(1)
        self._next_aim = cycle(self.aims)
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()
        self._accepted = 0
        self._is_over = False

    async def run(self, tasks: int = 4, events: int | None = None) -> None:
        """Publish until so many events were asked for, or until `stop`."""
        headers = {"authorization": f"Bearer {self.key}"}
        limits = httpx.Limits(max_connections=tasks, max_keepalive_connections=tasks)
        transport = ResetAwareTransport(limits=limits, trust_env=False)
        try:
            async with (
                httpx.AsyncClient(headers=headers, timeout=self.request_seconds, transport=transport) as client,
                asyncio.TaskGroup() as group,
            ):
                for _ in range(tasks):
                    group.create_task(self._go_on(client, events))
        finally:
            self._is_over = True
            self._news.set()
            self._log.close()

    @asynccontextmanager
    async def publishing(self, tasks: int = 4) -> AsyncIterator[None]:
        """Publish as long as the block lasts, and see every event through after it."""
        running = asyncio.create_task(self.run(tasks))
        try:
            yield
        finally:
            self.stop()
            await running

    async def accepted(self, more: int) -> None:
        """Returns as soon as so many more events have been accepted. Raises NotPublishing when they never will be."""
        enough = self._accepted + more
        while self._accepted < enough:
            if self._is_over:
                raise NotPublishing
            self._news.clear()
            await self._news.wait()

    def stop(self) -> None:
        """Have every task end when its event is through."""
        self._stopping.set()

    async def _go_on(self, client: httpx.AsyncClient, events: int | None) -> None:
        while not self._stopping.is_set():
            number = next(self._numbers)
            if events is not None and number > events:
                return
            await self._see_through(client, number, next(self._next_aim))
            await asyncio.sleep(self.pause)

    async def _see_through(self, client: httpx.AsyncClient, number: int, aim: Aim) -> None:
        while (await self.publish(client, number, aim)).answer != "ok" and self.persistent:  # noqa: ASYNC110 - another process changes its mind
            await asyncio.sleep(RETRY_SECONDS)

    async def publish(self, client: httpx.AsyncClient, number: int, aim: Aim) -> Answered:
        """One request, and what came of it, written down."""
        key = f"{self.name}-{number}"
        contact = {"id": number, "email": f"contact-{number}@example.com"}
        content = {
            "type": EVENT_TYPE,
            "account": aim.account_id,
            "idempotency_key": key,
            "data": {"contact": contact},
        }
        asked_at = now()
        try:
            answer = await self._post(client, content)
        except httpx.TransportError as error:
            answered = Answered(
                asked_at=asked_at,
                answered_at=now(),
                key=key,
                account_id=aim.account_id,
                answer="fail" if isinstance(error, httpx.ConnectError) else "unknown",  # the one was never sent
                error=type(error).__name__,
            )
        else:
            answered = _answered(answer, asked_at, key, aim)
        self._log.write(answered)
        self.answers.append(answered)
        self._accepted += answered.answer == "ok"
        self._news.set()
        return answered

    async def _post(self, client: httpx.AsyncClient, content: object) -> httpx.Response:
        for _ in range(REFUSALS if self.balanced else 0):
            try:
                return await client.post(f"{self.address()}/api/v1/events", json=content)
            except httpx.ConnectError:
                continue
        return await client.post(f"{self.address()}/api/v1/events", json=content)


def _write_down(aims: Sequence[Aim], folder: Path) -> None:
    log = Log(folder / AIMS)
    for aim in aims:
        log.write(aim)
    log.close()


def _answered(answer: httpx.Response, asked_at: int, key: str, aim: Aim) -> Answered:
    accepted = answer.json() if answer.status_code == 202 else {}
    return Answered(
        asked_at=asked_at,
        answered_at=now(),
        key=key,
        account_id=aim.account_id,
        answer="ok" if accepted else "fail",
        status=answer.status_code,
        event_id=accepted.get("event_id"),
        deliveries=accepted.get("deliveries"),
        duplicate=accepted.get("duplicate", False),
        retry_after=answer.headers.get("retry-after"),
        error=None if accepted else answer.text[:500],
    )
