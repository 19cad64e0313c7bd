"""Endpoints that take several events in one request: one batch, one lease, and the same batch again."""

import asyncio

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Conflict
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import (
    DAY,
    SECOND,
    Account,
    Claim,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointChange,
    Instant,
    Replay,
    Subscription,
)
from hookwright.store import claim_steps
from hookwright.store.base import DeliveryQuery, EndpointQuery, Store
from store.given import NOW, accept, add_account, change_database, draft, lease_of, notice, settled

LEASE = NOW + 10 * SECOND
LATER = NOW + 2 * DAY
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


async def accept_expiring(store: Store, account: Account, expires_at: Instant | None) -> None:
    one = draft(account, notice(dialect="kit_endpoints", event="tag.created"))
    await accept(store, replace(one, event=replace(one.event, expires_at=expires_at)))


async def again(store: Store, delivery_id: int) -> Delivery:
    found = await store.delivery(delivery_id)
    assert found is not None
    return found


def ids_of(claims: list[Claim]) -> set[tuple[int | None, int]]:
    """Under which id each goes out."""
    return {(claim.batch_id, claim.delivery_id) for claim in claims}


def lane_index_of(store: Store, account: Account) -> int:
    return account.id % LANE_COUNT % store.lane_count


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
    assert ids_of(await store.claim(100, LEASE, 2 * LEASE)) == ids_of(claims)


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
    replayed = await store.claim(100, NOW, LEASE)
    assert ids_of(replayed) == ids_of(claims)
    await store.settle([settled(each) for each in replayed], NOW)
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


async def test_what_expires_shares_a_request_only_with_what_expires_at_the_same_instant(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    for expires_at in (None, NOW + SECOND, NOW + 2 * SECOND) * 2:
        await accept_expiring(store, account, expires_at)
    claims = await store.claim(100, NOW, LEASE)
    assert [len(batch) for batch in batches(claims)] == [2, 2, 2]
    await store.settle([settled(each, "pending", due_at=NOW + SECOND) for each in claims], NOW)
    left = await store.claim(100, NOW + SECOND, LEASE)
    assert len(await store.expire(NOW + SECOND)) == 2
    assert [len(batch) for batch in batches(left)] == [2, 2]
    assert ids_of(left) < ids_of(claims)


async def test_a_part_that_was_given_back_waits_for_the_part_that_is_on_its_way(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3)
    claims = await store.claim(100, NOW, LEASE)
    await store.renew([lease_of(claims[0])], LEASE + 5 * SECOND)
    assert await store.rescue(LEASE) == 2
    assert await store.claim(100, LEASE, LEASE + 9 * SECOND) == []
    assert await store.rescue(LEASE + 5 * SECOND) == 1
    again = await store.claim(100, LEASE + 5 * SECOND, LEASE + 9 * SECOND)
    assert ids_of(again) == ids_of(claims)


async def test_parts_that_were_given_back_far_apart_still_find_each_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account, limit=2)
    await accept_several(store, account, *["tag.created"] * 8)
    claims = await store.claim(100, NOW, LEASE)
    await store.release([lease_of(each) for each in claims[::2]], NOW)
    await store.release([lease_of(each) for each in claims[1::2]], NOW + SECOND)
    monkeypatch.setattr(claim_steps, "BATCH", 4)
    assert ids_of(await store.claim(100, NOW + SECOND, LEASE)) == ids_of(claims)


async def test_who_lost_one_of_a_batch_lost_it_all(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3, "tag.deleted")
    claims = await store.claim(100, NOW, LEASE)
    of_three = [each for each in claims if each.dialect_event == "tag.created"]
    (alone,) = [each for each in claims if each.dialect_event == "tag.deleted"]
    await store.release([lease_of(of_three[1])], NOW)
    assert await store.settle([settled(each) for each in claims], NOW) == {alone.delivery_id}
    assert await store.rescue(LEASE) == 2
    assert ids_of(await store.claim(100, LEASE, LEASE + SECOND)) == ids_of(of_three)


async def test_a_lost_batch_does_no_harm_to_itself_as_it_was_claimed_again(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 2)
    lost = await store.claim(100, NOW, LEASE)
    await store.rescue(LEASE)
    claims = await store.claim(100, LEASE, LEASE + SECOND)
    written = await store.settle([settled(each) for each in [*lost, *claims]], LEASE)
    assert written == {each.delivery_id for each in claims}
    assert {(await again(store, id)).attempts for id in written} == {1}


async def test_what_is_left_of_a_broken_batch_goes_alone_under_an_id_that_was_never_sent(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 3)
    claims = await store.claim(100, NOW, LEASE)
    await store.settle([settled(each, "pending", due_at=NOW + SECOND) for each in claims], NOW)
    lost = max(each.delivery_id for each in claims)
    dead = f"UPDATE deliveries SET status = 'dead', due_at = NULL, finished_at = {NOW} WHERE id = {lost}"
    await change_database(store, dead)
    await accept_several(store, account, "tag.created")
    left, new = sorted(batches(await store.claim(100, NOW + SECOND, LEASE)), key=len, reverse=True)
    assert left == sorted(each.delivery_id for each in claims)[:2]
    assert len(new) == 1
    (batch_id,) = {(await again(store, id)).batch_id for id in left}
    assert batch_id is not None
    assert batch_id > max(new)
    shown = await store.deliveries(DeliveryQuery(account_id=account.id, one_of_a_batch=True))
    assert {delivery.id for delivery in shown} == {left[0], lost, new[0]}


async def two_days_apart(store: Store, account: Account) -> tuple[Claim, Claim]:
    """Two of one batch that was delivered, of which the older is about to be pruned."""
    endpoint = await batching_endpoint(store, account)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    for now in (NOW, LATER):
        await accept(store, draft(account, notice(dialect="kit_endpoints", event="tag.created"), now=now))
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, LATER)
    older, newer = sorted(await store.claim(100, LATER, LATER + SECOND), key=lambda each: each.delivery_id)
    assert older.batch_id == newer.batch_id
    await store.settle([settled(older), settled(newer)], LATER)
    return older, newer


async def begun_replay(
    store: Store, account: Account, status: DeliveryStatus, now: Instant, rate: int, total: int
) -> Replay:
    """A replay of all that came to this."""
    job = Replay(
        id=await store.new_id(account.id),
        account_id=account.id,
        endpoint_id=None,
        event_type=None,
        statuses=(status,),
        created_from=None,
        created_to=now,
        rate_per_second=rate,
        total=total,
        created_at=now,
    )
    await store.add_replay(job)
    return job


async def replay_all(store: Store, account: Account, status: DeliveryStatus, now: Instant) -> int:
    """How many a replay of all that came to this has made due."""
    job = await begun_replay(store, account, status, now, rate=1, total=2)
    while await store.advance_replay(account.id, job.id, 1, now):
        pass
    done = await store.replay_of_many(account.id, job.id)
    assert done is not None
    return done.replayed


@pytest.mark.parametrize(("pruned", "why"), [("payloads", "the payload of"), ("events", "not everything")])
async def test_what_went_out_with_something_that_is_gone_is_not_replayed(store: Store, pruned: str, why: str) -> None:
    account = await add_account(store)
    older, newer = await two_days_apart(store, account)
    # They ended together and go together, but for a prune that is between two of its steps.
    await change_database(store, f"UPDATE deliveries SET finished_at = {NOW} WHERE id = {older.delivery_id}")
    prune = store.prune_payloads if pruned == "payloads" else store.prune_events
    assert await prune(lane_index_of(store, account), NOW + DAY, 100) == 1
    with pytest.raises(Conflict, match=why):
        await store.replay(newer.delivery_id, LATER + SECOND)
    assert await replay_all(store, account, "delivered", LATER + SECOND) == 0
    assert (await again(store, newer.delivery_id)).status == "delivered"
    assert await store.claim(100, LATER + SECOND, LATER + DAY) == []
    if pruned == "payloads":
        assert (await again(store, older.delivery_id)).status == "delivered"
    shown = await store.deliveries(DeliveryQuery(account_id=account.id, one_of_a_batch=True))
    assert len(shown) == 1


async def test_what_went_out_with_something_that_has_expired_is_not_replayed(store: Store) -> None:
    account = await add_account(store)
    older, newer = await two_days_apart(store, account)
    # As batches were made before what expires was kept apart.
    await change_database(store, f"UPDATE deliveries SET expires_at = {LATER} WHERE id = {older.delivery_id}")
    with pytest.raises(Conflict, match="has expired"):
        await store.replay(newer.delivery_id, LATER + SECOND)
    assert await replay_all(store, account, "delivered", LATER + SECOND) == 0
    assert await store.expire(LATER + SECOND) == []
    assert (await again(store, older.delivery_id)).status == "delivered"


async def test_what_is_partly_on_its_way_is_neither_replayed_nor_cancelled(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account)
    await accept_several(store, account, *["tag.created"] * 2)
    first, other = await store.claim(100, NOW, LEASE)
    await store.release([lease_of(first)], NOW)
    with pytest.raises(Conflict, match="at this moment"):
        await store.replay(first.delivery_id, NOW)
    with pytest.raises(Conflict, match="at this moment"):
        await store.cancel(first.delivery_id, NOW)
    assert (await again(store, first.delivery_id)).status == "pending"
    assert (await again(store, other.delivery_id)).status == "in_flight"


async def test_a_replayed_batch_goes_to_the_end_of_all_of_its_lines(store: Store) -> None:
    account = await add_account(store)
    endpoint = await batching_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, EndpointChange(ordering="key"), NOW)

    async def accept_one_for_each_line() -> None:
        for key in ("one", "two"):
            each = draft(account, notice(dialect="kit_endpoints", event="tag.created"))
            await accept(store, replace(each, event=replace(each.event, ordering_key=key)))

    await accept_one_for_each_line()
    first = await store.claim(100, NOW, LEASE)
    assert len(batches(first)) == 1
    await store.settle([settled(each) for each in first], NOW)
    await accept_one_for_each_line()
    second = await store.claim(100, NOW, LEASE)
    assert len(batches(second)) == 1
    await store.settle([settled(each, "pending", due_at=NOW + SECOND) for each in second], NOW)
    await store.replay(first[0].delivery_id, NOW)
    assert await store.claim(100, NOW, LEASE) == []
    now = NOW + SECOND
    ahead = await store.claim(100, now, now + SECOND)
    assert ids_of(ahead) == ids_of(second)
    await store.settle([settled(each) for each in ahead], now)
    assert ids_of(await store.claim(100, now, now + SECOND)) == ids_of(first)


async def test_a_replay_in_several_steps_sends_a_batch_again_only_once(store: Store) -> None:
    account = await add_account(store)
    await batching_endpoint(store, account, limit=4)
    await accept_several(store, account, *["tag.created"] * 4)
    claims = await store.claim(100, NOW, LEASE)
    await store.settle([settled(claim) for claim in claims], NOW)
    begun = NOW + SECOND
    replay = await begun_replay(store, account, "delivered", begun, rate=2, total=4)
    sent: list[int] = []
    for second in range(1, 4):
        now = begun + second * SECOND
        await store.advance_replay(account.id, replay.id, 2, now)
        claims = await store.claim(100, now, now + 10 * SECOND)
        await store.settle([settled(claim) for claim in claims], now)
        sent += [claim.delivery_id for claim in claims]
    assert len(sent) == len(set(sent)) == 4
