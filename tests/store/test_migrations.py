"""The schema: applied once whoever comes first, forward only, and the same tables on every database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hookwright.core.lanes import LANES
from hookwright.store import postgres, sqlite
from hookwright.store.base import Store
from hookwright.store.migrations import Migration, migrations_for
from hookwright.store.postgres import PostgresStore
from hookwright.store.sqlite import SqliteStore
from hookwright.testing.postgres import fresh_database
from store.given import accept_one, add_account, add_endpoint, draft, query

OpenStore = Callable[[], SqliteStore | PostgresStore]


@pytest.fixture
async def open_empty(database: str | None, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens stores on one database that has no tables yet."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(database, template="template1")) if database else None

        def open_store() -> SqliteStore | PostgresStore:
            opened = PostgresStore(url, max_connections=2) if url else SqliteStore(tmp_path / "empty.sqlite3")
            stack.push_async_callback(opened.close)
            return opened

        yield open_store


async def test_many_nodes_may_migrate_at_once_and_again(open_empty: OpenStore) -> None:
    stores = [open_empty() for _ in range(4)]

    await asyncio.gather(*(store.migrate() for store in stores))
    account = await add_account(stores[0])
    await asyncio.gather(*(store.migrate() for store in stores))

    assert [await store.account(account.id) for store in stores] == [account] * 4
    applied = "SELECT version FROM schema_migrations ORDER BY version"
    known = migrations_for("sqlite" if isinstance(stores[0], SqliteStore) else "postgres")
    assert await query(stores[0], applied, applied) == [(migration.version,) for migration in known]
    lanes = "SELECT lane FROM lanes ORDER BY lane"
    assert [row[0] for row in await query(stores[0], lanes, lanes)] == list(LANES[: stores[0].lane_count])


async def test_migrating_again_keeps_what_is_there_and_gives_no_id_twice(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    accepted = await accept_one(store, draft(account))
    id = await store.new_id(account.id)

    await store.migrate()

    assert await store.event(accepted.event_id) is not None
    assert await store.new_id(account.id) > id


async def test_a_migration_that_fails_leaves_nothing_and_can_be_mended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_another(text: str) -> None:
        for module in (sqlite, postgres):
            monkeypatch.setattr(
                module, "migrations_for", lambda name: [*migrations_for(name), Migration(9999, "9999.sql", text)]
            )

    tables = (
        "SELECT COUNT(*) FROM sqlite_master WHERE name = 'later'",
        "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'later'",
    )
    with_another("CREATE TABLE later (id INTEGER); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(Exception, match="nowhere"):
        await store.migrate()
    assert await query(store, *tables) == [(0,)]

    with_another("CREATE TABLE later (id INTEGER);")
    await store.migrate()
    await store.migrate()  # it would fail if it ran twice

    assert await query(store, *tables) == [(1,)]


# -- the rules of the schema -------------------------------------------------------------------------------------


async def test_every_primary_key_and_unique_index_starts_with_the_lane(store: Store) -> None:
    indexes = await query(
        store,
        "SELECT m.name, i.name, (SELECT c.name FROM pragma_index_info(i.name) c WHERE c.seqno = 0)"
        " FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND i.\"unique\""
        " UNION ALL SELECT m.name, 'rowid', c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND c.pk = 1",
        "SELECT t.relname, i.relname, a.attname FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid"
        " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]"
        " WHERE n.nspname = 'public' AND (x.indisunique OR x.indisprimary)",
    )

    with_lane = {table for table, _, column in indexes if column == "lane"}
    without = {table for table, _, column in indexes if column != "lane"}

    assert without == {"schema_migrations"}
    assert with_lane >= {"accounts", "events", "payloads", "deliveries", "attempts", "idempotency_keys", "grants"}
    assert with_lane == set(await columns_of(store)) - {"schema_migrations"}


async def test_every_foreign_key_starts_with_the_lane(store: Store) -> None:
    keys = await query(
        store,
        'SELECT m.name, f."from", f."to" FROM sqlite_master m, pragma_foreign_key_list(m.name) f'
        " WHERE m.type = 'table' AND f.seq = 0",
        "SELECT c.conname, a.attname, b.attname FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1] WHERE c.contype = 'f'",
    )

    assert keys
    assert {(here, there) for _, here, there in keys} == {("lane", "lane")}


async def columns_of(store: Store) -> dict[str, list[str]]:
    """The columns of every table, in order."""
    rows = await query(
        store,
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid",
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    )
    tables: dict[str, list[str]] = {}
    for table, column in rows:
        tables.setdefault(table, []).append(column)
    return tables


async def indexes_of(store: Store) -> set[str]:
    """The names of the indexes that a migration named."""
    rows = await query(
        store,
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'",
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'",
    )
    return {name for (name,) in rows}


async def test_both_databases_have_the_same_tables_columns_and_indexes(
    sqlite_store: SqliteStore, postgres_url: str
) -> None:
    async with fresh_database(postgres_url) as url:
        postgres_store = PostgresStore(url)

        assert await columns_of(postgres_store) == await columns_of(sqlite_store)
        assert await indexes_of(postgres_store) == await indexes_of(sqlite_store)
        await postgres_store.close()
