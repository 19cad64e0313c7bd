"""A worker renews, settles and gives back the same deliveries at the same time: none of it may deadlock."""

import asyncio
from contextlib import suppress

from hookwright.core.errors import Conflict
from hookwright.core.model import HOUR, Endpoint, EndpointChange
from hookwright.engine.worker import parcels_of
from hookwright.store.base import Store
from store import given
from store.given import NOW
from store.test_batch_claims import accept_several, batching_endpoint, replay_all

DELIVERIES = 100
ROUNDS = 20


async def test_renewing_and_settling_the_same_claims_in_opposite_orders_never_deadlocks(store: Store) -> None:
    endpoint = await given.add_endpoint(store, await given.add_account(store))
    for _ in range(DELIVERIES):
        await given.add_delivery(store, endpoint)
    claims = await given.claim(store, DELIVERIES)
    forwards, backwards = claims[: DELIVERIES // 2], claims[::-1]
    for number in range(ROUNDS):
        # Raises Unavailable if one of them is the victim of a deadlock.
        await asyncio.gather(
            store.renew([given.lease_of(each) for each in forwards], NOW + HOUR + number),
            store.renew([given.lease_of(each) for each in backwards], NOW + HOUR + number),
        )
    renewed, written = await asyncio.gather(
        store.renew([given.lease_of(each) for each in forwards], NOW + HOUR),
        store.settle([given.settled(each) for each in backwards], NOW),
    )
    assert len(written) == DELIVERIES
    assert renewed <= written


async def test_whoever_takes_turns_and_whoever_lets_others_queue_up_never_deadlock(
    store: Store, second: Store
) -> None:
    account = await given.add_account(store)
    endpoints = [await given.add_endpoint(store, account) for _ in range(6)]
    await store.change_endpoint(account.id, endpoints[0].id, EndpointChange(ordering="endpoint"), NOW)
    await store.change_endpoint(account.id, endpoints[1].id, EndpointChange(max_in_flight=2), NOW)

    async def publish(which: Store) -> None:
        await given.accept(which, *(given.draft(account) for _ in range(5)))

    async def work(which: Store) -> None:
        claims = await given.claim(which, 20)
        outcomes = [
            given.settled(each, "pending" if number % 2 else "dead", due_at=NOW if number % 2 else None)
            for number, each in enumerate(claims[::-1][:-3])
        ]
        await which.settle(outcomes, NOW)
        await which.release([given.lease_of(each) for each in claims[:3]], NOW)

    async def pause(which: Store, endpoint: Endpoint) -> None:
        await which.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
        await which.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)

    async def replay(which: Store) -> None:
        for delivery in (await given.deliveries_of(which, account, "dead"))[:5]:
            await which.replay(delivery.id, NOW)

    for number in range(ROUNDS // 2):
        # Raises Unavailable if one of them is the victim of a deadlock.
        await asyncio.gather(
            *(publish(which) for which in (store, second)),
            *(work(which) for which in (store, second, store)),
            pause(store, endpoints[number % 6]),
            pause(second, endpoints[(number + 1) % 6]),
            replay(second),
            store.rescue(NOW + HOUR),
        )
    assert await given.forgotten(store, NOW + HOUR) == []


async def test_deaths_in_several_lanes_announced_in_opposite_orders_never_deadlock(
    store: Store, second: Store
) -> None:
    endpoints = [
        await given.add_endpoint(store, await given.add_account(store, lane_index=lane_index))
        for lane_index in (3, 5, 3, 5)
    ]
    for _ in range(ROUNDS // 2):
        for endpoint in endpoints:
            await given.add_delivery(store, endpoint)
        dead = {each.endpoint_id: given.settled(each, "dead") for each in await given.claim(store)}
        one, other, *rest = (dead[endpoint.id] for endpoint in endpoints)
        # Raises Unavailable if one of them is the victim of a deadlock.
        await asyncio.gather(store.settle([one, other], NOW), second.settle(rest[::-1], NOW))


async def test_whoever_sends_replays_and_cancels_batches_never_deadlocks(store: Store, second: Store) -> None:
    account = await given.add_account(store)
    endpoints = [await batching_endpoint(store, account, limit=3) for _ in range(3)]
    await store.change_endpoint(account.id, endpoints[0].id, EndpointChange(ordering="endpoint"), NOW)
    sent: dict[int | None, set[int]] = {}

    async def publish(which: Store) -> None:
        await accept_several(which, account, *["tag.created"] * 5)

    async def work(which: Store) -> None:
        parcels = parcels_of(await given.claim(which, 20))
        for parcel in parcels:
            members = {each.delivery_id for each in parcel}
            assert sent.setdefault(parcel[0].batch_id, members) == members
        outcomes = [
            given.settled(each, "pending" if number % 3 == 0 else "dead", due_at=None if number % 3 else NOW)
            for number, parcel in enumerate(parcels[::-1])
            for each in parcel[::-1]
        ]
        lost = [given.lease_of(parcel[0]) for parcel in parcels[:2]]
        await asyncio.gather(which.settle(outcomes, NOW), which.release(lost, NOW), which.renew(lost, NOW + HOUR))

    async def replay(which: Store) -> None:
        for delivery in (await given.deliveries_of(which, account, "dead"))[:5]:
            with suppress(Conflict):
                await which.replay(delivery.id, NOW)

    async def replay_many(which: Store) -> None:
        await replay_all(which, account, "dead", NOW + 1)

    async def cancel(which: Store) -> None:
        for delivery in (await given.deliveries_of(which, account, "pending"))[:3]:
            with suppress(Conflict):
                await which.cancel(delivery.id, NOW)

    for _ in range(ROUNDS // 2):
        # Raises Unavailable if one of them is the victim of a deadlock.
        await asyncio.gather(
            *(step(which) for which in (store, second) for step in (publish, work, replay, replay_many, cancel)),
            work(store),
            store.rescue(NOW + HOUR),
        )
    assert await given.forgotten(store, NOW + HOUR) == []
