"""Retention: what is old and finished goes, in small steps; what is still to be sent stays."""

import pytest

from hookwright.core.errors import Conflict
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import DAY, Account, Delivery, Subscription
from hookwright.store.base import DeliveryQuery, Store
from store.given import (
    NOW,
    accept,
    add_account,
    add_delivery,
    add_endpoint,
    again,
    claim,
    claim_one,
    deliveries_of,
    draft,
    notice,
    settled,
)

LATER = NOW + 31 * DAY


async def finished_events(store: Store, number: int) -> Account:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account, key=f"key-{position}") for position in range(number)))
    await store.settle([settled(each) for each in await claim(store)], NOW)
    return account


async def prune_all(store: Store, account: Account, limit: int = 100) -> int:
    return await store.prune_events(account.id % LANE_COUNT, LATER, limit)


async def only_delivery(store: Store, account: Account) -> Delivery:
    (delivery,) = await deliveries_of(store, account)
    return delivery


async def test_an_old_event_goes_with_everything_that_hangs_on_it(store: Store) -> None:
    account = await finished_events(store, 1)
    delivery = await only_delivery(store, account)
    assert await prune_all(store, account) == 1
    assert await store.event(delivery.event_id) is None
    assert await store.delivery(delivery.id) is None
    assert await store.attempts(delivery.id) == []
    assert await store.payload(delivery.id) is None


async def test_it_goes_in_small_steps(store: Store) -> None:
    account = await finished_events(store, 5)
    assert [await prune_all(store, account, 2) for _ in range(4)] == [2, 2, 1, 0]


async def test_what_is_younger_stays(store: Store) -> None:
    account = await finished_events(store, 1)
    assert await store.prune_events(account.id % LANE_COUNT, NOW, 100) == 0


async def test_what_is_still_to_be_sent_stays_however_old(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await add_endpoint(store, account)
    await accept(store, draft(account))
    assert await prune_all(store, account) == 0
    claims = await claim(store)
    assert await prune_all(store, account) == 0
    await store.settle([settled(claims[0])], NOW)
    assert await prune_all(store, account) == 0
    await store.settle([settled(claims[1])], NOW)
    assert await prune_all(store, account) == 1


async def died_late(store: Store) -> Delivery:
    """A delivery that waited for 31 days for its disabled endpoint, and died at its first attempt after them."""
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.set_endpoint_status(account.id, endpoint.id, "disabled", "failing", NOW)
    delivery = await add_delivery(store, endpoint)
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, LATER)
    await store.settle([settled(await claim_one(store, LATER), "dead")], LATER)
    return delivery


async def test_what_died_late_is_kept_from_its_death_on_and_can_be_replayed(store: Store) -> None:
    delivery = await died_late(store)
    lane_index = delivery.account_id % LANE_COUNT
    assert await store.prune_events(lane_index, LATER, 100) == 0
    assert await store.prune_payloads(lane_index, LATER, 100) == 0
    await store.replay(delivery.id, LATER)
    assert (await again(store, delivery)).status == "pending"


async def test_it_goes_when_it_was_dead_for_as_long_as_things_are_kept(store: Store) -> None:
    delivery = await died_late(store)
    assert await store.prune_events(delivery.account_id % LANE_COUNT, LATER + 1, 100) == 1
    assert await store.delivery(delivery.id) is None


async def test_what_is_kept_among_the_oldest_is_walked_past_and_looked_at_again_the_next_time(store: Store) -> None:
    account = await finished_events(store, 4)
    await add_endpoint(store, account, Subscription("late"))
    kept = draft(account, notice(event="late"), key="late")
    await accept(store, kept)
    await store.settle([settled(await claim_one(store), "dead")], LATER)
    assert [await prune_all(store, account, 2) for _ in range(3)] == [2, 2, 0]
    assert await store.prune_events(account.id % LANE_COUNT, LATER + 1, 2) == 1


async def test_a_payload_may_go_before_its_delivery_which_then_cannot_be_replayed(store: Store) -> None:
    account = await finished_events(store, 1)
    lane_index = account.id % LANE_COUNT
    assert await store.prune_payloads(lane_index, LATER, 100) == 1
    assert await store.prune_payloads(lane_index, LATER, 100) == 0
    delivery = await only_delivery(store, account)
    assert await store.payload(delivery.id) is None
    event = await store.event(delivery.event_id)
    assert event is not None
    assert event.data == b""
    with pytest.raises(Conflict, match="not kept"):
        await store.replay(delivery.id, NOW)
    assert len(await store.deliveries(DeliveryQuery(account_id=account.id))) == 1


async def test_old_idempotency_keys_are_forgotten(store: Store) -> None:
    account = await finished_events(store, 3)
    lane_index = account.id % LANE_COUNT
    assert await store.prune_keys(lane_index, NOW, 100) == 0
    assert await store.prune_keys(lane_index, LATER, 2) == 2
    assert await store.prune_keys(lane_index, LATER, 2) == 1
