"""What only SQLite has: one file, one writer thread, savepoints."""

import asyncio
import re
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookwright.core.errors import Unavailable
from hookwright.core.model import Accepted, Subscription
from hookwright.store import sqlite
from hookwright.store.base import EndpointQuery
from hookwright.store.sqlite import SqliteStore
from store.given import (
    ANY_TAG,
    LEASE,
    NOW,
    accept,
    accept_one,
    add_account,
    add_endpoint,
    claim,
    count,
    deliveries_of,
    draft,
    forgotten,
    lease_of,
    notice,
    settled,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "hookwright.sqlite3")
    await store.migrate()
    yield store
    await store.close()


async def pragma(store: SqliteStore, name: str) -> Any:
    return await store._writer.alone(lambda db: db.execute(f"PRAGMA {name}").fetchone()[0])


# -- durability --------------------------------------------------------------------------------------------------


async def test_every_commit_reaches_the_disk_before_it_is_acknowledged(store: SqliteStore) -> None:
    assert await pragma(store, "journal_mode") == "wal"
    assert await pragma(store, "synchronous") == 2  # FULL
    assert await pragma(store, "foreign_keys") == 1


async def test_the_reader_cannot_write(store: SqliteStore) -> None:
    await store.now()
    reader = store._reader

    assert reader is not None
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await asyncio.get_running_loop().run_in_executor(
            store._readers, reader.execute, "DELETE FROM schema_migrations"
        )


WRITER = """
import asyncio, sys
from pathlib import Path
from hookwright.core.model import Accepted
from hookwright.store.sqlite import SqliteStore
from store.given import accept_one, claim, draft

async def main(path, account_id, prefix, number):
    store = SqliteStore(Path(path))
    account = await store.account(int(account_id))
    for order in range(int(number)):
        accepted = await accept_one(store, draft(account, key=f"{prefix}-{order}"))
        claims = await claim(store, 1)
        print(accepted.event_id, accepted.duplicate, *(each.delivery_id for each in claims), flush=True)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def start_writer(store: SqliteStore, account_id: int, prefix: str, number: int) -> asyncio.subprocess.Process:
    """Another process that accepts and claims on the same file, and says what it was told."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(store._path), str(account_id), prefix, str(number)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )


async def test_two_processes_share_one_file(store: SqliteStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)

    writers = [await start_writer(store, account.id, "order", 30) for _ in range(2)]
    said = [(await writer.communicate())[0].decode().split("\n") for writer in writers]

    assert [writer.returncode for writer in writers] == [0, 0]
    lines = [line.split() for lines in said for line in lines if line]
    assert [line[1] for line in lines].count("False") == 30
    assert await count(store, "events") == await count(store, "deliveries") == 30
    claimed = [line[2] for line in lines if len(line) > 2]
    claimed += [str(each.delivery_id) for each in await claim(store)]
    assert len(claimed) == len(set(claimed)) == 30


async def test_nothing_that_was_acknowledged_is_lost_when_a_process_is_killed(store: SqliteStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    writer = await start_writer(store, account.id, "order", 10_000)
    assert writer.stdout is not None

    acknowledged = [(await writer.stdout.readline()).split()[0].decode() for _ in range(20)]
    writer.kill()
    rest, _ = await writer.communicate()
    acknowledged += [line.split()[0].decode() for line in rest.split(b"\n")[:-1]]

    deliveries = await deliveries_of(store, account)
    assert {delivery.event_id for delivery in deliveries} >= set(acknowledged)
    assert await count(store, "events") == await count(store, "deliveries") == await count(store, "payloads")
    assert (await accept_one(store, draft(account))).deliveries == 1


# -- group commit ------------------------------------------------------------------------------------------------


async def test_a_job_that_fails_does_not_take_its_group_with_it(store: SqliteStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, ANY_TAG, Subscription("broken"))

    def fail() -> bytes:
        raise ValueError("cannot be rendered")

    broken = draft(account, notice(), notice(event="broken", ordinal=2, render=fail), key="broken")
    drafts = [draft(account), broken, draft(account)]
    async with held_writer(store):
        answers = [asyncio.create_task(accept_one(store, one)) for one in drafts]
        await asyncio.sleep(0)  # now all three wait for the writer, so they become one group

    first, failed, last = await asyncio.gather(*answers, return_exceptions=True)

    assert first == Accepted(drafts[0].event.id, 1)
    assert isinstance(failed, ValueError)
    assert last == Accepted(drafts[2].event.id, 1)
    assert await count(store, "events") == await count(store, "deliveries") == 2
    assert await count(store, "idempotency_keys") == 0


async def test_jobs_that_wait_together_share_one_transaction(store: SqliteStore) -> None:
    account = await add_account(store)
    commits: list[str] = []
    await store._writer.alone(lambda db: db.set_trace_callback(commits.append))

    async with held_writer(store):
        answers = [asyncio.create_task(accept_one(store, draft(account))) for _ in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*answers)

    assert commits.count("COMMIT") == 2  # the one that held the writer, and ours


async def test_subscriptions_whose_commit_failed_are_not_remembered(tmp_path: Path) -> None:
    refused: list[str] = []

    class Disk(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if refused and statement == refused[0]:
                refused.pop(0)
                if len(refused) == 0:
                    raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *values)

    def open_file(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Disk)
        db.row_factory = sqlite3.Row
        return db

    store = SqliteStore(tmp_path / "hookwright.sqlite3", open_file)
    await store.migrate()
    account = await add_account(store)
    async with held_writer(store):
        refused += ["COMMIT", "COMMIT"]  # the second one is: the first is that of whoever holds the writer
        together = [
            asyncio.create_task(add_endpoint(store, account)),
            asyncio.create_task(accept_one(store, draft(account))),
        ]
        await asyncio.sleep(0)
    lost = await asyncio.gather(*together, return_exceptions=True)
    assert [type(each) for each in lost] == [Unavailable, Unavailable]

    endpoint = await add_endpoint(store, account)  # the same version of the account's subscriptions as the lost one
    await accept_one(store, draft(account))

    assert [each.endpoint_id for each in await deliveries_of(store, account)] == [endpoint.id]
    await store.close()


async def test_many_claims_are_given_back_by_few_statements(store: SqliteStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(300)))
    claims = await claim(store, 300)
    statements: list[str] = []
    await store._writer.alone(lambda db: db.set_trace_callback(statements.append))

    await store.release([lease_of(each) for each in claims], NOW)

    # Beside a busy event loop each statement costs milliseconds, in which nobody else can write.
    assert len(statements) < 40
    assert len(await deliveries_of(store, account, "pending")) == 300
    assert await forgotten(store, NOW) == []


@pytest.mark.parametrize("jobs_after", [0, 1])
async def test_a_store_that_closes_finishes_the_migration_that_waits(store: SqliteStore, jobs_after: int) -> None:
    account = await add_account(store)
    async with held_writer(store):
        before = asyncio.create_task(accept_one(store, draft(account)))
        migration = asyncio.create_task(store.migrate())
        after = [asyncio.create_task(accept_one(store, draft(account))) for _ in range(jobs_after)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(store.close())
        while not store._writer._closed:
            await asyncio.to_thread(store._writer._door.acquire)
            store._writer._door.release()

    await asyncio.wait_for(asyncio.gather(before, migration, *after, closing), 10)

    assert all(isinstance(each.result(), Accepted) for each in (before, *after))


async def test_many_that_open_a_new_file_at_once_all_can(tmp_path: Path) -> None:
    for number in range(10):
        stores = [SqliteStore(tmp_path / f"new-{number}.sqlite3") for _ in range(6)]

        await asyncio.gather(*(each.migrate() for each in stores), *(each.now() for each in stores))

        await asyncio.gather(*(each.close() for each in stores))


@asynccontextmanager
async def held_writer(store: SqliteStore) -> AsyncIterator[None]:
    """Keeps the writer busy, so that what is asked meanwhile gathers behind it."""
    busy, gate = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        busy.set()
        gate.wait(10)

    holding = asyncio.create_task(store._writer.run(hold))
    await asyncio.to_thread(busy.wait, 10)
    try:
        yield
    finally:
        gate.set()
        await holding


# -- how much is read -----------------------------------------------------------------------------------------------


# The rows that a statement was given, not those of a table.
SCANS_OF_GIVEN_VALUES = r"SCAN (json_each VIRTUAL TABLE|CONSTANT ROW|\d+ CONSTANT ROWS|u\b)"


async def test_nothing_on_a_deliverys_way_reads_a_whole_table_or_an_endpoints_history(store: SqliteStore) -> None:
    statements: list[str] = []
    await store._writer.alone(lambda db: db.set_trace_callback(statements.append))
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    for _ in range(4):
        await accept_one(store, draft(account, key="order-1"))
        await accept_one(store, draft(account))
    first, second, third, *_ = await claim(store)
    await store.renew([lease_of(first)], NOW + LEASE)
    await store.release([lease_of(second)], NOW)
    await store.settle([settled(first), settled(third, "dead", disable_reason="gone")], NOW)
    await store.replay(first.delivery_id, NOW)
    await store.rescue(NOW + LEASE)
    await claim(store)
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)
    await store.delete_endpoint(account.id, endpoint.id, NOW)
    await store._writer.alone(lambda db: db.set_trace_callback(None))

    plans = await store._writer.alone(lambda db: plans_of(db, statements))

    assert len(plans) > 20
    for statement, plan in plans.items():
        assert "SCAN" not in re.sub(SCANS_OF_GIVEN_VALUES, "", plan), statement
        if "status = 'pending'" in statement and "endpoint_id = " in statement and statement.startswith("UPDATE"):
            assert "deliveries_queued" in plan, statement


def plans_of(db: sqlite3.Connection, statements: list[str]) -> dict[str, str]:
    reading = [each for each in statements if each.startswith(("SELECT", "UPDATE", "DELETE"))]
    return {
        each: "; ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {each}"))
        for each in dict.fromkeys(reading)
    }


# -- outages -----------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_an_outage_that_ends_when_there_is_room(store: SqliteStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    kept = await accept_one(store, draft(account))
    await store._writer.alone(lambda db: db.execute(f"PRAGMA max_page_count = {page_count(db)}").fetchone())
    large = draft(account, notice(render=lambda: bytes(1_000_000)))

    with pytest.raises(Unavailable, match="full"):
        await accept_one(store, large)
    assert await store.event(large.event.id) is None
    assert await store.event(kept.event_id) is not None

    await store._writer.alone(lambda db: db.execute("PRAGMA max_page_count = 1073741823").fetchone())
    assert await accept_one(store, large) == Accepted(large.event.id, 1)
    assert len(await claim(store)) == 2


def page_count(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA page_count").fetchone()[0])


async def test_a_full_disk_fails_those_that_need_room_and_no_acknowledged_one(store: SqliteStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await store._writer.alone(lambda db: db.execute(f"PRAGMA max_page_count = {page_count(db) + 20}").fetchone())
    drafts = [draft(account, notice(render=lambda: bytes(10_000))) for _ in range(30)]

    answers = await asyncio.gather(*(accept_one(store, one) for one in drafts), return_exceptions=True)

    assert {type(answer) for answer in answers} >= {Unavailable}
    for one, answer in zip(drafts, answers, strict=True):
        assert isinstance(answer, Accepted | Unavailable)
        assert (await store.event(one.event.id) is not None) == isinstance(answer, Accepted)


async def test_a_file_that_another_process_keeps_locked_is_an_outage_that_ends(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    impatient = SqliteStore(store._path)
    account = await add_account(store)
    other = sqlite3.connect(store._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        await accept_one(impatient, draft(account))
    assert await impatient.account(account.id) == account  # readers do not wait for the writer

    other.execute("ROLLBACK")
    other.close()
    assert await accept_one(impatient, draft(account))
    await impatient.close()


async def test_a_file_that_cannot_be_opened_is_an_outage_that_ends_when_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    store = SqliteStore(folder / "hookwright.sqlite3")
    with pytest.raises(Unavailable):
        await store.migrate()
    with pytest.raises(Unavailable):
        await store.now()

    folder.mkdir()

    await store.migrate()
    assert await store.now() > 0
    await store.close()


async def test_a_file_that_is_no_database_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"dear diary, " * 1000)
    store = SqliteStore(tmp_path / "notes.txt")

    with pytest.raises(Unavailable, match="not a database"):
        await store.migrate()
    with pytest.raises(Unavailable, match="not a database"):
        await store.now()
    await store.close()


async def test_reading_goes_on_while_the_writer_is_busy(store: SqliteStore) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)

    async with held_writer(store):
        assert await store.endpoints(EndpointQuery(account_id=account.id)) == [endpoint]
