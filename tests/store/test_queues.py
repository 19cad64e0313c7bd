"""Endpoints take turns: a flood to one of them, or one that takes nothing, costs nobody else."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hookwright.core import gates
from hookwright.core.errors import Conflict
from hookwright.core.model import HOUR, MINUTE, SECOND, Account, Claim, Endpoint, EndpointChange, EndpointStatus
from hookwright.store.base import NO_CROWD, Crowd, Room, Store
from store.given import (
    LEASE,
    NOW,
    accept,
    accept_one,
    add_account,
    add_endpoint,
    again,
    change_database,
    claim,
    claim_one,
    count,
    deliveries_of,
    draft,
    forgotten,
    lease_of,
    settled,
)


async def flooded(store: Store, number: int) -> tuple[Account, Endpoint]:
    """A new account with one endpoint that so many deliveries are due to."""
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    for first in range(0, number, 1_000):
        await accept(store, *(draft(account) for _ in range(min(1_000, number - first))))
    return account, endpoint


async def shares(store: Store, limit: int, crowd: Crowd = NO_CROWD) -> Counter[int]:
    """How many deliveries one claim takes, by endpoint."""
    claims = await store.claim(limit, NOW + 1, NOW + LEASE, crowd=crowd)
    return Counter(each.endpoint_id for each in claims)


# -- turns -------------------------------------------------------------------------------------------------------


async def test_a_flood_to_one_endpoint_delays_no_other_beyond_one_look(store: Store) -> None:
    _, flood = await flooded(store, 5_000)
    account, quiet = await flooded(store, 0)
    await accept_one(store, draft(account, now=NOW + 1))
    assert await shares(store, 10) == {flood.id: 9, quiet.id: 1}


async def test_each_endpoint_gets_as_much_as_any_other(store: Store) -> None:
    endpoints = [(await flooded(store, number))[1] for number in (50, 20, 10)]
    assert await shares(store, 30) == {endpoint.id: 10 for endpoint in endpoints}


async def test_what_one_leaves_of_its_share_goes_to_those_that_have_more(store: Store) -> None:
    one, two, three = [(await flooded(store, number))[1] for number in (100, 2, 100)]
    assert await shares(store, 60) == {one.id: 29, two.id: 2, three.id: 29}


async def test_an_endpoint_that_had_its_turn_goes_behind_the_others(store: Store) -> None:
    ids = [(await flooded(store, 3))[1].id for _ in range(3)]
    turns = [await claim_one_of(store, NOW + number) for number in range(1, 10)]
    assert sorted(turns[:3]) == sorted(turns[3:6]) == sorted(turns[6:]) == sorted(ids)


async def claim_one_of(store: Store, now: int) -> int:
    (claimed,) = await claim(store, 1, now)
    return claimed.endpoint_id


async def test_two_workers_that_share_a_flood_lose_nothing_and_send_nothing_twice(
    store: Store, second: Store
) -> None:
    account, _ = await flooded(store, 1_500)
    taken: list[int] = []

    async def work(which: Store) -> None:
        while len(taken) < 1_500:
            claims = await claim(which, 100)
            taken.extend(each.delivery_id for each in claims)
            await which.settle([settled(each) for each in claims], NOW)

    await asyncio.wait_for(asyncio.gather(work(store), work(second)), 60)
    assert len(taken) == len(set(taken)) == 1_500
    assert {each.attempts for each in await deliveries_of(store, account, "delivered")} == {1}
    assert await count(store, "queues") == 0


async def test_what_is_accepted_while_workers_look_is_always_found(store: Store, second: Store) -> None:
    account, _ = await flooded(store, 0)
    found: list[int] = []

    async def look(which: Store) -> None:
        found.extend(each.delivery_id for each in await claim(which, 5))

    for _ in range(40):
        await asyncio.gather(accept_one(store, draft(account)), look(second), accept_one(second, draft(account)))
        await asyncio.gather(look(store), accept_one(second, draft(account)), look(second))
    while claims := await claim(store):
        found += [each.delivery_id for each in claims]
    assert len(found) == len(set(found)) == 120


# -- crowds ------------------------------------------------------------------------------------------------------


async def test_an_endpoint_gets_no_more_than_its_crowd_leaves_room_for(store: Store) -> None:
    ids = [(await flooded(store, 10))[1].id for _ in range(3)]
    full, nearly, free = ids
    assert await shares(store, 30, Crowd({full: 0, nearly: 1}, 4)) == {nearly: 1, free: 4}
    assert await shares(store, 30, Crowd({full: 9}, 0)) == {full: 9}


@pytest.mark.parametrize(
    "change", [EndpointChange(max_in_flight=100), EndpointChange(ordering="key")], ids=["braked", "ordered"]
)
async def test_an_endpoint_with_brakes_or_lines_gets_no_more_either(store: Store, change: EndpointChange) -> None:
    account, endpoint = await flooded(store, 0)
    await store.change_endpoint(account.id, endpoint.id, change, NOW)
    await accept(store, *(draft(account) for _ in range(10)))
    assert await shares(store, 30, Crowd({endpoint.id: 3}, 4)) == {endpoint.id: 3}
    assert await shares(store, 30, Crowd({}, 4)) == {endpoint.id: 4}


async def test_no_more_is_claimed_at_birth_than_the_crowd_leaves_room_for(store: Store) -> None:
    account, _ = await flooded(store, 0)
    other = await add_endpoint(store, account)
    room = Room(100, NOW + LEASE, Crowd({other.id: 1}, 5))
    accepted = await store.accept([draft(account) for _ in range(10)], room)
    born = Counter(each.endpoint_id for each in accepted.claims)
    assert sorted(born.values()) == [1, 5]
    assert born[other.id] == 1
    assert len(await claim(store)) == 14


# -- who stands in the queue ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_a_backlog_that_waits_for_its_endpoint_costs_one_look_and_comes_back_with_it(
    store: Store, status: EndpointStatus
) -> None:
    account, endpoint = await flooded(store, 20)
    before = await deliveries_of(store, account)
    await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)
    assert await claim(store) == []
    assert await count(store, "queues") == 0
    assert {each.due_at for each in await deliveries_of(store, account)} == {None}
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW + SECOND)
    assert await deliveries_of(store, account) == before
    assert len(await claim(store, now=NOW + SECOND)) == 20


async def test_an_endpoint_with_nothing_left_to_send_leaves_the_queue(store: Store) -> None:
    await flooded(store, 3)
    await claim(store)
    assert await count(store, "queues") == 0


async def test_an_endpoint_whose_retries_are_far_away_is_not_looked_at_until_then(store: Store) -> None:
    account, _ = await flooded(store, 1)
    retry = await claim_one(store)
    await store.settle([settled(retry, "pending", due_at=NOW + HOUR)], NOW)
    assert (await store.backlog(NOW + HOUR - 1)).oldest_due_at is None
    await accept_one(store, draft(account, now=NOW + SECOND))
    assert (await claim_one(store, NOW + SECOND)).delivery_id != retry.delivery_id
    assert (await claim_one(store, NOW + HOUR)).delivery_id == retry.delivery_id


async def test_an_earlier_delivery_brings_its_endpoints_turn_forward_and_a_later_one_does_not_put_it_off(
    store: Store,
) -> None:
    await flooded(store, 2)
    first, second = await claim(store)
    await store.settle([settled(first, "pending", due_at=NOW + HOUR)], NOW)
    await store.settle([settled(second, "pending", due_at=NOW + 2 * HOUR)], NOW)
    assert (await claim_one(store, NOW + HOUR)).delivery_id == first.delivery_id
    released = await claim_one(store, NOW + 2 * HOUR)
    await store.release([lease_of(released)], NOW + SECOND)
    assert (await claim_one(store, NOW + SECOND)).delivery_id == second.delivery_id


async def test_replays_of_finished_deliveries_bring_their_endpoints_back(store: Store) -> None:
    await flooded(store, 2)
    claims = await claim(store)
    await store.settle([settled(each) for each in claims], NOW)
    assert await claim(store) == []
    await store.replay(claims[0].delivery_id, NOW)
    assert (await claim_one(store)).delivery_id == claims[0].delivery_id


async def test_an_upgrade_lets_everything_that_waits_queue_up(store: Store) -> None:
    account, paused = await flooded(store, 3)
    _, active = await flooded(store, 2)
    await store.set_endpoint_status(account.id, paused.id, "paused", None, NOW)
    await change_database(
        store,
        f"UPDATE deliveries SET due_at = NULL WHERE endpoint_id = {paused.id}",  # as they were put aside before
        "DROP TABLE queues",
        "DROP INDEX deliveries_queued",
        "CREATE INDEX deliveries_due ON deliveries (due_at)",
        "CREATE INDEX deliveries_pending ON deliveries (lane, endpoint_id)",
        "DELETE FROM schema_migrations WHERE version = 11",
    )
    await store.migrate()
    assert {each.endpoint_id for each in await claim(store)} == {active.id}
    await store.set_endpoint_status(account.id, paused.id, "active", None, NOW)
    assert [each.endpoint_id for each in await claim(store)] == [paused.id] * 3


async def test_what_a_look_cancels_of_a_deleted_endpoint_is_all_of_it_also_what_is_not_due(store: Store) -> None:
    account, endpoint = await flooded(store, 2)
    first, second = await claim(store)
    await store.delete_endpoint(account.id, endpoint.id, NOW)
    await store.release([lease_of(first), lease_of(second)], NOW)
    assert await claim(store) == []
    for each in await deliveries_of(store, account):
        assert (await again(store, each)).status == "cancelled"
    assert await count(store, "queues") == 0


# -- whatever happens ----------------------------------------------------------------------------------------------


class Troubles:
    """An account whose endpoints have brakes and lines, and whose events expire, beside `test_lifecycles.py`."""

    CHANGES = (EndpointChange(ordering="endpoint"), EndpointChange(ordering="key"), EndpointChange(max_in_flight=2))

    def __init__(self, store: Store, account: Account, endpoints: list[Endpoint]) -> None:
        self.store = store
        self.account = account
        self.endpoints = endpoints
        self.now = NOW
        self.claims: list[Claim] = []

    async def publish(self, which: int) -> None:
        one = draft(self.account, now=self.now)
        expires_at = self.now + MINUTE if which % 3 == 0 else None
        event = replace(one.event, ordering_key="ab"[which % 2], expires_at=expires_at)
        room = Room(which % 3, self.now + LEASE)
        self.claims += (await self.store.accept([replace(one, event=event)], room)).claims

    async def claim(self, which: int) -> None:
        self.claims += await claim(self.store, 1 + which % 5, self.now)

    async def settle(self, which: int) -> None:
        if self.claims:
            claimed = self.claims.pop(which % len(self.claims))
            due_at = self.now + MINUTE if which % 2 else None
            await self.store.settle([settled(claimed, "pending" if due_at else "dead", due_at=due_at)], self.now)

    async def release(self, which: int) -> None:
        if self.claims:
            await self.store.release([lease_of(self.claims.pop(which % len(self.claims)))], self.now)

    async def rescue(self, which: int) -> None:
        await self.store.rescue(self.now)

    async def expire(self, which: int) -> None:
        await self.store.expire(self.now)

    async def cancel(self, which: int) -> None:
        await self.of_some_delivery(which, self.store.cancel)

    async def replay(self, which: int) -> None:
        await self.of_some_delivery(which, self.store.replay)

    async def of_some_delivery(self, which: int, do: Callable[[int, int], Awaitable[object]]) -> None:
        if found := await deliveries_of(self.store, self.account):
            with suppress(Conflict):
                await do(found[which % len(found)].id, self.now)

    async def set_status(self, which: int) -> None:
        statuses: tuple[EndpointStatus, ...] = ("paused", "active", "disabled", "active")
        await self.set_status_of(self.endpoints[which % len(self.endpoints)], statuses[which % 4])

    async def set_status_of(self, endpoint: Endpoint, status: EndpointStatus) -> None:
        await self.store.set_endpoint_status(self.account.id, endpoint.id, status, None, self.now)

    async def change(self, which: int) -> None:
        endpoint = self.endpoints[which % len(self.endpoints)]
        await self.store.change_endpoint(self.account.id, endpoint.id, EndpointChange(ordering="none"), self.now)

    async def delete(self, which: int) -> None:
        if which % 5 == 0:
            await self.store.delete_endpoint(self.account.id, self.endpoints[which % 3].id, self.now)

    async def wait(self, which: int) -> None:
        self.now += (1, SECOND, MINUTE)[which % 3]

    async def end(self) -> None:
        """Everything is finished once every endpoint receives again."""
        for endpoint in self.endpoints:
            await self.set_status_of(endpoint, "active")
        for _ in range(100):
            self.now += 10 * MINUTE
            await self.store.rescue(self.now)
            await self.store.expire(self.now)
            claims = await claim(self.store, 3, self.now)
            await self.store.settle([settled(each) for each in claims], self.now)
        assert {each.status for each in await deliveries_of(self.store, self.account)} <= {
            "delivered",
            "dead",
            "cancelled",
        }
        assert await count(self.store, "queues") == 0


STEPS = (
    *("publish", "claim", "settle") * 2,
    *("release", "rescue", "expire", "cancel", "replay", "set_status", "change", "delete", "wait"),
)


@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 59)), min_size=20, max_size=50))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens_no_delivery_is_forgotten(store: Store, steps: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gates, "BREAKER_FAILURES", 10**9)
        account = await add_account(store)
        endpoints = [await add_endpoint(store, account) for _ in Troubles.CHANGES]
        for endpoint, change in zip(endpoints, Troubles.CHANGES, strict=True):
            await store.change_endpoint(account.id, endpoint.id, change, NOW)
        troubles = Troubles(store, account, endpoints)
        for step, which in steps:
            await getattr(troubles, step)(which)
            assert await forgotten(store, troubles.now) == []
        await troubles.end()
