"""What a check-up finds: each decision by itself, and the whole on real databases."""

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest
from msgspec.structs import replace

from hookwright.app import migrate, open_services
from hookwright.checkup import Check, backlog, check_up, clock, configuration, files, keys_at_hand, schema
from hookwright.config import Settings
from hookwright.core.model import SECOND
from hookwright.operations.accounts import create_account
from hookwright.store.base import Backlog, SchemaState, SealedCount
from hookwright.testing.postgres import fresh_database
from hookwright.testing.receiver import Receiver
from hookwright.vault import Vault

NOW = 1_790_000_000 * SECOND
EMPTY = Backlog(due=0, oldest_due_at=None, breakers_open=0, breakers_half_open=0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:{tmp_path / 'hookwright.sqlite3'}", allow_private_targets=True)


async def by_name(settings: Settings, target: str | None = None) -> dict[str, Check]:
    return {check.name: check async for check in check_up(settings, target)}


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "ok"), (4, "ok"), (6, "warning"), (-6, "warning"), (300, "problem"), (-900, "problem")],
)
def test_a_clock_may_differ_a_little(seconds: int, status: str) -> None:
    assert clock(seconds * SECOND).status == status


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SchemaState((), (), is_new=False), "ok"),
        (SchemaState(("0007_x",), (), is_new=False), "problem"),
        (SchemaState((), (99,), is_new=False), "problem"),
    ],
)
def test_a_schema_is_this_versions_an_older_or_a_newer_one(state: SchemaState, status: str) -> None:
    assert schema(state).status == status


@pytest.mark.parametrize(("seconds", "status"), [(None, "ok"), (59, "ok"), (61, "problem")])
def test_what_is_due_for_long_is_sent_by_nobody(seconds: int | None, status: str) -> None:
    since = None if seconds is None else NOW - seconds * SECOND
    assert backlog(replace(EMPTY, due=3, oldest_due_at=since), NOW).status == status


def test_every_secret_needs_its_key_and_not_only_those_of_the_first_account() -> None:
    first, second = Vault(bytes(32)), Vault(b"2" * 32)
    counts = [SealedCount("signing secret", first.head, 3), SealedCount("headers", second.head, 2)]
    both = Vault(b"2" * 32, bytes(32))
    assert keys_at_hand(both, counts) == Check(name="master key", found="it is the one that all kept secrets name")
    one = keys_at_hand(first, counts)
    assert (one.status, one.found.startswith("2 secrets are encrypted with another one")) == ("problem", True)
    assert second.key_ids[0] in one.found
    assert one.change is not None
    assert "behind the first" in one.change


async def test_after_a_change_of_the_master_key_nobody_is_sent_back_to_the_first_one(settings: Settings) -> None:
    old, new = (b64encode(letter * 32).decode() for letter in (b"o", b"n"))
    with_new_first = replace(settings, master_key=f"{new},{old}")
    async with open_services(replace(settings, master_key=old)) as services:
        await create_account(services, "Ada")
    async with open_services(with_new_first) as services:
        await create_account(services, "Grace")
    assert (await by_name(with_new_first))["master key"].status == "ok"
    key = (await by_name(replace(settings, master_key=old)))["master key"]
    assert (key.status, "first used" in (key.change or "")) == ("problem", False)


def test_few_files_and_an_open_network_are_warnings() -> None:
    assert (files(1024).status, files(65_536).status) == ("warning", "ok")
    open_to_all = Settings(allow_private_targets=True, host="0.0.0.0")
    assert (configuration(open_to_all).status, configuration(Settings()).status) == ("warning", "ok")


def test_a_database_that_is_not_there_is_not_made(settings: Settings, tmp_path: Path) -> None:
    checks = asyncio.run(by_name(settings))
    assert checks["database"].status == "warning"
    assert list(tmp_path.iterdir()) == []


async def test_an_empty_file_lacks_every_migration_and_gets_none(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "hookwright.sqlite3").touch()
    for _ in range(2):
        assert (await by_name(settings))["migrations"].status == "problem"


async def test_a_migrated_database_is_well(settings: Settings) -> None:
    await migrate(settings)
    checks = await by_name(settings)
    assert [name for name, check in checks.items() if check.status == "problem"] == []
    assert checks["migrations"].found == "all are applied"


async def test_a_postgresql_is_judged_before_and_after_its_migration(postgres_url: str) -> None:
    async with fresh_database(postgres_url) as url:
        checks = await by_name(Settings(database_url=url))
        assert checks["migrations"].status == "ok"
        assert "HOOKWRIGHT_MASTER_KEY is missing" in checks["master key"].found
    gone = await by_name(Settings(database_url=url))
    assert gone["database"].status == "problem"
    assert "migrations" not in gone


async def test_a_receiver_is_connected_to_and_sent_nothing(settings: Settings) -> None:
    async with Receiver() as receiver:
        url = receiver.url
        assert (await by_name(settings, url))["egress"].status == "ok"
        assert receiver.count == 0
    refused = (await by_name(settings, url))["egress"]
    assert (refused.status, "connect_refused" in refused.found) == ("problem", True)


async def test_a_target_that_is_not_allowed_is_not_dialled(settings: Settings) -> None:
    async with Receiver() as receiver:
        checks = await by_name(replace(settings, allow_private_targets=False), receiver.url)
        assert checks["egress"].status == "problem"
        assert receiver.connection_count == 0
