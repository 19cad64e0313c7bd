"""Replays of many: by filter, in steps, once each, until done or cancelled."""

import asyncio

from msgspec.structs import replace

from hookwright.core.model import SECOND, Account, DeliveryStatus, Replay
from hookwright.store.base import DeliveryQuery, Store
from store.given import NOW, accept, add_account, add_endpoint, claim, claim_one, deliveries_of, draft, settled


async def dead_deliveries(store: Store, number: int) -> Account:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(number)))
    await store.settle([settled(each, "dead", status_code=500) for each in await claim(store)], NOW)
    return account


async def begin(store: Store, account: Account, *statuses: DeliveryStatus, created_to: int = NOW + 1) -> Replay:
    job = Replay(
        id=await store.new_id(account.id),
        account_id=account.id,
        endpoint_id=None,
        event_type=None,
        statuses=statuses or ("dead",),
        created_from=None,
        created_to=created_to,
        rate_per_second=10,
        total=0,
        created_at=NOW,
    )
    await store.add_replay(job)
    return job


async def kept(store: Store, job: Replay) -> Replay:
    found = await store.replay_of_many(job.account_id, job.id)
    assert found is not None
    return found


async def test_it_goes_in_steps_from_the_oldest_until_there_is_none_left(store: Store) -> None:
    account = await dead_deliveries(store, 5)
    job = await begin(store, account)
    assert await store.running_replays() == [job]
    assert [await store.advance_replay(account.id, job.id, 2, NOW) for _ in range(4)] == [2, 2, 1, 0]
    assert (await kept(store, job)).status == "done"
    assert (await kept(store, job)).replayed == 5
    assert await store.running_replays() == []
    assert len(await deliveries_of(store, account, "pending")) == 5


async def test_only_what_passes_the_filters_is_replayed(store: Store) -> None:
    account = await dead_deliveries(store, 2)
    await accept(store, draft(account))
    await store.settle([settled(await claim_one(store))], NOW)
    assert await store.count_deliveries(DeliveryQuery(account_id=account.id, statuses=("dead",)), 100) == 2
    job = await begin(store, account)
    await store.advance_replay(account.id, job.id, 10, NOW)
    assert len(await deliveries_of(store, account, "pending")) == 2
    everything = await begin(store, account, "dead", "delivered")
    assert await store.advance_replay(account.id, everything.id, 10, NOW) == 1


async def test_what_came_after_the_replay_began_is_left_alone(store: Store) -> None:
    account = await dead_deliveries(store, 1)
    job = await begin(store, account, created_to=NOW)
    assert await store.advance_replay(account.id, job.id, 10, NOW) == 0


async def test_what_finished_before_an_instant_can_be_left_out(store: Store) -> None:
    account = await dead_deliveries(store, 1)
    await accept(store, draft(account))
    await store.settle([settled(await claim_one(store), "dead", status_code=500)], NOW + SECOND)
    begun = await begin(store, account)
    job = replace(begun, id=await store.new_id(account.id), finished_from=NOW + SECOND, created_at=NOW + SECOND)
    await store.add_replay(job)
    assert await kept(store, job) == job
    assert await store.advance_replay(account.id, job.id, 10, NOW + SECOND) == 1


async def test_two_processes_never_take_the_same_step(store: Store, second: Store) -> None:
    account = await dead_deliveries(store, 40)
    job = await begin(store, account)
    steps = [each.advance_replay(account.id, job.id, 5, NOW) for each in (store, second) * 4]
    assert sum(await asyncio.gather(*steps)) == 40
    assert (await kept(store, job)).replayed == 40


async def test_a_cancelled_replay_goes_no_further(store: Store) -> None:
    account = await dead_deliveries(store, 3)
    job = await begin(store, account)
    await store.advance_replay(account.id, job.id, 1, NOW)
    cancelled = await store.cancel_replay(account.id, job.id, NOW + 1)
    assert cancelled is not None
    assert (cancelled.status, cancelled.replayed, cancelled.finished_at) == ("cancelled", 1, NOW + 1)
    assert await store.advance_replay(account.id, job.id, 10, NOW) == 0
    assert await store.cancel_replay(account.id, job.id, NOW + 2) == cancelled


async def test_another_accounts_replay_is_not_there(store: Store) -> None:
    account = await dead_deliveries(store, 1)
    other = await add_account(store, "Grace's courses")
    job = await begin(store, account)
    assert await store.replay_of_many(other.id, job.id) is None
    assert await store.cancel_replay(other.id, job.id, NOW) is None
    assert await store.replays(other.id, None, 10) == []
    assert await store.replays(account.id, None, 10) == [job]
    assert await store.replays(account.id, job.id, 10) == []
