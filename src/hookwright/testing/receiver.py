"""A receiver for tests: a real HTTP server on a real socket, which remembers what it was sent.

async with Receiver() as receiver:
    ...                                     # have something POST to receiver.url
    [request] = await receiver.wait_for(1)
    assert request.json() == {"id": 1}
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

BACKLOG = 2048

RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request. `path` holds the query too; header names are lower-case; `body` is what came, to the byte."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not."""
        return json.loads(self.body)


class Receiver:
    """Answers 200 to everything until it is told otherwise.

    `keep` is how many requests it remembers, the newest ones; `count` is how many came in all. With an SSL context
    it serves https, under the name that the certificate has: set `host_name` to have it in `url`.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        host_name: str = "127.0.0.1",
        port: int = 0,
        keep: int = 100_000,
    ) -> None:
        self.requests: deque[Received] = deque(maxlen=keep)
        self.count = 0
        self.connection_count = 0
        self._ssl_context = ssl_context
        self._host_name = host_name
        self._port = port
        self._server: asyncio.Server | None = None
        self._default = _answer_bytes(200, b"", {})
        self._next: deque[bytes] = deque()
        self._handler: RawHandler | None = None
        self._handling: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.Transport] = set()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def __aenter__(self) -> Receiver:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where to send to, without a path: `http://127.0.0.1:PORT`."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://{self._host_name}:{self.port}"

    @property
    def port(self) -> int:
        assert self._server is not None, "the receiver is not started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen; a receiver that was stopped listens on the same port again."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, "127.0.0.1", self._port, ssl=self._ssl_context, backlog=BACKLOG
        )
        self._port = self.port

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        assert self._server is not None, "the receiver is not started"
        self._server.close()
        self.drop_connections()
        for task in tuple(self._handling):
            task.cancel()
        await asyncio.gather(*self._handling, return_exceptions=True)
        await asyncio.sleep(0)  # let the loop tell the transports that they are closed

    def drop_connections(self) -> None:
        """Cut every open connection, as a restart does."""
        for transport in tuple(self._open):
            transport.abort()

    def answer(
        self, status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None, times: int | None = None
    ) -> None:
        """Give this answer to the next `times` requests, after those already planned; without `times`, from now on.

        The header `connection: close` has the connection closed after the answer.
        """
        answer = _answer_bytes(status, body, headers or {})
        if times is None:
            self._default = answer
        else:
            self._next.extend([answer] * times)

    def fail_next(self, times: int, status: int = 500) -> None:
        """Answer the next requests with an error."""
        self.answer(status, times=times)

    def behave(self, handler: RawHandler | None) -> None:
        """Hand each new connection to a handler, which may do as it likes; None to answer in good order again.

        `hookwright.testing.misbehaviour` holds handlers. What they read is not remembered.
        """
        self._handler = handler

    async def wait_for(self, count: int, timeout: float = 5) -> list[Received]:  # noqa: ASYNC109 - tests read better
        """The requests, as soon as `count` have come in all. Raises AssertionError after `timeout` seconds."""
        if self.count < count:
            arrival = asyncio.get_running_loop().create_future()
            self._waiting.append((count, arrival))
            try:
                async with asyncio.timeout(timeout):
                    await arrival
            except TimeoutError:
                raise AssertionError(f"{self.count} of {count} requests came within {timeout:g} s") from None
        return list(self.requests)

    def _protocol(self) -> asyncio.Protocol:
        self.connection_count += 1
        if self._handler is None:
            return _ServerConnection(self)
        reader = asyncio.StreamReader()
        return asyncio.StreamReaderProtocol(reader, self._hand_over(self._handler))

    def _hand_over(self, handler: RawHandler) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(_handle(handler, reader, writer))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

        return handle

    def _receive(self, request: Received) -> bytes:
        self.requests.append(request)
        self.count += 1
        if self._waiting:
            self._tell_waiting()
        return self._next.popleft() if self._next else self._default

    def _tell_waiting(self) -> None:
        for count, arrival in self._waiting:
            if count <= self.count and not arrival.done():
                arrival.set_result(None)
        self._waiting = [(count, arrival) for count, arrival in self._waiting if not arrival.done()]


class _ServerConnection(asyncio.Protocol):
    """Reads requests and writes planned answers. The `on_…` methods are what the parser calls."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self.on_message_begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's transports are no asyncio.Transport
        assert self._transport is not None
        self._receiver._open.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        assert self._transport is not None
        self._receiver._open.discard(self._transport)
        self._parser = None  # the two hold each other

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._transport.write(_answer_bytes(400, b"", {"connection": "close"}))
            self._transport.close()

    def on_message_begin(self) -> None:
        self._path = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        assert self._parser is not None
        assert self._transport is not None
        method = self._parser.get_method().decode("ascii")
        request = Received(method, self._path.decode("latin-1"), self._headers, b"".join(self._body))
        answer = self._receiver._receive(request)
        self._transport.write(answer)
        if not self._parser.should_keep_alive() or b"\r\nconnection: close\r\n" in answer:
            self._transport.close()


async def _handle(handler: RawHandler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await handler(reader, writer)
    except ConnectionError:
        pass  # the sender has had enough, which is what most handlers are for
    finally:
        writer.transport.abort()


def _answer_bytes(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {'OK' if status < 400 else 'Error'}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    # RFC 9110 §8.6: these two have no content, and 204 must not announce any.
    if status not in (204, 304):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
