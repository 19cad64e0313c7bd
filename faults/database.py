"""The database under test: a SQLite file or a real PostgreSQL of our own; and what is in it at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from faults.records import DUMP, AttemptRow, DeliveryRow, Dump, EventRow
from hookwright.testing.postgres import StartedPostgres, database_url, run, started_postgres

TABLES: Mapping[str, type[EventRow] | type[DeliveryRow] | type[AttemptRow]] = {
    "events": EventRow,
    "deliveries": DeliveryRow,
    "attempts": AttemptRow,
}

OUR_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


class Postgres:
    """A PostgreSQL server that may be killed and started again."""

    def __init__(self, server: StartedPostgres) -> None:
        self._server = server
        self.url = server.url

    @property
    def is_running(self) -> bool:
        return _is_there(self._server.pid)

    async def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"faults_{uuid.uuid4().hex}"
        await run(self.url, f'CREATE DATABASE "{name}"')
        return database_url(self.url, name)

    async def kill(self) -> None:
        """SIGKILL to the server and to all its children, as when the machine's memory ran out; they are gone then."""
        postmaster = self._server.pid
        everyone = [*_children(postmaster), postmaster]
        for pid in everyone:
            # Stopped first: a postmaster that sees a child die begins to tidy up, and starts others.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        everyone += _children(postmaster)
        for pid in everyone:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # A starter that still finds the old one in the list of processes would take it for the running server.
        while any(map(_is_there, everyone)):  # noqa: ASYNC110 - the kernel ends them, and tells only their parent
            await asyncio.sleep(0.01)

    async def start_again(self) -> None:
        """Returns when the server answers again."""
        await asyncio.to_thread(self._server.start)
        await run(self.url, "SELECT 1")


@contextmanager
def postgres(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A server of this run's own, in a folder of its own."""
    home = folder / "postgres"
    home.mkdir()
    with started_postgres(home, settings) as server:
        yield Postgres(server)


async def dump(url: str, folder: Path) -> Dump:
    """Write down what the database holds of events, deliveries and attempts."""
    rows = await _postgres_rows(url) if url.startswith("postgres") else _sqlite_rows(url.removeprefix("sqlite:"))
    found = msgspec.convert(rows, Dump)
    (folder / DUMP).write_bytes(msgspec.json.encode(found))
    return found


async def contents(url: str, without: Collection[str] = ()) -> dict[str, set[str]]:
    """Every row of every table of a PostgreSQL database, as text; of some tables nothing."""
    db = await asyncpg.connect(url)
    try:
        async with db.transaction(isolation="repeatable_read"):
            names = [row["tablename"] for row in await db.fetch(OUR_TABLES)]
            return {
                name: {str(row["row"]) for row in await db.fetch(f"SELECT t::text AS row FROM {name} t")}
                for name in names
                if name not in without
            }
    finally:
        await db.close()


async def _postgres_rows(url: str) -> dict[str, list[dict[str, Any]]]:
    db = await asyncpg.connect(url)
    try:
        async with db.transaction(isolation="repeatable_read"):
            return {name: [_plain(row) for row in await db.fetch(_select(name))] for name in TABLES}
    finally:
        await db.close()


def _sqlite_rows(path: str) -> dict[str, list[dict[str, Any]]]:
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        return {name: [_plain(row) for row in db.execute(_select(name))] for name in TABLES}


def _select(table: str) -> str:
    return f"SELECT {', '.join(TABLES[table].__struct_fields__)} FROM {table}"


def _plain(row: Any) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in dict(row).items()}


def _is_there(pid: int) -> bool:
    """Whether a process has not ended, or has ended and is still listed."""
    return Path(f"/proc/{pid}").exists()


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
        ]
    except FileNotFoundError:
        return []
