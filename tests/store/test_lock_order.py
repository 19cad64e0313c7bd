"""A worker renews, settles and gives back the same deliveries at the same time: none of it may deadlock."""

import asyncio

from hookwright.core.model import HOUR
from hookwright.store.base import Store
from store import given
from store.given import NOW

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
