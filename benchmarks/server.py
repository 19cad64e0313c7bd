"""`hookwright serve` as a process of its own, with the settings that a user would have."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import uuid4

from benchmarks.events import EVENT_TYPE
from benchmarks.publishing import Aim, Publisher, publisher_to

MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
START_SECONDS = 30.0
QUIET_SECONDS = 60.0

COMMAND = (sys.executable, "-m", "hookwright.cli")


class DidNotStart(Exception):
    """The process ended, or was not ready in time."""


class Server:
    """A running server: its process, its URL, and a connection to publish with the key that may do everything."""

    def __init__(self, pid: int, url: str, publisher: Publisher, metrics_ports: Sequence[int] = ()) -> None:
        """`metrics_ports` are those of several processes; a single one answers at its URL."""
        self.pid = pid
        self.url = url
        self.publisher = publisher
        self._metrics_ports = metrics_ports

    async def subscribe(self, url: str, resource: str | None = None) -> Aim:
        """A new account with one endpoint; what is published there arrives at the URL's path."""
        account = await self.publisher.post("/api/v1/accounts", {"name": "benchmark"})
        wanted: dict[str, str] = {"event": EVENT_TYPE}
        if resource is not None:
            wanted["resource"] = resource
        content = {"account": account["id"], "url": url, "events": [wanted]}
        await self.publisher.post("/api/v1/endpoints", content)
        return Aim(account["id"], urlsplit(url).path.removeprefix("/"))

    async def quiet(self) -> None:
        """Returns when nothing is in flight: every outcome is recorded."""
        async with asyncio.timeout(QUIET_SECONDS):
            while await self._in_flight():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.05)

    async def _in_flight(self) -> float:
        if not self._metrics_ports:
            answer = await self.publisher.exchange(self.publisher.requests.get("/metrics"))
            return _in_flight_by(answer.body)
        pages = [await asyncio.to_thread(_page, f"http://127.0.0.1:{port}/metrics") for port in self._metrics_ports]
        return sum(map(_in_flight_by, pages))


def _in_flight_by(metrics: bytes) -> float:
    (value,) = re.findall(rb"^hookwright_deliveries_in_flight (\S+)$", metrics, re.MULTILINE)
    return float(value)


def _page(url: str) -> bytes:
    with urlopen(url, timeout=QUIET_SECONDS) as answer:
        page: bytes = answer.read()
        return page


@asynccontextmanager
async def serving(
    database_url: str, folder: Path, extra: dict[str, str] | None = None, processes: int = 1
) -> AsyncIterator[Server]:
    """A server on a database that may be empty. Its log goes to a file, every attempt a line, as by default."""
    environ = environment(database_url) | (extra or {})
    metrics_ports = _free_ports(processes) if processes > 1 else ()
    if metrics_ports:
        environ |= {"HOOKWRIGHT_PROCESSES": str(processes), "HOOKWRIGHT_METRICS_PORT": str(metrics_ports[0])}
    key = await _run_to_end(environ, "keys", "create", "--kind", "hookwright", "--name", "b", "--scope", "admin")
    log_path = folder / f"server-{uuid4().hex}.log"
    with log_path.open("w") as log:
        process = await asyncio.create_subprocess_exec(*COMMAND, "serve", "--port", "0", env=environ, stderr=log)
    try:
        url = await _ready_url(process, log_path)
        async with publisher_to(url, key["secret"]) as publisher:
            yield Server(process.pid, url, publisher, metrics_ports)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_ports(number: int) -> Sequence[int]:
    """So many ports in a row that nobody listens on now."""
    while True:
        with ExitStack() as held:
            first = _hold_port(held, 0)
            try:
                for port in range(first + 1, first + number):
                    _hold_port(held, port)
            except (OSError, OverflowError):  # somebody has it, or there is none with this number
                continue
            return range(first, first + number)


def _hold_port(held: ExitStack, port: int) -> int:
    one = held.enter_context(socket.socket())
    one.bind(("127.0.0.1", port))
    return int(one.getsockname()[1])


def environment(database_url: str) -> dict[str, str]:
    """The variables of a server in production that may send to this machine; everything else is the default."""
    return {
        **without_settings(os.environ),
        "HOOKWRIGHT_DATABASE_URL": database_url,
        "HOOKWRIGHT_MASTER_KEY": MASTER_KEY,
        "HOOKWRIGHT_ALLOW_PRIVATE_TARGETS": "true",
    }


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment that sets nothing of Hookwright's."""
    return {name: value for name, value in environ.items() if not name.startswith("HOOKWRIGHT_")}


async def _run_to_end(environ: Mapping[str, str], *arguments: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, "--json", env=environ, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise DidNotStart(f"hookwright {' '.join(arguments)} ended with the exit code {process.returncode}")
    return json.loads(printed)


async def _ready_url(process: asyncio.subprocess.Process, log_path: Path) -> str:
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            if (url := _url_in(log_path)) is not None:
                return url
            await asyncio.sleep(0.05)
    raise DidNotStart(f"hookwright serve ended with the exit code {process.returncode}")


def _url_in(log_path: Path) -> str | None:
    """The URL in the log line that says `ready`; the last line may be half written."""
    for line in log_path.read_text().splitlines():
        if line.endswith("}") and (told := json.loads(line))["event"] == "ready":
            return str(told["url"])
    return None
