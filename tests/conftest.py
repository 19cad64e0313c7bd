"""Fixtures: a movable clock, real stores, the services that every surface works with."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from hookwright.ambient import Dice, MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import Account
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kit import KIT
from hookwright.dialects.standard import STANDARD
from hookwright.engine.intake import GroupCommit
from hookwright.operations.accounts import create_account
from hookwright.operations.services import Services
from hookwright.store.base import Store
from hookwright.store.postgres import PostgresStore
from hookwright.store.sqlite import SqliteStore
from hookwright.testing.postgres import fresh_database, postgres_server, template_database
from hookwright.vault import Vault

pytest_plugins = ["log_scan"]

MEMORY = Path("/dev/shm")  # where Linux keeps files in memory
MEMORY_BYTES_NEEDED = 2 * 1024**3
MEMORY_SETTINGS = {"max_wal_size": "128MB", "min_wal_size": "64MB"}  # PostgreSQL's own would let the log grow to 1 GB
RUN_TOGETHER = ("tests/e2e/", "tests/fuzz/")


def pytest_configure() -> None:
    """Keep the temporary folders in memory, where there is enough of it.

    Both databases wait for the disk at each commit, and go on doing so: what is tested is unchanged. But thousands of
    databases that are thrown away after a moment need no disk that takes milliseconds to answer.
    """
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it reads TMPDIR again


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= MEMORY_BYTES_NEEDED


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """A worker gets whole files, and all of a folder whose tests start processes: no two of these run at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in RUN_TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server with a migrated template database."""
    with postgres_server(MEMORY_SETTINGS) as url, template_database(url):
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Each database in turn: the URL of a PostgreSQL server, or None for SQLite."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(database: str | None, migrated_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, on each database in turn."""
    if database is None:
        async with sqlite_on_a_copy_of(migrated_file, tmp_path) as sqlite:
            yield sqlite
        return
    async with fresh_database(database) as url:
        postgres = PostgresStore(url, max_connections=4)
        yield postgres
        await postgres.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with every table, for tests to copy: migrating takes longer than most of them."""
    path = tmp_path_factory.mktemp("migrated") / "hookwright.sqlite3"

    async def migrate() -> None:
        store = SqliteStore(path)
        await store.migrate()
        await store.close()

    asyncio.run(migrate())
    return path


@pytest.fixture
async def sqlite_store(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    async with sqlite_on_a_copy_of(migrated_file, tmp_path) as store:
        yield store


@asynccontextmanager
async def sqlite_on_a_copy_of(file: Path, folder: Path) -> AsyncIterator[Store]:
    path = folder / file.name
    shutil.copyfile(file, path)
    store = SqliteStore(path)
    yield store
    await store.close()


@pytest.fixture
async def services(sqlite_store: Store, clock: MovableClock) -> AsyncIterator[Services]:
    """The parts of a running Hookwright on SQLite, with a clock that stands and targets on loopback allowed."""
    intake = GroupCommit(sqlite_store)
    yield services_on(sqlite_store, clock, intake)
    await intake.close()


def services_on(store: Store, clock: MovableClock, intake: GroupCommit) -> Services:
    return Services(
        store=store,
        clock=clock,
        dice=Dice(seed=1),
        vault=Vault(bytes(32)),
        intake=intake,
        policy=TargetPolicy(allow_private=True),
        translations={dialect.name: dialect.translate for dialect in (STANDARD, KAJABI, KIT)},
        forms={name: form for dialect in (STANDARD, KAJABI, KIT) for name, form in dialect.forms.items()},
    )


@pytest.fixture
async def account(services: Services) -> Account:
    return (await create_account(services, "Ada's courses")).account
