"""What waits in a process' memory asks now and then which of its endpoints may still be sent to."""

import pytest

from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import SECOND, EndpointChange, EndpointStatus
from hookwright.store.base import Store
from store.given import LANE_INDEX, LEASE, NOW, add_account, add_endpoint, claim_one, first_delivery, settled

LATER = NOW + SECOND


async def test_endpoints_that_nobody_changed_are_sendable_in_whatever_lane(store: Store) -> None:
    here = await add_endpoint(store, await add_account(store))
    there = await add_endpoint(store, await add_account(store, lane_index=(LANE_INDEX + 1) % LANE_COUNT))
    assert await store.sendable([here.id, there.id], LATER) == {here.id, there.id}
    assert await store.sendable([], LATER) == set()


@pytest.mark.parametrize(
    "change",
    [
        EndpointChange(url="https://elsewhere.example.com/"),
        EndpointChange(max_in_flight=1),
        EndpointChange(rate_per_second=5),
        EndpointChange(ordering="endpoint"),
        EndpointChange(retry_schedule=(0,)),
    ],
)
async def test_an_endpoint_that_was_changed_since_is_not_sendable(store: Store, change: EndpointChange) -> None:
    account = await add_account(store)
    endpoint, other = await add_endpoint(store, account), await add_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, change, LATER)
    assert await store.sendable([endpoint.id, other.id], LATER) == {other.id}


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_an_endpoint_that_is_not_active_is_not_sendable(store: Store, status: EndpointStatus) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)
    assert await store.sendable([endpoint.id], LATER) == set()


async def test_a_deleted_endpoint_is_not_sendable(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.delete_endpoint(account.id, endpoint.id, NOW)
    assert await store.sendable([endpoint.id], LATER) == set()


async def test_an_endpoint_with_a_gate_is_sendable_to_what_went_through_it(store: Store) -> None:
    account = await add_account(store)
    capped, paused = await add_endpoint(store, account), await add_endpoint(store, account)
    await store.change_endpoint(account.id, capped.id, EndpointChange(max_in_flight=1), NOW)
    await store.set_endpoint_status(account.id, paused.id, "paused", None, NOW)
    assert await store.sendable([capped.id, paused.id], LATER) == set()
    assert await store.sendable([capped.id, paused.id], LATER, through_gates=True) == {capped.id}


async def test_an_endpoint_whose_breaker_has_opened_is_not_sendable(store: Store) -> None:
    delivery = await first_delivery(store)
    now = NOW
    while await store.sendable([delivery.endpoint_id], LATER):
        claimed = await claim_one(store, now)
        await store.settle([settled(claimed, "pending", due_at=now + 1)], now)
        now += 1
        assert now < NOW + LEASE, "the breaker never opened"
