"""The load: a small HTTP client that publishes over connections that it keeps open, as a platform would.

It is cheap for the same reason as the receiver: requests are bytes that are made before the clock runs, answers are
taken apart by hand and read only after it has stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from benchmarks.events import EVENT_TYPE, event_data

ACCEPTED = 202


class Answer(NamedTuple):
    """A status and a body."""

    status: int
    body: bytes


class Refused(Exception):
    """The server did not do what was asked."""


class Aim(NamedTuple):
    """Where an event goes: the account it is published for, the tag it is about, the path it is to arrive at."""

    account_id: int
    path: str
    tag: int = 123


class Publication(NamedTuple):
    """One publish request, and the path where each of its events is to arrive."""

    request: bytes
    paths: tuple[str, ...]


class Published(NamedTuple):
    """A publication with the answer to it, and when it was to be sent (ns of the monotonic clock)."""

    publication: Publication
    answer: Answer
    at: int

    def expected(self) -> list[tuple[str, str]]:
        """The path and the message id of every delivery that the answer promises. Raises Refused."""
        return list(zip(self.publication.paths, accepted_ids(self.answer), strict=True))


class Requests:
    """Makes publish requests for one server and one key."""

    def __init__(self, key: str) -> None:
        self._head = f"host: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"

    def post(self, path: str, body: bytes) -> bytes:
        """Any POST."""
        return f"POST {path} HTTP/1.1\r\n{self._head}content-length: {len(body)}\r\n\r\n".encode() + body

    def get(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode()

    def single(self, number: int, aim: Aim) -> Publication:
        """One event in one request."""
        return Publication(self.post("/api/v1/events", _event(number, aim)), (aim.path,))

    def batch(self, first_number: int, aims: Sequence[Aim]) -> Publication:
        """Several events in one request."""
        events = b",".join(_event(first_number + place, aim) for place, aim in enumerate(aims))
        body = b'{"events":[' + events + b"]}"
        return Publication(self.post("/api/v1/events/batch", body), tuple(aim.path for aim in aims))


class Publisher:
    """A few open connections to one server."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self.key = key
        self.requests = Requests(key)
        self._idle: list[_ClientConnection] = []

    async def publish_all(self, publications: Iterable[Publication], connections: int) -> list[Published]:
        """Publish as fast as the server answers, each connection one request after another."""
        waiting = iter(publications)
        published: list[Published] = []

        async def publish_some() -> None:
            for publication in waiting:
                at = time.monotonic_ns()
                published.append(Published(publication, await self.exchange(publication.request), at))

        await asyncio.gather(*(publish_some() for _ in range(connections)))
        return published

    async def publish_paced(self, publications: Iterable[Publication], per_second: float) -> list[Published]:
        """Publish at a steady rate, whether the server keeps up or not.

        Each is dated when it was to be sent, so that a server that stalls is not spared the requests that waited.
        """
        began = time.monotonic_ns()
        under_way: list[asyncio.Task[Published]] = []
        for number, publication in enumerate(publications):
            at = began + round(number * 1e9 / per_second)
            await asyncio.sleep((at - time.monotonic_ns()) / 1e9)
            under_way.append(asyncio.create_task(self._publish(publication, at)))
        return list(await asyncio.gather(*under_way))

    async def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """POST an object, and the object of the answer. Raises Refused."""
        answer = await self.exchange(self.requests.post(path, msgspec.json.encode(content)))
        if answer.status >= 300:
            raise Refused(f"POST {path}: {answer.status} {answer.body.decode()[:500]}")
        return msgspec.json.decode(answer.body)

    async def exchange(self, request: bytes) -> Answer:
        """One request over a connection that is free, or over a new one."""
        connection = self._idle.pop() if self._idle else await self._connect()
        answer = await connection.exchange(request)
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _publish(self, publication: Publication, at: int) -> Published:
        return Published(publication, await self.exchange(publication.request), at)

    async def _connect(self) -> _ClientConnection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _ClientConnection(loop), self._host, self._port)
        return connection


@asynccontextmanager
async def publisher_to(url: str, key: str) -> AsyncIterator[Publisher]:
    """A publisher whose connections are closed afterwards."""
    publisher = Publisher(url, key)
    try:
        yield publisher
    finally:
        publisher.close()
        await asyncio.sleep(0)  # let the loop tell the transports that they are closed


def accepted_ids(answer: Answer) -> list[str]:
    """The ids of the events that an answer to a publish accepts. Raises Refused unless it accepts all of them."""
    if answer.status != ACCEPTED:
        raise Refused(f"publish: {answer.status} {answer.body.decode()[:500]}")
    content = msgspec.json.decode(answer.body)
    results = content.get("results", [content])
    if not all(result.get("duplicate") is False for result in results):
        raise Refused(f"publish: not every event was accepted as a new one: {answer.body.decode()[:500]}")
    return [result["event_id"] for result in results]


def _event(number: int, aim: Aim) -> bytes:
    head = f'{{"type":"{EVENT_TYPE}","account":{aim.account_id},"data":'
    return head.encode() + event_data(number, aim.tag) + b"}"


class _ClientConnection(asyncio.Protocol):
    """One exchange after another."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._received = b""
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # uvloop's are no asyncio.Transport

    def exchange(self, request: bytes) -> asyncio.Future[Answer]:
        self._waiting = self._loop.create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None:
            return
        body = self._received[end + 4 :]
        if len(body) == _content_length(self._received[:end].lower()):
            answer = Answer(int(self._received[9:12]), body)
            self._received = b""
            self._waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Refused("the server closed the connection"))


def _content_length(head: bytes) -> int:
    start = head.find(b"content-length: ")
    return int(head[start + 16 :].partition(b"\r")[0]) if start >= 0 else 0
