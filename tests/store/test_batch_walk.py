"""Whatever happens to deliveries that go out in batches: an id that went out always means the same bytes.

A walk by chance, the same for each seed, over everything that the store can do with them, and with workers that lose
parts of what they hold.
"""

import random
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Conflict
from hookwright.core.model import SECOND, Account, Claim, DeliveryStatus, EndpointChange, Instant, Replay
from hookwright.dialects.kit.envelopes import envelope
from hookwright.engine.worker import parcels_of
from hookwright.store.base import Store
from store.given import NOW, accept, add_account, deliveries_of, draft, lease_of, notice, settled
from store.test_batch_claims import NAMES, batching_endpoint, lane_index_of

STEPS = 150
ENDS: tuple[DeliveryStatus, ...] = ("delivered", "pending", "dead")
LEASE = 10 * SECOND


class Walk:
    """The store, what was sent so far by id, and the requests that are under way."""

    def __init__(self, store: Store, account: Account, chance: random.Random) -> None:
        self.store = store
        self.account = account
        self.chance = chance
        self.now: Instant = NOW
        self.sent: dict[int, bytes] = {}
        self.again = 0
        self._under_way: list[tuple[Claim, ...]] = []
        self._accepted = 0
        self._steps: list[Callable[[], Awaitable[object]]] = [
            *[self._publish, self._claim, self._end_one] * 3,
            self._lose_a_part,
            self._renew_a_part,
            self._forget_one,
            self._rescue,
            self._expire,
            self._replay_one,
            self._replay_many,
            self._cancel_one,
            self._prune,
        ]

    async def step(self) -> None:
        self.now += self.chance.choice((0, SECOND, SECOND, 4 * SECOND))
        await self.chance.choice(self._steps)()

    async def end(self) -> None:
        """Deliver all that is left, as it becomes due."""
        self._under_way = []
        for _ in range(20):
            self.now += LEASE
            await self._rescue()
            await self._expire()
            await self._claim()
            await self.store.settle([settled(each) for parcel in self._under_way for each in parcel], self.now)
            self._under_way = []

    async def _publish(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self._accepted += 1
            body = b"%d" % self._accepted
            name = self.chance.choice(NAMES)
            one = draft(self.account, notice(dialect="kit_endpoints", event=name, render=partial(bytes, body)))
            expires_at = self.chance.choice((None, self.now + SECOND, self.now + 20 * SECOND))
            key = self.chance.choice("abcd")
            event = replace(one.event, accepted_at=self.now, expires_at=expires_at, ordering_key=key)
            await accept(self.store, replace(one, event=event))

    async def _claim(self) -> None:
        claims = await self.store.claim(self.chance.choice((1, 100)), self.now, self.now + LEASE)
        for parcel in parcels_of(claims):
            body = envelope(parcel)
            id = parcel[0].batch_id
            assert id is not None
            self.again += id in self.sent
            assert self.sent.setdefault(id, body) == body
            self._under_way.append(parcel)

    async def _end_one(self) -> None:
        if self._under_way:
            parcel = self._any_parcel()
            self._under_way.remove(parcel)
            status = self.chance.choice(ENDS)
            due_at = self.now + 2 * SECOND if status == "pending" else None
            await self.store.settle([settled(each, status, due_at=due_at) for each in parcel], self.now)

    async def _lose_a_part(self) -> None:
        if self._under_way:
            await self.store.release([lease_of(each) for each in self._a_part()], self.now)

    async def _renew_a_part(self) -> None:
        if self._under_way:
            await self.store.renew([lease_of(each) for each in self._a_part()], self.now + LEASE)

    async def _forget_one(self) -> None:
        if self._under_way:
            self._under_way.remove(self._any_parcel())

    async def _rescue(self) -> None:
        await self.store.rescue(self.now)

    async def _expire(self) -> None:
        await self.store.expire(self.now)

    async def _replay_one(self) -> None:
        if found := await deliveries_of(self.store, self.account):
            try:
                await self.store.replay(self.chance.choice(found).id, self.now)
            except Conflict:
                return

    async def _replay_many(self) -> None:
        job = Replay(
            id=await self.store.new_id(self.account.id),
            account_id=self.account.id,
            endpoint_id=None,
            event_type=None,
            statuses=("dead", "delivered"),
            created_from=None,
            created_to=self.now,
            rate_per_second=3,
            total=0,
            created_at=self.now,
        )
        await self.store.add_replay(job)
        for _ in range(self.chance.randint(1, 5)):
            await self.store.advance_replay(self.account.id, job.id, 3, self.now)

    async def _cancel_one(self) -> None:
        if found := await deliveries_of(self.store, self.account, "pending"):
            try:
                await self.store.cancel(self.chance.choice(found).id, self.now)
            except Conflict:
                return

    async def _prune(self) -> None:
        prune = self.chance.choice((self.store.prune_events, self.store.prune_payloads))
        await prune(lane_index_of(self.store, self.account), self.now - 30 * SECOND, self.chance.choice((1, 100)))

    def _any_parcel(self) -> tuple[Claim, ...]:
        return self.chance.choice(self._under_way)

    def _a_part(self) -> list[Claim]:
        parcel = self._any_parcel()
        return self.chance.sample(parcel, self.chance.randint(1, len(parcel)))


@pytest.mark.parametrize("in_lines", [False, True])
@pytest.mark.parametrize("seed", range(3))
async def test_an_id_always_means_the_same_bytes_and_nothing_is_left_waiting(
    store: Store, seed: int, in_lines: bool
) -> None:
    account = await add_account(store)
    endpoint = await batching_endpoint(store, account, limit=4)
    if in_lines:
        await store.change_endpoint(account.id, endpoint.id, EndpointChange(ordering="key"), NOW)
    walk = Walk(store, account, random.Random(seed))
    for _ in range(STEPS):
        await walk.step()
    await walk.end()
    assert walk.again > 0
    assert await deliveries_of(store, account, "pending") == []
    assert await deliveries_of(store, account, "in_flight") == []
