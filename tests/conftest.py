"""Fixtures: a movable clock, real stores, the services that every surface works with."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

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
from hookwright.testing.postgres import fresh_database, make_template, postgres_server
from hookwright.vault import Vault

pytest_plugins = ["log_scan"]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server with a migrated template database."""
    with postgres_server() as url:
        asyncio.run(make_template(url))
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Each database in turn: the URL of a PostgreSQL server, or None for SQLite."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(database: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, on each database in turn."""
    if database is None:
        sqlite = SqliteStore(tmp_path / "hookwright.sqlite3")
        await sqlite.migrate()
        yield sqlite
        await sqlite.close()
        return
    async with fresh_database(database) as url:
        postgres = PostgresStore(url, max_connections=4)
        yield postgres
        await postgres.close()


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[Store]:
    store = SqliteStore(tmp_path / "hookwright.sqlite3")
    await store.migrate()
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
    )


@pytest.fixture
async def account(services: Services) -> Account:
    return (await create_account(services, "Ada's courses")).account
