"""Fixtures: a movable clock, real stores, the services that every surface works with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookwright.ambient import Dice, MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import Account
from hookwright.engine.intake import GroupCommit
from hookwright.operations.accounts import create_account
from hookwright.operations.services import Services
from hookwright.store.base import Store
from hookwright.store.sqlite import SqliteStore
from hookwright.vault import Vault


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


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
        translations={},
    )


@pytest.fixture
async def account(services: Services) -> Account:
    return (await create_account(services, "Ada's courses")).account
