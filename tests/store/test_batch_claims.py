"""Endpoints that take several events in one request: one batch, one lease, and the same batch again."""

import asyncio

import pytest
from msgspec.structs import replace

from hookwright.core.model import SECOND, Account, Claim, Endpoint, Replay, Subscription
from hookwright.store import claim_steps
from hookwright.store.base import DeliveryQuery, EndpointQuery, Store
from store.given import NOW, accept, add_account, draft, notice, settled

LEASE = NOW + 10 * SECOND
NAMES = ("tag.created", "tag.deleted")


async def batching_endpoint(store: Store, account: Account, limit: int = 100) -> Endpoint:
    endpoint = Endpoint(
        id=await store.new_id(account.id),
        account_id=account.id,
        site_id=None,
        dialect="kit_endpoints",
        url="https://receiver.example.com/in",
        subscriptions=tuple(Subscription(name) for name in NAMES),
        batch_limit=limit,
        status_changed_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    await store.add_endpoint(endpoint)
    return endpoint


async def accept_several(store: Store, account: Account, *names: str, body: bytes = b"{}") -> None:
    notices = [notice(dialect="kit_endpoints", event=name, render=lambda: body) for name in names]
    await accept(store, *(draft(account, each) for each in notices))


def batches(claims: list[Claim]) -> list[list[int]]:
    together: dict[int, list[int]] = {}
    for claim in claims:
        assert claim.batch_id is not None
        together.setdefault(claim.batch_id, []).append(claim.delivery_id)
    return [sorted(ids) for ids in together.values()]


async def test_a_backlog_goes_out_in_batches_of_one_event_each(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account, limit=3)
    await accept_several(store, account, *["tag.created"] * 4, "tag.deleted")
    claims = await store.claim(100, NOW, LEASE)
    assert sorted(len(batch) for batch in batches(claims)) == [1, 1, 3]
    for batch in batches(claims):
        assert len({claim.dialect_event for claim in claims if claim.delivery_id in batch}) == 1
        assert batch[0] in {claim.batch_id for claim in claims}


async def test_a_batch_is_split_by_the_size_of_its_payloads(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3, body=b"x" * 200_000)
    assert sorted(map(len, batches(await store.claim(100, NOW, LEASE)))) == [1, 2]


async def test_no_batch_is_cut_by_the_limit_of_a_look(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account, limit=3)
    await accept_several(store, account, *["tag.created"] * 6)
    claims = await store.claim(100, NOW, LEASE)
    await store.settle([settled(claim, "pending", due_at=LEASE) for claim in claims], NOW)
    monkeypatch.setattr(claim_steps, "BATCH", 5)
    again = [await store.claim(100, LEASE, 2 * LEASE) for _ in range(2)]
    assert [len(some) for some in again] == [3, 3]
    assert sorted(batches([*again[0], *again[1]])) == sorted(batches(claims))


async def test_a_retry_is_the_same_batch_and_nothing_joins_it(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 2)
    first = await store.claim(100, NOW, LEASE)
    await store.settle([settled(claim, "pending", due_at=NOW + SECOND) for claim in first], NOW)
    await accept_several(store, account, "tag.created")
    second = await store.claim(100, NOW + SECOND, LEASE)
    assert batches(first)[0] in batches(second)
    assert sorted(map(len, batches(second))) == [1, 2]


async def test_a_batch_whose_worker_went_away_is_sent_again_as_it_was(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3)
    first = await store.claim(100, NOW, LEASE)
    assert await store.rescue(LEASE) == 3
    second = await store.claim(100, LEASE, LEASE + SECOND)
    assert batches(second) == batches(first)
    assert {claim.fence for claim in second} == {2}


async def test_two_workers_never_share_a_batch(store: Store, second: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account, limit=5)
    await accept_several(store, account, *["tag.created"] * 40)
    found = await asyncio.gather(*(each.claim(50, NOW, LEASE) for each in (store, second) * 3))
    claimed = [claim.delivery_id for claims in found for claim in claims]
    assert len(claimed) == len(set(claimed)) == 40
    for claims in found:
        assert all(len(batch) == 5 for batch in batches(claims))


async def test_a_replay_of_one_sends_its_whole_batch(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 2)
    first = await store.claim(100, NOW, LEASE)
    await store.settle([settled(claim, "delivered") for claim in first], NOW)
    await store.replay(first[1].delivery_id, NOW)
    assert batches(await store.claim(100, NOW, LEASE)) == batches(first)


async def test_a_failed_batch_is_one_failure_in_a_row(store: Store) -> None:
    account = await add_account(store)
    endpoint = await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 20, "tag.deleted")
    claims = await store.claim(100, NOW, LEASE)
    assert len(claims) == 21
    await store.settle([settled(claim, "pending", due_at=LEASE) for claim in claims], NOW)
    found = await store.endpoint(account.id, endpoint.id)
    assert found is not None
    assert (found.health.failures, found.health.breaker_open_until) == (2, None)


async def test_a_list_may_show_each_batch_once(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3, "tag.deleted")
    claims = await store.claim(100, NOW, LEASE)
    shown = await store.deliveries(DeliveryQuery(account_id=account.id, one_of_a_batch=True))
    assert {delivery.id for delivery in shown} == {claim.batch_id for claim in claims}
    largest = max(batches(claims), key=len)
    members = await store.deliveries(DeliveryQuery(batch_id=largest[0]))
    assert sorted(delivery.id for delivery in members) == largest


async def test_the_batches_of_a_paused_endpoint_wait_and_those_of_a_deleted_one_are_cancelled(store: Store) -> None:
    account = await add_account(store)
    endpoint = await batching_endpoint(store, account)
    await accept_several(store, account, "tag.created")
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await store.claim(100, NOW, LEASE) == []
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)
    assert len(await store.claim(100, NOW, LEASE)) == 1
    await accept_several(store, account, "tag.created")
    await store.delete_endpoint(account.id, endpoint.id, NOW)
    assert await store.claim(100, NOW, LEASE) == []


async def test_endpoints_that_batch_do_not_hold_up_those_that_do_not(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    assert len(await store.endpoints(EndpointQuery(account_id=account.id))) == 1
    await accept_several(store, account, *["tag.created"] * 20)
    assert len(await store.claim(5, NOW, LEASE)) == 20


async def test_a_replay_of_many_never_cuts_a_batch_in_two(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 4)
    claims = await store.claim(100, NOW, LEASE)
    await store.settle([settled(each, "dead") for each in claims], NOW)
    job = Replay(
        id=await store.new_id(account.id),
        account_id=account.id,
        endpoint_id=None,
        event_type=None,
        statuses=("dead",),
        created_from=None,
        created_to=NOW + 1,
        rate_per_second=1,
        total=4,
        created_at=NOW,
    )
    await store.add_replay(job)
    await store.advance_replay(account.id, job.id, 1, NOW)
    again = await store.claim(100, NOW, LEASE)
    assert batches(again) == batches(claims)
    assert {each.batch_id for each in again} == {each.batch_id for each in claims}
    await store.settle([settled(each) for each in again], NOW)
    while await store.advance_replay(account.id, job.id, 1, NOW):
        assert await store.claim(100, NOW, LEASE) == []


async def test_cancelling_one_of_a_batch_that_waits_for_its_retry_cancels_the_batch(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3)
    claims = await store.claim(100, NOW, LEASE)
    await store.settle([settled(each, "pending", due_at=NOW + SECOND) for each in claims], NOW)
    cancelled = await store.cancel(claims[1].delivery_id, NOW)
    assert cancelled is not None
    assert (cancelled.id, cancelled.status) == (claims[1].delivery_id, "cancelled")
    assert await store.claim(100, NOW + SECOND, LEASE) == []


async def test_what_is_left_of_a_batch_when_one_of_it_expires_goes_out_under_another_id(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 2)
    one = draft(account, notice(dialect="kit_endpoints", event="tag.created"), now=NOW - 1)
    await accept(store, replace(one, event=replace(one.event, expires_at=NOW + SECOND)))
    claims = await store.claim(100, NOW, LEASE)
    assert len(batches(claims)) == 1
    await store.settle([settled(each, "pending", due_at=NOW + SECOND) for each in claims], NOW)
    (dead,) = await store.expire(NOW + SECOND)
    left = await store.claim(100, NOW + SECOND, LEASE)
    assert {each.delivery_id for each in left} == {each.delivery_id for each in claims} - {dead.id}
    assert len({each.batch_id for each in left}) == 1


async def test_a_replay_in_several_steps_sends_a_batch_again_only_once(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account, limit=4)
    await accept_several(store, account, *["tag.created"] * 4)
    claims = await store.claim(100, NOW, LEASE)
    await store.settle([settled(claim) for claim in claims], NOW)
    begun = NOW + SECOND
    replay = Replay(
        id=await store.new_id(account.id),
        account_id=account.id,
        endpoint_id=None,
        event_type=None,
        statuses=("delivered",),
        created_from=None,
        created_to=begun,
        rate_per_second=2,
        total=4,
        created_at=begun,
    )
    await store.add_replay(replay)
    sent: list[int] = []
    for second in range(1, 4):
        now = begun + second * SECOND
        await store.advance_replay(account.id, replay.id, 2, now)
        claims = await store.claim(100, now, now + 10 * SECOND)
        await store.settle([settled(claim) for claim in claims], now)
        sent += [claim.delivery_id for claim in claims]
    assert len(sent) == len(set(sent)) == 4
