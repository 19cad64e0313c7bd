"""Rounds of publishing and receiving, each reconciled: from the first publish to the last delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from tempfile import TemporaryDirectory

from benchmarks.measure import Round, Stage
from benchmarks.processes import cpu_seconds
from benchmarks.publishing import Aim, Publication, Published
from benchmarks.receiving import Arrival, ReceiverProcess, receiver_process
from benchmarks.reconciling import reconcile
from benchmarks.server import Server, serving

BATCH_SIZE = 250
BATCH_CONNECTIONS = 2
SINGLE_CONNECTIONS = 64
WARM_UP_EVENTS = 1_000


class Line:
    """A server, its database and its receiver, and what their processes cost while deliveries run through them."""

    def __init__(self, database_url: str, server: Server, receiver: ReceiverProcess, postmaster: int | None) -> None:
        self.database_url = database_url
        self.server = server
        self.receiver = receiver
        self._processes = {"server": server.pid, "receiver": receiver.pid}
        if postmaster is not None:
            self._processes["database"] = postmaster

    def batches(self, aims: Sequence[Aim], events: int, size: int = BATCH_SIZE) -> list[Publication]:
        """Publications of several events each, for the aims in turn."""
        each = list(islice(cycle(aims), events))
        requests = self.server.publisher.requests
        return [requests.batch(first, each[first : first + size]) for first in range(0, events, size)]

    def singles(self, aims: Sequence[Aim], events: int) -> list[Publication]:
        """Publications of one event each, for the aims in turn."""
        requests = self.server.publisher.requests
        return [requests.single(number, aim) for number, aim in enumerate(islice(cycle(aims), events))]

    async def rate(self, publications: Sequence[Publication], connections: int = BATCH_CONNECTIONS) -> Round:
        """Deliveries a second, and the CPU time that each costs. Raises Unreconciled, NotAllCame, Refused."""
        before = self.cpu_seconds()
        published = await self.server.publisher.publish_all(publications, connections)
        arrivals = await self.received(published)
        after = self.cpu_seconds()
        seconds = (max(each.at for each in arrivals) - min(each.at for each in published)) / 1e9
        return {
            "end_to_end_per_second": len(arrivals) / seconds,
            **{f"{name}_cpu_us": (after[name] - cpu) / len(arrivals) * 1e6 for name, cpu in before.items()},
        }

    async def warm_up(self, aims: Sequence[Aim]) -> None:
        """Deliver a little first: connections open, statements are prepared."""
        await self.rate(self.batches(aims, WARM_UP_EVENTS))

    async def received(self, published: Sequence[Published]) -> list[Arrival]:
        """Wait until all that was accepted has arrived and is recorded. Raises Unreconciled, NotAllCame, Refused."""
        return await self.received_exactly([delivery for each in published for delivery in each.expected()])

    async def received_exactly(self, expected: Sequence[tuple[str, str]]) -> list[Arrival]:
        """Wait for deliveries by path and message id. Raises Unreconciled if others or more came, NotAllCame."""
        await self.receiver.reached(len(expected))
        await self.server.quiet()
        arrivals = self.receiver.take()
        reconcile(expected, arrivals)
        return arrivals

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far, by the name of the process."""
        return {name: cpu_seconds(pid) for name, pid in self._processes.items()}


@asynccontextmanager
async def postgres_line(
    stage: Stage, receiver: ReceiverProcess | None = None, extra: dict[str, str] | None = None, processes: int = 1
) -> AsyncIterator[Line]:
    """A server on a new PostgreSQL database. Its receiver is a plain one, unless another is given."""
    if receiver is None:
        with receiver_process() as plain:
            async with postgres_line(stage, plain, extra, processes) as line:
                yield line
        return
    async with stage.postgres.database() as url, serving(url, stage.folder, extra, processes) as server:
        yield Line(url, server, receiver, await stage.postgres.postmaster())


@asynccontextmanager
async def sqlite_line(stage: Stage) -> AsyncIterator[Line]:
    """A server on a new SQLite file, with a plain receiver."""
    with TemporaryDirectory(dir=stage.folder) as folder, receiver_process() as receiver:
        url = f"sqlite:{folder}/hookwright.sqlite3"
        async with serving(url, stage.folder) as server:
            yield Line(url, server, receiver, None)
