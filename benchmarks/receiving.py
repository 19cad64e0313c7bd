"""The receiver of every measure: a process of its own that answers 200 and notes what came when.

It is written to cost little, since it shares the machine with what is measured: no HTTP library, one look at each
request. It relies on what our sender does: header names in lower case, `content-length` in every request, and no
request before the last one is answered.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

import trustme
import uvloop

BACKLOG = 4096
KEEP = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

PATIENCE_SECONDS = 120.0


class Arrival(NamedTuple):
    """One request: when its last byte came (ns, monotonic), the path without its slash, the id."""

    at: int
    path: bytes
    message_id: bytes


class NotAllCame(Exception):
    """Deliveries that were accepted did not reach the receiver in time."""


class Opened(NamedTuple):
    """What a receiver says when it listens: its process, one URL for each host, and the authority of its TLS."""

    pid: int
    urls: list[str]
    authority_pem: bytes


class ReceiverProcess:
    """A running receiver: where it listens, and what it has had since it was last asked."""

    def __init__(self, opened: Opened, pipe: Connection) -> None:
        self.pid = opened.pid
        self.urls = opened.urls
        self.authority_pem = opened.authority_pem
        self._pipe = pipe

    @property
    def url(self) -> str:
        """Where a receiver with one host listens: `http://127.0.0.1:PORT`."""
        return self.urls[0]

    async def reached(self, count: int, seconds: float = PATIENCE_SECONDS) -> int:
        """When the request came with which so many had come since the last `take`. Raises NotAllCame."""
        self._pipe.send(("reached", count))
        if not await asyncio.to_thread(self._pipe.poll, seconds):
            self._pipe.send(("count", 0))
            raise NotAllCame(f"{self._pipe.recv():,} of {count:,} deliveries came within {seconds:g} s")
        return int(self._pipe.recv())

    def take(self) -> list[Arrival]:
        """Everything that came since the last `take`."""
        self._pipe.send(("take", 0))
        return [Arrival(*arrival) for arrival in self._pipe.recv()]


@contextmanager
def receiver_process() -> Iterator[ReceiverProcess]:
    """A receiver on plain HTTP that keeps connections open."""
    with _process(()) as receiver:
        yield receiver


@contextmanager
def closing_tls_receiver_process(hosts: Sequence[str]) -> Iterator[ReceiverProcess]:
    """A receiver on TLS at each of these addresses, each with its own certificate; it closes after every answer."""
    with _process(tuple(hosts)) as receiver:
        yield receiver


@contextmanager
def _process(tls_hosts: tuple[str, ...]) -> Iterator[ReceiverProcess]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, tls_hosts), daemon=True)
    process.start()
    there.close()  # so that a receiver that ends is an end of file here
    try:
        yield ReceiverProcess(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def _run(pipe: Connection, tls_hosts: tuple[str, ...]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe, tls_hosts))


async def _serve(pipe: Connection, tls_hosts: tuple[str, ...]) -> None:
    desk = Desk(pipe)
    pid = multiprocessing.current_process().pid
    assert pid is not None
    if tls_hosts:
        authority = trustme.CA()
        urls = [await _listen(desk, host, CLOSE, _tls_context(authority, host)) for host in tls_hosts]
        pipe.send(Opened(pid, urls, authority.cert_pem.bytes()))
    else:
        pipe.send(Opened(pid, [await _listen(desk, "127.0.0.1", KEEP)], b""))
    while True:
        desk.answer(*await asyncio.to_thread(pipe.recv))


async def _listen(desk: Desk, host: str, answer: bytes, tls: ssl.SSLContext | None = None) -> str:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ServerConnection(desk, answer), host, 0, ssl=tls, backlog=BACKLOG)
    return f"{'https' if tls else 'http'}://{host}:{server.sockets[0].getsockname()[1]}"


def _tls_context(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


class Desk:
    """Keeps the arrivals, and answers what the measuring process asks about them."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._arrivals: list[tuple[int, bytes, bytes]] = []
        self._awaited = 0  # how many arrivals somebody waits for; 0: nobody waits

    def note(self, path: bytes, message_id: bytes) -> None:
        self._arrivals.append((time.monotonic_ns(), path, message_id))
        if len(self._arrivals) == self._awaited:
            self._tell()

    def answer(self, question: str, count: int) -> None:
        if question == "take":
            taken, self._arrivals = self._arrivals, []
            self._awaited = 0
            self._pipe.send(taken)
        elif question == "count":
            self._awaited = 0
            self._pipe.send(len(self._arrivals))
        else:
            self._awaited = count
            if len(self._arrivals) >= count:
                self._tell()

    def _tell(self) -> None:
        self._pipe.send(self._arrivals[self._awaited - 1][0])
        self._awaited = 0


class ServerConnection(asyncio.Protocol):
    """Notes requests one after another and gives the same answer to each."""

    __slots__ = ("_answer", "_desk", "_last", "_received", "_transport")

    def __init__(self, desk: Desk, answer: bytes) -> None:
        self._desk = desk
        self._answer = answer
        self._last = answer is CLOSE
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # uvloop's are no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        if not _is_complete(data):
            self._received = data
            return
        self._received = b""
        self._desk.note(data[len(b"POST /") : data.find(b" ", 6)], _header(data, b"webhook-id: "))
        self._transport.write(self._answer)
        if self._last:
            self._transport.close()


def _is_complete(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    return end >= 0 and len(data) >= end + 4 + int(_header(data, b"content-length: "))


def _header(data: bytes, name: bytes) -> bytes:
    start = data.find(name) + len(name)
    return data[start : data.find(b"\r", start)]
