"""The receivers: one process of their own that logs every request and misbehaves by seed."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop
from httptools import HttpParserError, HttpRequestParser

from faults.records import RECEIVER, Arrival, Log, now

BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Manners:
    """How receivers behave: which shares of the requests they refuse with 503, and how long they take to answer.

    What a request meets follows from the seed, its message and how often that came before, so a run can be repeated.
    """

    seed: int = 0
    refused: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.0
    seconds: float = 0.0  # for the others
    retry_after: int = 0  # seconds that half of the refusals ask for, if any

    def towards(self, message_id: str, earlier: int) -> tuple[int, float]:
        """The status that this request is answered, and after how many seconds."""
        if not self.refused and not self.slow:
            return 200, self.seconds  # dice cost more than the rest of an answer
        dice = random.Random(f"{self.seed}/{message_id}/{earlier}")
        status = 503 if dice.random() < self.refused else 200
        return status, self.slow_seconds if dice.random() < self.slow else self.seconds

    def asks_to_wait(self, message_id: str, earlier: int) -> int | None:
        """The seconds of Retry-After, should this request be refused."""
        asks = random.Random(f"wait/{self.seed}/{message_id}/{earlier}").random() < 0.5
        return self.retry_after if self.retry_after and asks else None


@dataclass(frozen=True, slots=True)
class Farm:
    """A running farm: every path under its URL is a receiver."""

    url: str
    pid: int


@contextmanager
def farm(folder: Path, manners: Manners | None = None) -> Iterator[Farm]:
    """Receivers that log to the run's folder."""
    here, there = multiprocessing.Pipe()
    arguments = (there, folder, manners or Manners())
    process = multiprocessing.get_context("spawn").Process(target=_run, args=arguments, daemon=True)
    process.start()
    there.close()  # so that a farm that ends is an end of file here
    try:
        assert process.pid is not None
        yield Farm(here.recv(), process.pid)
    finally:
        process.terminate()
        process.join()


def _run(pipe: Connection, folder: Path, manners: Manners) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe, folder, manners))


async def _serve(pipe: Connection, folder: Path, manners: Manners) -> None:
    desk = Desk(folder, manners)
    server = await asyncio.get_running_loop().create_server(lambda: Connected(desk), "127.0.0.1", 0, backlog=BACKLOG)
    pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await server.serve_forever()


class Desk:
    """Writes each request down and says how it is answered."""

    def __init__(self, folder: Path, manners: Manners) -> None:
        self._log = Log(folder / RECEIVER)
        self._manners = manners
        self._seen: dict[tuple[str, str], int] = {}

    def take(self, path: str, headers: dict[str, str], body: bytes, port: int) -> tuple[int, float, int | None]:
        at, message_id = now(), headers.get("webhook-id", "")
        earlier = self._seen.get((path, message_id), 0)
        self._seen[path, message_id] = earlier + 1
        status, seconds = self._manners.towards(message_id, earlier)
        self._log.write(
            Arrival(
                at=at,
                path=path,
                message_id=message_id,
                timestamp=headers.get("webhook-timestamp", ""),
                signature=headers.get("webhook-signature", ""),
                body=body.decode("utf-8", "backslashreplace"),
                status=status,
                answer_in=seconds,
                port=port,
            )
        )
        return status, seconds, None if status < 400 else self._manners.asks_to_wait(message_id, earlier)


class Connected(asyncio.Protocol):
    """One connection; the `on_…` methods are what the parser calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._parser = HttpRequestParser(self)
        self.on_message_begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # uvloop's are no asyncio.Transport
        self._port = int(transport.get_extra_info("peername")[1])

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        self._path = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        status, seconds, retry_after = self._desk.take(
            self._path.decode("latin-1"), self._headers, b"".join(self._body), self._port
        )
        wait = b"" if retry_after is None else b"retry-after: %d\r\n" % retry_after
        answer = b"HTTP/1.1 %d -\r\n%scontent-length: 0\r\n\r\n" % (status, wait)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._answer, answer)
        else:
            self._answer(answer)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():  # the sender may have been killed meanwhile
            self._transport.write(answer)
