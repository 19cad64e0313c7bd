"""Several processes: behind one port, with different roles, and taking over from one that was killed."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import kill
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.conftest import Environ, HeldRequests, publisher_for
from e2e.test_crashes import Load, everything_is_delivered, reconcile
from hookwright.testing.receiver import Receiver
from processes import Running, hookwright

PATIENCE_SECONDS = 30

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


def logged(running: Running, event: str) -> list[dict[str, Any]]:
    """What has been logged of an event until now."""
    records = [json.loads(line) for line in running.errors if line.startswith("{")]
    return [record for record in records if record["event"] == event]


class Several:
    """A parent with its children, whose log is read all the time."""

    def __init__(self, running: Running, ready: dict[str, Any]) -> None:
        self._running = running
        self.url = str(ready["url"])
        self.monitor = str(ready.get("monitor"))
        self._reading = asyncio.create_task(running.read_log())

    def pids(self) -> dict[int, int]:
        """The newest pid of each process that has been ready."""
        return {line["process"]: line["pid"] for line in self.lines("process ready")}

    def lines(self, event: str) -> list[dict[str, Any]]:
        return logged(self._running, event)

    async def stop(self) -> int:
        self._running.send(signal.SIGTERM)
        await self._reading
        return (await self._running.end())[0]


@asynccontextmanager
async def several(environ: Environ, folder: Path, *options: str) -> AsyncIterator[Several]:
    async with hookwright("serve", *options, environ=environ, folder=folder) as running:
        yield Several(running, await running.logged("ready"))


async def test_nothing_is_lost_though_one_of_several_processes_is_killed_under_load(
    environ: Environ, tmp_path: Path
) -> None:
    environ = {**environ, "HOOKWRIGHT_LEASE_SECONDS": "1"}
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url + "/1")
        async with several(environ, tmp_path, "--processes", "2") as server:
            before = server.pids()
            assert len(before) == 2
            # Publishers stop when their process is killed: of the eight, some have a connection to the other one.
            load = Load(publisher, server.url, enough=200)
            running = asyncio.create_task(load.run())
            await load.answered(50)
            kill(before[1], signal.SIGKILL)
            await running
            await Load(publisher, server.url, enough=50).run()
            await everything_is_delivered(environ, publisher)
            assert [line["exit_code"] for line in server.lines("process ended")] == [-signal.SIGKILL]
            assert await server.stop() == 0
        await reconcile(environ, publisher, receiver, load.event_ids)


async def test_the_port_is_never_closed_and_whoever_comes_meanwhile_is_answered(
    environ: Environ, tmp_path: Path
) -> None:
    async with several(environ, tmp_path, "--processes", "2") as server:
        before = server.pids()
        for pid in before.values():
            kill(pid, signal.SIGKILL)
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            for _ in range(8):
                answer = await client.get("/healthz", headers={"connection": "close"})
                assert answer.status_code == 200
        assert len(server.lines("process ended")) == 2
        assert await server.stop() == 0


async def test_children_whose_parent_is_gone_end(environ: Environ, tmp_path: Path) -> None:
    async with hookwright("serve", "--processes", "2", environ=environ, folder=tmp_path) as running:
        await running.logged("ready")
        running.send(signal.SIGKILL)
        # The end of the log is the end of the last process that could write into it.
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running.read_log()
        assert len(logged(running, "draining")) == 2


async def test_an_api_accepts_and_a_worker_sends(environ: Environ, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        monitored = {**environ, "HOOKWRIGHT_METRICS_PORT": "0"}
        async with several(monitored, tmp_path, "--role", "api") as api:
            await publisher.publish(api.url, 3)
            async with several(environ, tmp_path, "--role", "worker") as worker:
                await receiver.wait_for(3, PATIENCE_SECONDS)
                await publisher.publish(api.url, 3)
                await receiver.wait_for(6, PATIENCE_SECONDS)
                async with httpx.AsyncClient(trust_env=False) as client:
                    for path, status in {
                        "/readyz": 200,
                        "/metrics": 200,
                        "/api/v1/events": 404,
                        "/v1/me": 404,
                    }.items():
                        assert (await client.get(worker.url + path)).status_code == status, path
                    assert (await client.get(api.url + "/metrics")).status_code == 404
                    assert (await client.get(api.monitor + "/metrics")).status_code == 200
                assert await worker.stop() == 0
            assert await api.stop() == 0
            assert api.lines("attempt") == []


async def test_what_a_killed_node_was_sending_is_sent_by_another(environ: Environ, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        held = HeldRequests()
        receiver.behave(held)
        async with hookwright("serve", environ=environ, folder=tmp_path) as killed:
            url = str((await killed.logged("ready"))["url"])
            event_ids = await publisher.publish(url, 5)
            await asyncio.wait_for(held.arrived.wait(), PATIENCE_SECONDS)
            async with several(environ, tmp_path) as left:
                receiver.behave(None)
                killed.send(signal.SIGKILL)
                # A lease lasts eight seconds. How soon after them is judged by `make faults`, beside the load.
                requests = await receiver.wait_for(len(event_ids), PATIENCE_SECONDS)
                assert sorted(each.headers["webhook-id"][:36] for each in requests) == sorted(event_ids)
                assert await left.stop() == 0


async def test_nodes_have_about_as_many_lanes_each(environ: Environ, tmp_path: Path) -> None:
    async with hookwright("serve", environ=environ, folder=tmp_path) as first:
        assert (await first.logged("lanes shared anew"))["lanes"] == 64
        async with hookwright("serve", environ=environ, folder=tmp_path) as second:
            assert (await first.logged("lanes shared anew"))["lanes"] == 32
            assert (await second.logged("lanes shared anew"))["lanes"] == 32
            assert await second.stop() == 0
            # Given back at the end: nobody waits for a lease.
            async with asyncio.timeout(4):
                assert (await first.logged("lanes shared anew"))["lanes"] == 64
        assert await first.stop() == 0
