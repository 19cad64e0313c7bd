"""The databases: a PostgreSQL that is set as for production, a new database for each measure."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from benchmarks.processes import parent_of
from hookwright.testing.postgres import database_url, postgres_server, run

# What an operator sets on a small database server of 2 cores and 4 GB. What is not here is PostgreSQL's default:
# fsync and full_page_writes on, autovacuum on.
PRODUCTION_SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
}
SHOWN_SETTINGS = (*PRODUCTION_SETTINGS, "fsync", "synchronous_commit", "full_page_writes", "autovacuum")


class Postgres:
    """A running server, on this machine or another."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def postmaster(self) -> int | None:
        """The server's first process, whose children are all others; None when it runs on another machine."""
        db = await asyncpg.connect(self.url)
        try:
            return parent_of(await db.fetchval("SELECT pg_backend_pid()"))
        except OSError:
            return None
        finally:
            await db.close()

    async def version(self) -> str:
        """As the server prints it, such as 18.1."""
        return await self._value("SHOW server_version")

    async def settings(self) -> dict[str, str]:
        """The settings that matter here, as the server has them."""
        return {name: await self._value(f"SHOW {name}") for name in SHOWN_SETTINGS}

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The URL of a new, empty database, dropped again afterwards."""
        name = f"hookwright_bench_{uuid.uuid4().hex}"
        await run(self.url, f'CREATE DATABASE "{name}"')
        try:
            yield database_url(self.url, name)
        finally:
            await run(self.url, f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _value(self, statement: str) -> str:
        db = await asyncpg.connect(self.url)
        try:
            return str(await db.fetchval(statement))
        finally:
            await db.close()


@contextmanager
def production_postgres() -> Iterator[Postgres]:
    """A PostgreSQL with production's settings, or the one in HOOKWRIGHT_TEST_POSTGRES with its own."""
    with postgres_server(PRODUCTION_SETTINGS) as url:
        yield Postgres(url)
