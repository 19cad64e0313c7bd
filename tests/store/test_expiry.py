"""What was not delivered in time dies on time, whatever it waits for, and its account is told."""

import asyncpg
import pytest
from msgspec.structs import replace

from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.model import HOUR, SECOND, Account, Draft
from hookwright.store.base import DeliveryQuery, Store
from hookwright.store.postgres import SERVER_SETTINGS, PostgresStore
from hookwright.testing.postgres import fresh_database
from store.given import NOW, accept, add_account, add_endpoint, claim, claim_one, deliveries_of, draft, settled

EXPIRY = NOW + 5 * SECOND


def expiring(account: Account) -> Draft:
    one = draft(account)
    return replace(one, event=replace(one.event, expires_at=EXPIRY))


async def test_a_delivery_that_has_expired_dies_unsent(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, expiring(account), draft(account))
    assert len(await claim(store, now=EXPIRY)) == 1
    [dead] = await store.expire(EXPIRY)
    assert [dead] == await deliveries_of(store, account, "dead")
    assert (dead.last_error, dead.attempts, dead.finished_at) == ("expired", 0, EXPIRY)
    assert await store.expire(EXPIRY) == []


async def test_a_delivery_that_has_not_expired_yet_is_sent(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, expiring(account))
    assert await store.expire(EXPIRY - 1) == []
    assert len(await claim(store, now=EXPIRY - 1)) == 1


async def test_what_has_expired_does_not_hide_what_is_due(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(expiring(account) for _ in range(20)))
    await accept(store, draft(account, now=EXPIRY))
    assert len(await claim(store, limit=5, now=EXPIRY)) == 1


async def test_a_delivery_expires_on_time_though_its_endpoint_is_paused_or_its_retry_is_far_away(
    store: Store,
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept(store, expiring(account))
    await store.settle([settled(await claim_one(store), "pending", due_at=NOW + HOUR)], NOW)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    await accept(store, expiring(account))
    assert await claim(store) == []
    assert [dead.attempts for dead in await store.expire(EXPIRY)] in ([0, 1], [1, 0])


async def test_what_is_being_sent_does_not_expire_before_it_is_to_be_tried_again(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, expiring(account))
    claimed = await claim_one(store)
    assert await store.expire(EXPIRY) == []
    await store.settle([settled(claimed, "pending", due_at=EXPIRY + HOUR)], EXPIRY)
    assert len(await store.expire(EXPIRY)) == 1


async def test_an_account_is_told_of_what_expired(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    operational = expiring(account)
    event = replace(operational.event, type="endpoint.warned")
    await accept(store, expiring(account), replace(operational, event=event))
    assert len(await store.expire(EXPIRY)) == 2
    [told] = await store.announcements(10)
    assert (told.account_id, told.type) == (account.id, "delivery.dead")
    assert '"last_error":"expired"' in told.data


async def test_the_dead_are_told_of_though_the_store_fails_at_the_next_endpoint(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SERVER_SETTINGS, "lock_timeout", "50ms")
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url)
        accounts = [await add_account(store) for _ in range(2)]
        endpoints = [await add_endpoint(store, account) for account in accounts]
        early = expiring(accounts[0])
        await accept(store, replace(early, event=replace(early.event, expires_at=EXPIRY - 1)))
        await accept(store, expiring(accounts[1]))
        somebody = await asyncpg.connect(url)
        async with somebody.transaction():
            await somebody.execute("SELECT FROM endpoints WHERE id = $1 FOR UPDATE", endpoints[1].id)
            assert [dead.endpoint_id for dead in await store.expire(EXPIRY)] == [endpoints[0].id]
            with pytest.raises(Unavailable):
                await store.expire(EXPIRY)
        assert [dead.endpoint_id for dead in await store.expire(EXPIRY)] == [endpoints[1].id]
        await somebody.close()
        await store.close()


async def test_what_has_expired_cannot_be_replayed(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, expiring(account))
    [dead] = await store.expire(EXPIRY)
    with pytest.raises(Conflict, match="has expired"):
        await store.replay(dead.id, EXPIRY)
    query = DeliveryQuery(account_id=account.id, unexpired_at=EXPIRY)
    assert await store.count_deliveries(query, 10) == 0
