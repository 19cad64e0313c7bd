"""Clients that are slow, silent or many, on real sockets: what they hold is let go, and others are answered."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hookwright import http_connection
from hookwright.http_connection import MAX_HEADERS, MAX_URL_BYTES
from hookwright.server import allow_many_files
from test_server import PATIENCE_SECONDS, REQUEST, Gate, Streams, connected, rest_of, serving

SHORT = 0.2
BEAT = 0.02
MORE_THAN_BUFFERS_HOLD = 32 * 1024 * 1024
POST = b"POST / HTTP/1.1\r\nhost: localhost\r\n"
IDLE = 2_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(http_connection, name, SHORT)


async def answer_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body, and answers how long it was."""
    await PlainTextResponse(str(len(await Request(scope, receive).body())))(scope, receive, send)


async def drip(streams: Streams, piece: bytes) -> bytes:
    """Write a piece at a time until the server has had enough; everything that it answered."""
    reader, writer = streams
    answered = asyncio.create_task(rest_of(reader))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not answered.done():
            writer.write(piece)
            await asyncio.wait({answered}, timeout=BEAT)
    return answered.result()


@pytest.mark.parametrize(
    "beginning", [b"GET /", b"GET / HTTP/1.1\r\nhost: localhost\r\nname: "], ids=["line", "header"]
)
async def test_a_head_that_comes_byte_by_byte_is_cut(beginning: bytes) -> None:
    async with serving() as port, connected(port) as streams:
        streams[1].write(beginning)
        assert await drip(streams, b"a") == b""


async def test_so_is_the_head_of_a_later_request() -> None:
    async with serving() as port, connected(port) as streams:
        streams[1].write(REQUEST)
        assert (await drip(streams, b"a")).count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("headers", "piece"),
    [(b"content-length: 100000\r\n\r\n", b"a"), (b"transfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n")],
    ids=["of a length", "chunked"],
)
async def test_a_body_that_comes_byte_by_byte_is_refused(headers: bytes, piece: bytes) -> None:
    async with serving(answer_length) as port, connected(port) as streams:
        streams[1].write(POST + headers)
        assert (await drip(streams, piece)).startswith(b"HTTP/1.1 408 ")


async def test_a_body_in_several_pieces_is_read() -> None:
    async with serving(answer_length) as port, connected(port) as (reader, writer):
        writer.write(POST + b"connection: close\r\ncontent-length: 6\r\n\r\nab")
        for _ in range(2):
            await writer.drain()
            writer.write(b"cd")
        assert (await rest_of(reader)).endswith(b"\r\n\r\n6")


async def test_a_slow_app_is_waited_for_once_the_body_is_there() -> None:
    gate = Gate()
    async with serving(gate) as port, connected(port) as (reader, writer):
        writer.write(POST + b"connection: close\r\ncontent-length: 2\r\n\r\na")
        await writer.drain()
        writer.write(b"b")
        asyncio.get_running_loop().call_later(2 * SHORT, gate.opened.set)
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 200 ")


async def test_what_follows_an_answer_that_came_before_the_body_ended_is_not_read_for_ever() -> None:
    async with serving() as port, connected(port) as streams:
        streams[1].write(POST + b"content-length: 100000\r\n\r\n")
        assert (await drip(streams, b"a")).startswith(b"HTTP/1.1 200 ")


async def test_a_short_answer_comes_in_one_piece() -> None:
    async with serving(answer_length) as port, connected(port) as (reader, writer):
        for _ in range(20):
            writer.write(POST + b"content-length: 2\r\n\r\nab")
            answer = await reader.read(MORE_THAN_BUFFERS_HOLD)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"\r\n\r\n2")


async def test_the_head_of_an_answer_does_not_wait_for_a_body_that_is_yet_to_come() -> None:
    said = asyncio.Event()

    async def answer_later(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await said.wait()
        await send({"type": "http.response.body", "body": b"ab"})

    async with serving(answer_later) as port, connected(port) as (reader, writer):
        writer.write(REQUEST)
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            said.set()
            assert await reader.readexactly(2) == b"ab"


class LongAnswer:
    """Answers more than buffers hold, in one piece or in several; says when it has come to its end."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for left in reversed(range(self._pieces)):
            body = b"a" * (MORE_THAN_BUFFERS_HOLD // self._pieces)
            await send({"type": "http.response.body", "body": body, "more_body": left > 0})
        await receive()  # until the connection is gone, or the answer is complete
        self.ended.set()


@pytest.mark.parametrize("pieces", [1, 8], ids=["at once", "in pieces"])
async def test_an_answer_that_nobody_reads_is_given_up(pieces: int) -> None:
    app = LongAnswer(pieces)
    async with serving(app) as port, connected(port) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(REQUEST)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app.ended.wait()
            while not await is_cut(writer):
                pass
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await rest_of(reader)) < MORE_THAN_BUFFERS_HOLD


async def is_cut(writer: asyncio.StreamWriter) -> bool:
    """Whether the server has let go of a connection from which nobody reads."""
    await asyncio.wait({asyncio.create_task(writer.drain())}, timeout=BEAT)
    writer.write(b"a")
    return writer.transport.is_closing()


@asynccontextmanager
async def idle_connections(port: int, count: int) -> AsyncIterator[None]:
    allow_many_files()
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        yield


async def answer_to_a_request(port: int) -> bytes:
    async with connected(port) as (reader, writer):
        writer.write(REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        return await rest_of(reader)


@pytest.mark.parametrize("max_connections", [IDLE + 100, 100], ids=["within the limit", "beyond it"])
async def test_two_thousand_idle_connections_keep_nobody_from_being_answered(max_connections: int) -> None:
    async with serving(max_connections=max_connections) as port, idle_connections(port, IDLE):
        for _ in range(20):
            assert (await answer_to_a_request(port)).startswith(b"HTTP/1.1 200 ")


async def test_slow_bodies_keep_nobody_from_being_answered() -> None:
    async with AsyncExitStack() as connections, serving(answer_length) as port:
        for _ in range(200):
            _, writer = await connections.enter_async_context(connected(port))
            writer.write(POST + b"content-length: 100000\r\n\r\na")
        assert (await answer_to_a_request(port)).startswith(b"HTTP/1.1 200 ")


async def test_a_request_under_way_is_not_closed_to_make_room_and_a_connection_too_many_is_told() -> None:
    gate = Gate()
    async with serving(gate, max_connections=1) as port, connected(port) as (reader, writer):
        writer.write(REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        await gate.reached.wait()
        assert (await answer_to_a_request(port)).startswith(b"HTTP/1.1 503 ")
        gate.opened.set()
        assert b"HTTP/1.1 200 " in await rest_of(reader)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /%b HTTP/1.1\r\nhost: localhost\r\n" % (b"a" * MAX_URL_BYTES), b"414"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a: b\r\n" * MAX_HEADERS, b"431"),
        (POST + b"content-length: 1\r\ncontent-length: 2\r\n", b"400"),
        (POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n", b"400"),
        (POST + b"content-length: -1\r\n", b"400"),
        (POST + b"content-length: 99999999999999999999999\r\n", b"400"),
        (POST + b"transfer-encoding: gzip\r\n", b"400"),
    ],
    ids=[
        "a long URL",
        "many headers",
        "two lengths",
        "two framings",
        "a negative length",
        "a huge length",
        "no framing",
    ],
)
async def test_a_head_that_cannot_be_taken_is_refused_at_once(head: bytes, status: bytes) -> None:
    async with serving(answer_length) as port, connected(port) as (reader, writer):
        writer.write(head + b"\r\n")
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 " + status + b" ")


@pytest.mark.parametrize("missing", [b"content-length: 100\r\n\r\nabc", b"transfer-encoding: chunked\r\n\r\n5\r\nab"])
async def test_a_body_that_is_shorter_than_it_says_does_not_arrive(missing: bytes) -> None:
    async with serving(answer_length) as port, connected(port) as (reader, writer):
        writer.write(POST + missing)
        writer.write_eof()
        assert b"200" not in await rest_of(reader)
