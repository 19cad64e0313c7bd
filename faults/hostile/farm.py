"""All hostile receivers in one process of their own: each on its own port, and one port for the statuses."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, SupportsIndex

import uvloop

from faults.hostile.answers import ANSWERS
from faults.hostile.certificates import HOST, authority
from faults.hostile.floods import FLOODS, prepare_bombs
from faults.hostile.handshakes import HANDSHAKES
from faults.hostile.hostility import Handler, Hostility
from faults.hostile.poison import POISON
from faults.hostile.stages import STAGES
from faults.hostile.statuses import STATUSES, TRAP, answer_as_the_path_says, comes_to

BACKLOG = 1024

HOSTILITIES: tuple[Hostility, ...] = (*STAGES, *HANDSHAKES, *ANSWERS, *FLOODS, *POISON)


class HostileTarget(NamedTuple):
    """Where a hostile receiver listens, and what an attempt at it may come to."""

    name: str
    url: str
    comes_to: frozenset[str]
    echoes: bool


class Opened(NamedTuple):
    """What the farm says when it listens."""

    targets: list[HostileTarget]
    authority_pem: bytes


class Seen(NamedTuple):
    """What no receiver may ever see."""

    cookies: int
    followed: int


@contextmanager
def hostile_receivers() -> Iterator[HostileReceivers]:
    """A running farm; it is ended afterwards."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there,), daemon=True)
    process.start()
    there.close()  # so that a farm that ends is an end of file here
    try:
        yield HostileReceivers(here.recv(), here)
    finally:
        process.terminate()
        process.join()


class HostileReceivers:
    """The farm, seen from outside."""

    def __init__(self, opened: Opened, pipe: Connection) -> None:
        self.targets = opened.targets
        self.authority_pem = opened.authority_pem
        self._pipe = pipe

    def seen(self) -> Seen:
        """What was seen until now of that which nobody may see."""
        self._pipe.send("seen")
        return Seen(*self._pipe.recv())


def _run(pipe: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    watch = Watch()
    prepare_bombs()
    targets = [
        HostileTarget(each.name, await _listen(each, watch), each.comes_to, each.echoes) for each in HOSTILITIES
    ]
    port = await _accept(answer_as_the_path_says, watch)
    targets += [
        HostileTarget(f"status_{status}", f"http://{HOST}:{port}/{status}", comes_to(status), echoes=False)
        for status in STATUSES
    ]
    pipe.send(Opened(targets, authority().pem))
    while await asyncio.to_thread(pipe.recv):
        pipe.send((watch.cookies, watch.followed))


class Watch:
    """Looks through what every plain connection sends."""

    def __init__(self) -> None:
        self.cookies = 0
        self.followed = 0

    def look(self, data: bytes) -> None:
        # Our sender writes the names of its headers in lower case, and a request of this size in one piece.
        self.cookies += b"\r\ncookie" in data
        self.followed += f" {TRAP} ".encode() in data


class WatchedReader(asyncio.StreamReader):
    """A stream of which the watch sees every byte."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        self._watch.look(bytes(data))
        super().feed_data(data)


async def _listen(hostility: Hostility, watch: Watch) -> str:
    if not hostility.accepts:
        return f"{hostility.scheme}://{HOST}:{_full_queue()}/"
    context = None
    if hostility.certificate is not None:
        context = authority().context(hostility.certificate, hostility.tls)
    port = await _accept(hostility.handler, watch, context)
    return f"{hostility.scheme}://{HOST}:{port}/"


async def _accept(handler: Handler, watch: Watch, context: ssl.SSLContext | None = None) -> int:
    """The port of a new receiver."""

    def protocol() -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(WatchedReader(watch), hand_over)

    def hand_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_handle(handler, reader, writer))
        _kept.add(task)  # the loop alone would let it be collected while it waits
        task.add_done_callback(_kept.discard)

    server = await asyncio.get_running_loop().create_server(protocol, HOST, 0, ssl=context, backlog=BACKLOG)
    _kept.add(server)
    return int(server.sockets[0].getsockname()[1])


async def _handle(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # An exchange that was broken off is what most of them are for; one over TLS may end in any OSError.
    with suppress(OSError, asyncio.IncompleteReadError):
        await handler(reader, writer)
    writer.transport.abort()


def _full_queue() -> int:
    """The port of a socket that accepts nothing, and whose queue of connections is full."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(0)
    _kept.add(listener)
    for _ in range(4):
        waiting = socket.socket()
        waiting.setblocking(False)
        with suppress(BlockingIOError):
            waiting.connect(listener.getsockname())
        _kept.add(waiting)
    return int(listener.getsockname()[1])


# What would end if nobody held it: sockets, servers, and the tasks of open connections.
_kept: set[Any] = set()
