"""A server for a measurement: a process of its own with the default settings, on a database that goes with it."""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hookwright.ambient import new_signing_key
from hookwright.app import open_services
from hookwright.cli.server_calls import Server
from hookwright.config import PREFIX, environment_without_settings, load_settings
from hookwright.core.errors import Unavailable
from hookwright.operations.keys import ADMIN, create_key
from hookwright.testing.postgres import fresh_database

START_SECONDS = 30.0
LOOK_SECONDS = 0.05
EMPTY = "template1"  # what PostgreSQL copies where nothing else is named


class DidNotStart(Unavailable):
    """There is no server to measure; the message says why."""


@asynccontextmanager
async def temporary_server(postgres_url: str | None) -> AsyncIterator[Server]:
    """A running server and a key that may do everything: on SQLite, or on a new database of this PostgreSQL."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hookwright-bench-")))
        database_url = f"sqlite:{folder / 'hookwright.sqlite3'}"
        if postgres_url is not None:
            try:
                database_url = await stack.enter_async_context(fresh_database(postgres_url, EMPTY))
            except Exception as error:  # whatever the driver says of the address, the password, the rights
                raise DidNotStart(f"--database: no database could be made there: {error}") from None
        settings = {
            "DATABASE_URL": database_url,
            "MASTER_KEY": b64encode(new_signing_key()).decode(),
            "ALLOW_PRIVATE_TARGETS": "true",  # the receiver is on this machine
        }
        environ = {f"{PREFIX}{name}": value for name, value in settings.items()}
        async with open_services(load_settings(environ)) as services:
            key = (await create_key(services, "hookwright", None, "bench", [ADMIN])).secret
        yield Server(await stack.enter_async_context(_served(environ, folder)), key)


@asynccontextmanager
async def _served(environ: Mapping[str, str], folder: Path) -> AsyncIterator[str]:
    """The URL of `hookwright serve` with these settings. Its log goes to a file, every attempt a line, as usual."""
    log_path = folder / "log"
    with log_path.open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hookwright.cli", "serve", "--port", "0"),
            cwd=folder,  # where there is no hookwright.toml
            env={**environment_without_settings(), **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield await _ready_url(process, log_path)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready_url(process: asyncio.subprocess.Process, log_path: Path) -> str:
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                if (url := _url_in(log_path)) is not None:
                    return url
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise DidNotStart(f"the server was not ready within {START_SECONDS:g} s") from None
    raise DidNotStart(f"the server ended with the exit code {process.returncode}, and said: {_last_line(log_path)}")


def _last_line(log_path: Path) -> str:
    return (log_path.read_text().splitlines() or ["nothing"])[-1]


def _url_in(log_path: Path) -> str | None:
    """The URL in the line that says `ready`; the last line may be half written."""
    for line in log_path.read_text().splitlines():
        if line.startswith("{") and line.endswith("}") and (told := json.loads(line))["event"] == "ready":
            return str(told["url"])
    return None
