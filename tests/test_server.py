"""The socket's side: what a client may not do to the process before it has shown a key, and an orderly end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hookwright import http_connection
from hookwright.http_connection import MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_REQUESTS_AHEAD
from hookwright.server import ENOUGH_FILES, HttpServer, allow_many_files, listen

PATIENCE_SECONDS = 10
REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer_ok(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("ok")(scope, receive, send)


class Gate:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.reached = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.set()
        await self.opened.wait()
        await answer_ok(scope, receive, send)


@asynccontextmanager
async def serving(
    app: ASGIApp = answer_ok, drain_seconds: float = 1, max_connections: int = MAX_CONNECTIONS
) -> AsyncIterator[int]:
    """A server for the time of the block; yields its port."""
    with listen("127.0.0.1", 0) as listening:
        port: int = listening.getsockname()[1]
        http = HttpServer(app, drain_seconds, max_connections)
        running = asyncio.create_task(http.serve(sockets=[listening]))
        await http.ready.wait()
        try:
            yield port
        finally:
            http.should_exit = True
            async with asyncio.timeout(drain_seconds + PATIENCE_SECONDS):
                await running


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server closes the connection."""
    received = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            while data := await reader.read(65_536):
                received += data
        except ConnectionError:
            pass  # cut while we were still writing
    return received


async def write_without_end(writer: asyncio.StreamWriter, piece: bytes) -> int:
    """Write until the other side has had enough; how much was written."""
    written = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            while not writer.is_closing() and written < 100 * MAX_HEAD_BYTES:
                writer.write(piece)
                await writer.drain()
                written += len(piece)
        except ConnectionError:
            pass
    return written


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"GET /", b"a" * 8_192),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"name: value\r\n" * 500),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nname: ", b"a" * 8_192),
        (b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"name: value\r\n" * 500),
    ],
    ids=["path", "headers", "one header", "trailers"],
)
async def test_a_head_without_end_is_cut(beginning: bytes, piece: bytes) -> None:
    async with serving(Gate()) as port, connected(port) as (_, writer):
        writer.write(beginning)
        assert await write_without_end(writer, piece) < 100 * MAX_HEAD_BYTES


async def test_a_client_that_sends_on_without_taking_answers_is_cut() -> None:
    gate = Gate()
    async with serving(gate) as port, connected(port) as (reader, writer):
        writer.write(REQUEST * (MAX_REQUESTS_AHEAD + 2))
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 400 ")
        gate.opened.set()


async def test_requests_that_are_sent_ahead_within_reason_are_all_answered() -> None:
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(REQUEST * MAX_REQUESTS_AHEAD)
        writer.write(REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        assert (await rest_of(reader)).count(b"HTTP/1.1 200 OK") == MAX_REQUESTS_AHEAD + 1


async def test_a_large_body_is_no_large_head() -> None:
    size = 20 * MAX_HEAD_BYTES
    head = b"POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(head + b"a" * size)
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("beginning", [b"", b"GET / HT"], ids=["nothing", "half a head"])
async def test_a_connection_on_which_no_request_comes_is_closed_after_a_while(
    beginning: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "KEEP_ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.1)
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(beginning)
        assert await rest_of(reader) == b""


async def test_a_request_under_way_is_not_closed_by_the_clock_of_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "KEEP_ALIVE_SECONDS", 0.05)
    gate = Gate()
    async with serving(gate) as port, connected(port) as (reader, writer):
        writer.write(REQUEST)
        asyncio.get_running_loop().call_later(0.2, gate.opened.set)
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 200 ")


async def test_connections_that_are_idle_or_half_way_through_a_head_do_not_hold_up_the_end() -> None:
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        AsyncExitStack() as connections,
        serving(drain_seconds=10 * PATIENCE_SECONDS) as port,
    ):
        for beginning in (b"", b"GET / HT", REQUEST):
            reader, writer = await connections.enter_async_context(connected(port))
            writer.write(beginning)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"


def test_a_process_may_open_as_many_files_as_its_user_is_allowed() -> None:
    resource = pytest.importorskip("resource")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert allow_many_files() >= min(ENOUGH_FILES, hard if hard != resource.RLIM_INFINITY else ENOUGH_FILES)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == hard
