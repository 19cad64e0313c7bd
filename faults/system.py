"""The system under test: `hookwright serve` as real processes on one database."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from faults.case import Plan
from faults.database import Postgres, postgres
from faults.records import Aim

EVENT_TYPE = "contact.activated"
MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
SQLITE_FILE = "hookwright.sqlite3"
START_SECONDS = 240.0  # a second on a machine of its own; CI shares its cores
END_SECONDS = 60.0

COMMAND = (sys.executable, "-m", "hookwright.cli")


class DidNotStart(Exception):
    """A process ended, or was not ready in time; its log says why."""


class Node:
    """One running process of the system."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, url: str, log_path: Path) -> None:
        self.name = name
        self.process = process
        self.url = url
        self.log_path = log_path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.send(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code of its orderly end."""
        self.send(signal.SIGTERM)
        async with asyncio.timeout(END_SECONDS):
            return await self.process.wait()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of this event."""
        return [line for line in _log_lines(self.log_path) if line.get("event") == event]


class System:
    """Any number of processes on one database. What is started here and still runs at the end is killed."""

    def __init__(
        self, database_url: str, folder: Path, settings: Mapping[str, str], postgres: Postgres | None
    ) -> None:
        self.database_url = database_url
        self.postgres = postgres  # the server, where it is one
        self.folder = folder
        self.environ = {
            **without_settings(os.environ),
            "HOOKWRIGHT_DATABASE_URL": database_url,
            "HOOKWRIGHT_MASTER_KEY": MASTER_KEY,
            "HOOKWRIGHT_ALLOW_PRIVATE_TARGETS": "true",
            **settings,
        }
        self._nodes: list[Node] = []
        self._numbers = count(1)
        self._key: str | None = None

    async def start(
        self,
        *arguments: str,
        port: int = 0,
        environ: Mapping[str, str] | None = None,
        command: tuple[str, ...] = COMMAND,
    ) -> Node:
        """A new process of `hookwright serve`, when it is ready. `environ` is added to the system's own."""
        name = f"node-{next(self._numbers)}"
        log_path = self.folder / f"{name}.log"
        with log_path.open("w") as log:
            process = await asyncio.create_subprocess_exec(
                *(*command, "serve", "--port", str(port), *arguments),
                cwd=self.folder,
                env={**self.environ, **(environ or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        node = Node(name, process, "", log_path)
        self._nodes.append(node)
        node.url = await _ready_url(node)
        return node

    async def key(self, environ: Mapping[str, str] | None = None) -> str:
        """The key of a platform that may do everything; made by the command line, once."""
        if self._key is None:
            arguments = ("keys", "create", "--kind", "hookwright", "--name", "faults", "--scope", "admin")
            self._key = str((await self.printed(*arguments, environ=environ))["secret"])
        return self._key

    async def printed(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Any:
        """What a command prints as JSON."""
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, *arguments, "--json"),
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        if process.returncode:
            raise DidNotStart(f"hookwright {' '.join(arguments)} ended with the exit code {process.returncode}")
        return json.loads(printed)

    @asynccontextmanager
    async def client(self, url: str, timeout: float = 30) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ASYNC109 - it is the client's own
        """A client of a node's own API, with the key that may do everything."""
        headers = {"authorization": f"Bearer {await self.key()}"}
        async with httpx.AsyncClient(
            base_url=f"{url}/api/v1", headers=headers, timeout=timeout, trust_env=False
        ) as client:
            yield client

    async def subscribe(
        self, node: Node, farm_url: str, accounts: int, *, endpoints_each: int = 1, **fields: Any
    ) -> list[Aim]:
        """So many new accounts with their endpoints, at a farm's paths /1, /2, …; `fields` are the endpoints'."""
        numbers = count(1)
        aims: list[Aim] = []
        async with self.client(node.url) as client:
            for account in range(1, accounts + 1):
                account_id = await _account(client, f"faults {account}")
                paths = [f"/{next(numbers)}" for _ in range(endpoints_each)]
                aims += [await _subscribe(client, account_id, farm_url, path, fields) for path in paths]
        return aims

    async def end(self) -> None:
        """Kill what still runs."""
        for node in self._nodes:
            if node.is_running:
                await node.kill()


@asynccontextmanager
async def system_on(
    plan: Plan, settings: Mapping[str, str] | None = None, postgres_settings: Mapping[str, str] | None = None
) -> AsyncIterator[System]:
    """A system with no process yet on the plan's database, in the plan's folder. `settings` are HOOKWRIGHT_*."""
    async with AsyncExitStack() as open_things:
        server: Postgres | None = None
        if plan.database == "sqlite":
            url = f"sqlite:{plan.folder / SQLITE_FILE}"
        else:
            server = open_things.enter_context(postgres(plan.folder, postgres_settings))
            url = await server.new_database()
        system = System(url, plan.folder, settings or {}, server)
        open_things.push_async_callback(system.end)
        yield system


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment that sets nothing of Hookwright's, and lets Python keep what it has compiled.

    A process that compiles everything anew takes half as long again to start, and some cases start dozens.
    """
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("HOOKWRIGHT_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def free_port() -> int:
    """A port that nobody listens on, for processes that follow one another on the same one."""
    with free_socket() as free:
        return int(free.getsockname()[1])


@contextmanager
def free_socket() -> Iterator[socket.socket]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free


async def _account(client: httpx.AsyncClient, name: str) -> int:
    return int((await client.post("/accounts", json={"name": name})).raise_for_status().json()["id"])


async def _subscribe(
    client: httpx.AsyncClient, account_id: int, farm_url: str, path: str, fields: Mapping[str, Any]
) -> Aim:
    content = {"account": account_id, "url": farm_url + path, "events": [{"event": EVENT_TYPE}], **fields}
    endpoint = (await client.post("/endpoints", json=content)).raise_for_status().json()
    return Aim(account_id, int(endpoint["id"]), path)


async def _ready_url(node: Node) -> str:
    async with asyncio.timeout(START_SECONDS):
        while node.is_running:
            if ready := node.logged("ready"):
                return str(ready[0]["url"])
            await asyncio.sleep(0.05)
    raise DidNotStart(f"{node.name} ended with the exit code {node.process.returncode}:\n{node.log_path.read_text()}")


def _log_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a log; the last one may be half written."""
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("{") and line.endswith("}"):
            try:
                yield json.loads(line)
            except ValueError:
                continue
