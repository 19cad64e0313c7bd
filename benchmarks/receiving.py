"""A receiver in a process of its own, so that what is measured does not share an interpreter with it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import uvloop

from hookwright.testing.receiver import Receiver


class ReceiverProcess:
    """Where the receiver listens, and how many requests it has had."""

    def __init__(self, url: str, pipe: Connection) -> None:
        self.url = url
        self._pipe = pipe

    def count(self) -> int:
        """Requests received so far."""
        self._pipe.send("count")
        return int(self._pipe.recv())

    async def reached(self, count: int) -> None:
        """Returns when so many requests have come."""
        self._pipe.send(count)
        await asyncio.to_thread(self._pipe.recv)


@contextmanager
def receiver_process() -> Iterator[ReceiverProcess]:
    """A receiver that answers 200 to everything, as fast as it can."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(there,), daemon=True)
    process.start()
    try:
        yield ReceiverProcess(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def _receive(pipe: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    async with Receiver(keep=1) as receiver:
        pipe.send(receiver.url)
        while True:
            question = await asyncio.to_thread(pipe.recv)
            if question != "count":
                await receiver.wait_for(int(question), timeout=300)
            pipe.send(receiver.count)
