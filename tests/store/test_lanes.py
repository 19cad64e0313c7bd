"""Lanes: leased to one worker at a time, shared evenly, and what is done for some lanes leaves the others alone."""

import asyncio

import pytest

from hookwright.core.model import HOUR, SECOND, DeliveryStatus, Replay
from hookwright.store.base import DeliveryQuery, Store
from store.given import (
    LEASE,
    NOW,
    accept_one,
    add_account,
    add_delivery,
    add_endpoint,
    again,
    claim,
    claim_one,
    count,
    draft,
    query,
    settled,
)

TERM = 5 * SECOND


async def turn(store: Store, worker: str, now: int = NOW) -> set[int]:
    return set(await store.share_lanes(worker, now, now + TERM))


async def test_a_worker_that_is_alone_holds_every_lane_and_each_turn_renews_it(store: Store) -> None:
    every = set(range(store.lane_count))
    for now in (NOW, NOW + TERM - 1, NOW + 10 * TERM):
        assert await store.share_lanes("a", now, now + TERM) == dict.fromkeys(every, now + TERM)


async def test_workers_share_the_lanes_as_they_come_and_go(store: Store, second: Store) -> None:
    every = set(range(store.lane_count))
    assert await turn(store, "a") == every
    assert await turn(second, "b") == set()  # nothing is taken from a worker that lives

    first = await turn(store, "a", NOW + 1)
    other = await turn(second, "b", NOW + 1)
    assert first | other == every
    assert not first & other
    assert len(first) - len(other) in (0, 1)

    await second.give_up_lanes("b")
    assert await turn(store, "a", NOW + 2) == every


async def test_the_lanes_of_a_worker_that_takes_no_turns_any_more_are_taken_over_when_its_leases_end(
    store: Store, second: Store
) -> None:
    every = set(range(store.lane_count))
    await turn(store, "gone")
    assert await turn(second, "b", NOW + TERM - 1) == set()
    assert await turn(second, "b", NOW + TERM) == every
    assert await turn(store, "gone", NOW + TERM) == set()


async def test_a_lane_never_has_two_owners_though_many_reach_for_it_at_once(store: Store, second: Store) -> None:
    for now in range(NOW, NOW + 6):
        held = await asyncio.gather(
            *(turn(which, worker, now) for which, worker in zip((store, second) * 3, "abcdef", strict=True))
        )
        assert sum(map(len, held)) == len(set().union(*held))
    assert set().union(*held) == set(range(store.lane_count))


async def test_a_worker_that_was_not_seen_for_long_is_forgotten(store: Store) -> None:
    await turn(store, "gone")
    await turn(store, "b", NOW + HOUR)
    names = "SELECT id FROM workers"
    assert await query(store, names, names) == [("b",)]


# -- what is done for some lanes ---------------------------------------------------------------------------------


async def test_nothing_is_done_where_there_are_no_lanes(store: Store) -> None:
    account = await add_account(store)
    delivery = await add_delivery(store, await add_endpoint(store, account))
    assert await store.claim(10, NOW, NOW + LEASE, []) == []
    await claim_one(store)
    later = NOW + 2 * LEASE
    assert await store.rescue(later, []) == 0
    assert await store.expire(later, []) == []
    assert await store.announcements(10, []) == []
    assert await store.running_replays([]) == []
    assert (await again(store, delivery)).status == "in_flight"


@pytest.fixture
def lanes(store: Store) -> tuple[int, int]:
    """Two lanes, where there are two."""
    if store.lane_count == 1:
        pytest.skip("there is one lane")
    return 3, 40


async def test_a_claim_takes_what_is_due_in_its_lanes_the_first_first(store: Store, lanes: tuple[int, int]) -> None:
    events = []
    for number in range(4):
        account = await add_account(store, lane_index=lanes[number % 2])
        await add_endpoint(store, account)
        events.append((await accept_one(store, draft(account, now=NOW - number))).event_id)

    async def claimed(limit: int, *of: int) -> list[str]:
        return [each.event_id for each in await store.claim(limit, NOW, NOW + LEASE, of)]

    assert await claimed(9, 5) == []
    assert await claimed(1, *lanes) == [events[3]]
    assert await claimed(9, lanes[0]) == [events[2], events[0]]
    assert await claimed(9, *lanes) == [events[1]]


@pytest.mark.parametrize("status", ["paused", "disabled", "deleted"])
async def test_an_endpoint_that_does_not_receive_is_met_in_its_own_lane_only(
    store: Store, lanes: tuple[int, int], status: DeliveryStatus
) -> None:
    account = await add_account(store, lane_index=lanes[0])
    endpoint = await add_endpoint(store, account)
    await add_delivery(store, endpoint)
    await query_status(store, endpoint.id, status)
    assert await store.claim(9, NOW, NOW + LEASE, [lanes[1]]) == []
    assert await count(store, "queues") == 1
    assert await store.claim(9, NOW, NOW + LEASE, lanes) == []
    assert await count(store, "queues") == 0


async def query_status(store: Store, endpoint_id: int, status: str) -> None:
    changed = f"UPDATE endpoints SET status = '{status}' WHERE id = {endpoint_id}"
    await query(store, changed, changed)


async def test_rescue_expiry_and_announcements_are_of_the_lanes_that_are_asked_for(
    store: Store, lanes: tuple[int, int]
) -> None:
    mine, others = lanes
    for lane_index in lanes:
        account = await add_account(store, lane_index=lane_index)
        await add_delivery(store, await add_endpoint(store, account))
    await claim(store)
    later = NOW + 2 * LEASE
    assert await store.rescue(later, [mine]) == 1
    assert await store.rescue(later, [mine]) == 0
    assert [each.account_id % 64 for each in await store.claim(9, later, later + LEASE, range(64))] == [mine]
    assert await store.rescue(later, [others]) == 1

    expiring = f"UPDATE deliveries SET expires_at = {NOW} WHERE status = 'pending'"
    await query(store, expiring, expiring)
    assert await store.expire(later, [mine]) == []
    assert await store.announcements(10, [others]) == []
    [dead] = await store.expire(later, [others])
    assert dead.account_id % 64 == others
    assert await store.announcements(10, [mine]) == []
    assert len(await store.announcements(10, [mine, others])) == 1


async def test_replays_go_on_in_the_lanes_that_are_asked_for(store: Store, lanes: tuple[int, int]) -> None:
    replays = []
    for lane_index in lanes:
        account = await add_account(store, lane_index=lane_index)
        replay = Replay(
            id=await store.new_id(account.id),
            account_id=account.id,
            endpoint_id=None,
            event_type=None,
            statuses=("dead",),
            created_from=None,
            created_to=NOW,
            rate_per_second=10,
            status="running",
            total=0,
            created_at=NOW,
        )
        await store.add_replay(replay)
        replays.append(replay.id)
    assert [each.id for each in await store.running_replays([lanes[1]])] == [replays[1]]
    assert len(await store.running_replays()) == 2


async def test_what_another_process_leaves_waiting_in_its_lanes_is_not_read_by_a_claim(
    store: Store, lanes: tuple[int, int]
) -> None:
    mine, others = lanes
    busy, quiet = await add_account(store, lane_index=others), await add_account(store, lane_index=mine)
    await add_endpoint(store, busy)
    await add_endpoint(store, quiet)
    for _ in range(3):
        await accept_one(store, draft(busy, now=NOW - HOUR))
    await accept_one(store, draft(quiet))

    [claimed] = await store.claim(1, NOW, NOW + LEASE, [mine])

    assert claimed.account_id == quiet.id
    [*waiting] = await store.deliveries(DeliveryQuery(account_id=busy.id))
    assert {each.status for each in waiting} == {"pending"}
    assert await store.settle([settled(claimed)], NOW) == {claimed.delivery_id}
