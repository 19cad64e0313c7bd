"""A distributed database: every statement of the hot path names one lane for every table that it touches.

There is no cluster here. The statements are those that the store really sends when it takes the database for one, on
a plain PostgreSQL, which runs them as well.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

import citus_stand_in
from hookwright.core.lanes import LANE_COUNT, LANES
from hookwright.core.model import HOUR, EndpointChange
from hookwright.store.base import Room, Store
from hookwright.store.postgres import DISTRIBUTE_SQL, PostgresStore
from hookwright.testing.postgres import fresh_database
from store.given import (
    LEASE,
    NOW,
    accept,
    add_account,
    add_endpoint,
    claim,
    deliveries_of,
    draft,
    lease_of,
    notice,
    query,
    settled,
)

TABLES = {"lanes", "accounts", "endpoints", "subscriptions", "events", "payloads", "deliveries", "attempts"}
TABLES |= {"idempotency_keys", "announcements", "queues"}
LANE_INDEXES = (0, 37, 63)
# What is not a table of ours though it stands where a table may: arrays, and what a WITH or a subquery is called.
NO_TABLES = re.compile(
    r"\b(\w+) AS (?:MATERIALIZED )?\(|\) AS (\w+)|\bunnest\b[^()]*\([^()]*\)\s+(?:WITH ORDINALITY )?AS (\w+)"
)
TABLE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO|,)\s+(\w+)(?:\s+(?:AS\s+)?(?!WHERE|SET|ON|JOIN|LIMIT|ORDER|FOR|LEFT|DO\b)(\w+))?"
)


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url, max_connections=1, distributed=True)
        yield store
        await store.close()


@pytest.fixture
async def statements(store: PostgresStore) -> list[str]:
    """Whatever the store sends from now on."""
    sent: list[str] = []

    def note(record: Any) -> None:
        sent.append(record.query)

    async with store._connection() as db:
        db.add_query_logger(note)
    return sent


async def deliver_in_every_way(store: Store) -> None:
    """Everything that happens on a delivery's way, in several lanes at once."""
    every = range(LANE_COUNT)
    accounts = [await add_account(store, lane_index=lane_index) for lane_index in LANE_INDEXES]
    plain = [await add_endpoint(store, account) for account in accounts]
    braked = await add_endpoint(store, accounts[0], dialect="kajabi")
    await store.change_endpoint(accounts[0].id, braked.id, EndpointChange(max_in_flight=1, ordering="endpoint"), NOW)
    for account in accounts:
        for key in (None, "once", "once"):
            await accept(store, draft(account, notice(), notice(dialect="kajabi", ordinal=2), key=key))
        await accept(store, *(draft(account) for _ in range(4)))
        born = await store.accept([draft(account)], Room(1, NOW + LEASE))
        assert len(born.claims) == 1
    claims = await store.claim(100, NOW, NOW + LEASE, every)
    assert {each.account_id for each in claims} == {account.id for account in accounts}
    assert await store.renew([lease_of(each) for each in claims], NOW + 2 * LEASE) == {
        each.delivery_id for each in claims
    }
    one_of_each = {each.account_id: each for each in claims}.values()
    await store.release([lease_of(each) for each in one_of_each], NOW)
    kept = [each for each in claims if each not in one_of_each]
    good, bad = kept[::2], kept[1::2]
    await store.settle([settled(each) for each in good], NOW)
    outcomes = [*(settled(each, "dead", disable_reason="gone") for each in bad)]
    await store.settle(outcomes, NOW)
    await store.set_endpoint_status(accounts[1].id, plain[1].id, "paused", None, NOW)
    await store.claim(100, NOW, NOW + LEASE, every)
    await store.rescue(NOW + HOUR, every)


async def test_every_statement_of_the_hot_path_names_one_lane_for_each_table(
    store: PostgresStore, statements: list[str]
) -> None:
    await deliver_in_every_way(store)

    hot = {text for text in map(one_line, statements) if is_of_the_hot_path(text)}
    for verb in ("INSERT INTO events", "FROM subscriptions", "FOR UPDATE SKIP LOCKED", "INSERT INTO attempts"):
        assert any(verb in text for text in hot), verb
    assert len(hot) > 15
    for text in hot:
        assert lanes_missing(text) == set(), text


def one_line(text: str) -> str:
    return " ".join(text.split())


def is_of_the_hot_path(text: str) -> bool:
    """Not what sets an endpoint or an account up, and not what a connection says of itself."""
    return bool(tables_of(text)) and not re.search(
        r"INSERT INTO (accounts|signing_secrets|endpoints|subscriptions) ", text
    )


def tables_of(text: str) -> list[tuple[str, str]]:
    """The tables of a statement, in the outer and in inner queries, each with the name that it goes by."""
    no_tables = {name for match in NO_TABLES.finditer(text) for name in match.groups() if name}
    found = [(match[1], match[2] or match[1]) for match in TABLE.finditer(text)]
    return [(table, name) for table, name in found if table in TABLES and table not in no_tables]


def lanes_missing(text: str) -> set[str]:
    """The names of the tables for which a statement does not name the one lane, by its placeholder."""
    written = re.findall(r"INSERT INTO (\w+) \(lane\b[^)]*\) (?:SELECT |VALUES \()\$1\b", text)
    if re.search(r"UPDATE deliveries d .*\bd\.lane = \$", text):
        # What a statement makes of rows that it has changed in its own lane.
        written += re.findall(r"INSERT INTO (\w+) \(lane\b[^)]*\) SELECT lane\b.* FROM written", text)
    named = {*written, *re.findall(r"\b(\w+)\.lane = \$\d+", text)}
    bare = len(re.findall(r"(?<![.\w])lane (?:= \$\d+|IN \(\$\d+\))", text))
    missing = [name for _, name in tables_of(text) if name not in named]
    return set(missing[bare:])


def test_the_check_finds_what_names_no_lane() -> None:
    assert lanes_missing("SELECT * FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id WHERE d.lane = $1") == {
        "e"
    }
    assert lanes_missing("UPDATE deliveries SET due_at = $1 WHERE id = $2") == {"deliveries"}
    inner = "UPDATE lanes SET owner = $1 WHERE lane = $2 AND lane IN (SELECT lane FROM lanes WHERE owner = $1)"
    assert lanes_missing(inner) == {"lanes"}
    assert lanes_missing("UPDATE deliveries d SET due_at = $1 FROM unnest($2) AS u (id) WHERE d.lane = $3") == set()


# -- spreading the tables ----------------------------------------------------------------------------------------


async def test_every_table_but_the_list_of_migrations_is_distributed_once(store: PostgresStore) -> None:
    async with store._connection() as db:
        await db.execute(citus_stand_in.SQL)
        for _ in range(2):
            await db.execute(DISTRIBUTE_SQL.read_text())

    distributed = await query(store, "", "SELECT logicalrelid::text, colocated FROM pg_dist_partition")
    tables = await query(store, "", "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
    assert sorted(name for name, _ in distributed) == sorted(
        {name for (name,) in tables} - {"schema_migrations", "pg_dist_partition"}
    )
    assert {together for name, together in distributed if name != "lanes"} == {"lanes"}


async def test_a_plain_postgresql_takes_many_lanes_in_one_statement(postgres_url: str) -> None:
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url)
        assert not await store.can_be_distributed()
        assert store.lanes_of_one_statement([1, 2]) == [[1, 2]]
        await store.close()


async def test_a_lane_with_a_backlog_does_not_starve_the_others_though_they_are_asked_one_by_one(
    store: PostgresStore,
) -> None:
    for lane_index in LANE_INDEXES:
        account = await add_account(store, lane_index=lane_index)
        await add_endpoint(store, account)
        await accept(store, *(draft(account) for _ in range(9)))

    claims = [each for _ in range(3) for each in await store.claim(3, NOW, NOW + LEASE, LANE_INDEXES)]

    assert {each.account_id % LANE_COUNT for each in claims} == set(LANE_INDEXES)


async def test_a_distributed_database_finds_what_is_due_in_any_lane_up_to_the_limit(store: PostgresStore) -> None:
    for lane_index in LANE_INDEXES:
        account = await add_account(store, lane_index=lane_index)
        await add_endpoint(store, account)
        await accept(store, *(draft(account) for _ in range(3)))
    assert len(await claim(store, 4)) == 4
    assert len(await claim(store, 100)) == 5
    assert await store.rescue(NOW + HOUR) == 9
    assert {each.status for each in await deliveries_of(store, account)} == {"pending"}
    assert set(await store.share_lanes("a", NOW, NOW + LEASE)) == set(range(len(LANES)))
