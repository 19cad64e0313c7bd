"""Ids: unique over every node, and naming their lane."""

import asyncio
import time
from uuid import UUID

from hookwright.ambient import new_event_id
from hookwright.core.lanes import LANE_COUNT, LANES, MAX_ID, lane_of, lane_of_event
from hookwright.core.model import HOUR, MINUTE, SECOND
from hookwright.store.base import Store
from store.given import LANE_INDEX, NOW, accept_one, add_account, add_endpoint, deliveries_of, draft


async def test_an_id_names_its_lane(store: Store) -> None:
    for lane_index in {0, LANE_INDEX % store.lane_count, store.lane_count - 1}:
        id = await store.new_id(lane_index)

        assert id % LANE_COUNT == lane_index
        assert lane_of(id) == LANES[lane_index]


async def test_an_id_fits_the_numbers_of_javascript(store: Store) -> None:
    assert 0 < await store.new_id(0) <= MAX_ID


async def test_an_accounts_id_may_stand_for_its_lane(store: Store) -> None:
    account = await add_account(store)

    assert lane_of(await store.new_id(account.id)) == lane_of(account.id)


async def test_two_stores_never_give_the_same_id(store: Store, second: Store) -> None:
    async def take(which: Store) -> list[int]:
        return [await which.new_id(LANE_INDEX % which.lane_count) for _ in range(300)]

    taken = await asyncio.gather(*(take(which) for which in (store, second) for _ in range(4)))

    ids = [id for some in taken for id in some]
    assert len(set(ids)) == len(ids) == 2400


async def test_ids_of_deliveries_and_of_everything_else_are_never_the_same(store: Store, second: Store) -> None:
    account = await add_account(store)
    for _ in range(3):
        await add_endpoint(store, account)
    given = [await which.new_id(account.id) for which in (store, second) for _ in range(3)]
    await asyncio.gather(*(accept_one(which, draft(account)) for which in (store, second) for _ in range(5)))

    ids = [delivery.id for delivery in await deliveries_of(store, account)] + given
    assert len(set(ids)) == len(ids) == 36


async def test_deliveries_live_in_their_accounts_lane(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept_one(store, draft(account))

    (delivery,) = await deliveries_of(store, account)

    assert lane_of(delivery.id) == lane_of(account.id) == lane_of_event(delivery.event_id)


def test_an_event_id_is_a_uuid_of_its_instant_and_names_its_lane() -> None:
    for lane_index in range(LANE_COUNT):
        id = UUID(new_event_id(NOW, lane_index))

        assert (id.version, id.variant) == (7, "specified in RFC 4122")
        assert id.int >> 80 == NOW // 1000
        assert lane_of_event(str(id)) == LANES[lane_index]


async def test_the_databases_time_goes_forward(store: Store) -> None:
    earlier = await store.now()

    assert earlier <= await store.now() < earlier + MINUTE
    assert abs(earlier - time.time() * SECOND) < HOUR
