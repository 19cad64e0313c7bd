"""The rows of an account, straight from the database."""

from __future__ import annotations

from typing import Any

from hookwright.store.base import Store
from store.given import query

# A row is an account's if it names it, or something that is the account's, in the first of these that it has.
OWNERS = ("account_id", "endpoint_id", "delivery_id", "event_id")

# What is everybody's changes with everybody: the counters of ids, the workers, the version of the schema.
OF_EVERYBODY = {"lanes", "workers", "migrations", "schema_migrations", "sqlite_sequence"}

Row = dict[str, Any]


async def rows_of(store: Store, account_id: int) -> dict[str, list[Row]]:
    """Every row of an account, and all that no account has, by table."""
    tables = {table: await _rows(store, table) for table in await _tables(store) - OF_EVERYBODY}
    ours = {
        row["id"]
        for name in ("endpoints", "deliveries", "events")
        for row in tables[name]
        if row["account_id"] == account_id
    } | {account_id}
    return {
        table: sorted((row for row in rows if _owner(table, row) in (None, *ours)), key=repr)
        for table, rows in tables.items()
    }


def _owner(table: str, row: Row) -> Any:
    if table == "accounts":
        return row["id"]
    return next((row[column] for column in OWNERS if column in row), None)


async def _tables(store: Store) -> set[str]:
    found = await query(
        store,
        "SELECT name FROM sqlite_master WHERE type = 'table'",
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    )
    return {row[0] for row in found}


async def _rows(store: Store, table: str) -> list[Row]:
    columns = await query(
        store,
        f"SELECT name FROM pragma_table_info('{table}') ORDER BY cid",
        f"SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}'"
        " AND table_schema = 'public' ORDER BY ordinal_position",
    )
    names = [row[0] for row in columns]
    statement = f"SELECT {', '.join(names)} FROM {table}"
    return [dict(zip(names, row, strict=True)) for row in await query(store, statement, statement)]
