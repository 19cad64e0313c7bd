"""Claims, leases and fences: each due delivery is with one worker at a time, and comes back from one that is gone."""

import asyncio

import pytest
from msgspec.structs import replace

from hookwright.core.model import HOUR, SECOND, EndpointStatus
from hookwright.store.base import Lease, Store
from store.given import (
    LANE_INDEX,
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
    deliveries_of,
    draft,
    first_delivery,
    lease_of,
    notice,
    settled,
)

# -- claim -------------------------------------------------------------------------------------------------------


async def test_a_claim_has_all_that_is_needed_to_send(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account, schedule=(0, 7))
    one = draft(account, notice(render=lambda: b"body", ordinal=3))
    await accept_one(store, one)
    (delivery,) = await deliveries_of(store, account)

    claimed = await claim_one(store)

    assert (claimed.delivery_id, claimed.endpoint_id, claimed.account_id) == (delivery.id, endpoint.id, account.id)
    assert (claimed.event_id, claimed.event_type) == (one.event.id, "contact.tag_added")
    assert claimed.occurred_at == one.event.occurred_at
    assert (claimed.dialect, claimed.dialect_event, claimed.ordinal) == ("kit", "tag_add", 3)
    assert (claimed.url, claimed.body, claimed.retry_schedule) == (endpoint.url, b"body", (0, 7))
    assert (claimed.attempt, claimed.round_attempt) == (1, 1)
    assert claimed.message_id == f"{one.event.id}-3"
    in_flight = await again(store, delivery)
    assert in_flight == replace(delivery, status="in_flight", due_at=None)


async def test_nobody_else_gets_a_claimed_delivery_even_after_its_lease(store: Store, second: Store) -> None:
    await first_delivery(store)
    await claim_one(store)

    assert await claim(store, now=NOW + LEASE - 1) == []
    assert await claim(second, now=NOW + LEASE + HOUR) == []


async def test_nothing_is_claimed_before_it_is_due(store: Store) -> None:
    await first_delivery(store)

    assert await claim(store, now=NOW - 1) == []
    assert len(await claim(store, now=NOW)) == 1


async def test_what_is_due_first_is_claimed_first(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    dues = [NOW + second * SECOND for second in (5, 1, 4, 2, 3, 0)]
    events = {due: (await accept_one(store, draft(account, now=due))).event_id for due in dues}

    first, rest = await claim(store, 2, NOW + HOUR), await claim(store, 9, NOW + HOUR)

    assert [each.event_id for each in (*first, *rest)] == [events[due] for due in sorted(dues)]


async def test_a_claim_takes_no_more_than_its_limit(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(5)))

    assert [len(await claim(store, limit)) for limit in (0, 2, 2, 2, 2)] == [0, 2, 2, 1, 0]


async def test_deliveries_of_every_lane_are_claimed(store: Store) -> None:
    for lane_index in (0, LANE_INDEX, 63):
        account = await add_account(store, lane_index=lane_index)
        await add_delivery(store, await add_endpoint(store, account))

    assert len(await claim(store)) == 3


async def test_two_workers_never_claim_the_same_delivery(store: Store, second: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(200)))

    found = await asyncio.gather(*(claim(which, 30) for _ in range(5) for which in (store, second)))

    # A worker that comes while another holds the due rows may find none; what it leaves is there for the next one.
    rest = await claim(store, 200)
    claimed = [each.delivery_id for some in (*found, rest) for each in some]
    assert len(claimed) == len(set(claimed)) == 200


# -- endpoints that do not receive -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_what_waits_for_its_endpoint_takes_no_room_in_a_claim(store: Store, status: EndpointStatus) -> None:
    account, other = await add_account(store), await add_account(store)
    endpoint = await add_endpoint(store, account)
    await add_endpoint(store, other)
    await accept(store, *(draft(account) for _ in range(7)))
    await accept(store, *(draft(other, now=NOW + 1) for _ in range(3)))
    await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)

    assert len(await claim(store, 3, NOW + 1)) == 3

    waiting = await deliveries_of(store, account)
    assert {(each.status, each.due_at) for each in waiting} == {("pending", None)}


async def test_a_backlog_of_a_paused_endpoint_does_not_hide_what_comes_after_it(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, dialect="kajabi")
    behind = (await accept(store, draft(account, notice(dialect="kajabi"), now=NOW + 1)))[0]
    paused = await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(40)))
    await store.set_endpoint_status(account.id, paused.id, "paused", None, NOW)

    (claimed,) = await claim(store, 2, NOW + 1)

    assert claimed.event_id == getattr(behind, "event_id", None)


async def test_a_delivery_waits_untouched_and_is_sent_after_the_activation(store: Store) -> None:
    delivery = await first_delivery(store)
    account_id, endpoint_id = delivery.account_id, delivery.endpoint_id
    await store.set_endpoint_status(account_id, endpoint_id, "paused", None, NOW)
    assert await claim(store) == []
    assert await again(store, delivery) == replace(delivery, due_at=None)

    await store.set_endpoint_status(account_id, endpoint_id, "active", None, NOW + 5)

    assert await again(store, delivery) == delivery
    claimed = await claim_one(store, NOW + 5)
    assert (claimed.delivery_id, claimed.attempt) == (delivery.id, 1)


async def test_a_delivery_that_becomes_due_after_the_deletion_is_cancelled(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    await store.delete_endpoint(delivery.account_id, delivery.endpoint_id, NOW)
    await store.release([lease_of(claimed)], NOW)

    assert await claim(store, now=NOW + 7) == []

    assert await again(store, delivery) == replace(delivery, status="cancelled", due_at=None, finished_at=NOW + 7)


# -- renew, release, rescue --------------------------------------------------------------------------------------


async def test_a_renewed_lease_is_not_rescued_before_its_new_end(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)

    assert await store.renew([lease_of(claimed)], NOW + 3 * LEASE) == {delivery.id}

    assert await store.rescue(NOW + 3 * LEASE - 1) == 0
    assert await store.rescue(NOW + 3 * LEASE) == 1


async def test_renewing_answers_with_what_is_still_ours(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(3)))
    kept, sent, lost = await claim(store)
    await store.settle([settled(sent)], NOW)
    stale = Lease(lost.delivery_id, lost.fence - 1)

    assert await store.renew([lease_of(kept), lease_of(sent), stale], NOW + HOUR) == {kept.delivery_id}
    assert await store.renew([], NOW + HOUR) == set()


async def test_a_released_delivery_is_due_at_once_and_untouched(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)

    await store.release([lease_of(claimed)], NOW + 5)

    assert await again(store, delivery) == replace(delivery, due_at=NOW + 5)
    assert await store.attempts(delivery.id) == []
    assert await claim(store, now=NOW + 4) == []
    next_claim = await claim_one(store, NOW + 5)
    assert (next_claim.attempt, next_claim.fence) == (1, claimed.fence + 1)


async def test_releasing_nothing_is_nothing(store: Store) -> None:
    delivery = await first_delivery(store)

    await store.release([], NOW)

    assert await again(store, delivery) == delivery


async def test_only_leases_that_have_ended_are_rescued(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for after in range(3):
        await accept_one(store, draft(account, now=NOW + after))
        await claim_one(store, NOW + after)

    assert await store.rescue(NOW + LEASE - 1) == 0
    assert await store.rescue(NOW + LEASE + 1) == 2
    assert await store.rescue(NOW + LEASE + 1) == 0

    rescued = await deliveries_of(store, account, "pending")
    assert [(each.due_at, each.attempts) for each in rescued] == [(NOW + LEASE + 1, 0)] * 2
    assert len(await deliveries_of(store, account, "in_flight")) == 1


async def test_every_lease_that_has_ended_is_rescued_however_many_there_are(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for _ in range(7):
        await accept(store, *(draft(account) for _ in range(300)))
    assert len(await claim(store, 5_000)) == 2_100

    assert await store.rescue(NOW + LEASE) == 2_100


async def test_two_nodes_that_rescue_at_once_count_each_delivery_once(store: Store, second: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(50)))
    await claim(store)

    counts = await asyncio.gather(*(which.rescue(NOW + LEASE) for which in (store, second)))

    assert sum(counts) + await store.rescue(NOW + LEASE) == 50
    assert len(await claim(store, now=NOW + LEASE)) == 50


# -- the fence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed_again", [False, True])
async def test_a_worker_that_lost_its_claim_writes_nothing(store: Store, claimed_again: bool) -> None:
    delivery = await first_delivery(store)
    zombie = await claim_one(store)
    await store.rescue(NOW + LEASE)
    if claimed_again:
        await claim_one(store, NOW + LEASE)
    before = await again(store, delivery)

    assert await store.settle([settled(zombie, disable_reason="gone")], NOW + LEASE) == set()
    assert await store.renew([lease_of(zombie)], NOW + HOUR) == set()
    await store.release([lease_of(zombie)], NOW + HOUR)

    assert await again(store, delivery) == before
    assert await store.attempts(delivery.id) == []
    endpoint = await store.endpoint(delivery.account_id, delivery.endpoint_id)
    assert endpoint is not None
    assert endpoint.status == "active"
    assert await store.rescue(NOW + 2 * LEASE) == int(claimed_again)


async def test_the_worker_that_claimed_again_can_settle_after_the_zombie_tried(store: Store) -> None:
    delivery = await first_delivery(store)
    zombie = await claim_one(store)
    await store.rescue(NOW + LEASE)
    current = await claim_one(store, NOW + LEASE)
    assert current.fence > zombie.fence
    await store.settle([settled(zombie, "dead")], NOW + LEASE)

    assert await store.settle([settled(current)], NOW + LEASE) == {delivery.id}

    assert (await again(store, delivery)).status == "delivered"


async def test_a_settled_claim_cannot_be_settled_again(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    await store.settle([settled(claimed)], NOW)

    assert await store.settle([settled(claimed, "dead")], NOW) == set()

    assert (await again(store, delivery)).status == "delivered"
    assert len(await store.attempts(delivery.id)) == 1


async def test_a_zombie_does_not_disturb_the_next_round_after_a_replay(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    await store.settle([settled(claimed, "dead")], NOW)
    await store.replay(delivery.id, NOW)
    replayed = await claim_one(store)

    assert await store.settle([settled(claimed, "dead")], NOW) == set()
    assert await store.settle([settled(replayed)], NOW) == {delivery.id}
