"""Whatever happens in whatever order, no delivery is lost: a small model says what each must be after every step."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookwright.core import gates
from hookwright.core.errors import Conflict
from hookwright.core.model import (
    MINUTE,
    Account,
    Claim,
    Delivery,
    DeliveryStatus,
    EndpointStatus,
    Instant,
    Replay,
)
from hookwright.store.base import DeliveryQuery, Store
from store.given import (
    LEASE,
    NOW,
    accept_one,
    add_account,
    add_endpoint,
    deliveries_of,
    draft,
    forgotten,
    lease_of,
    settled,
)

STEPS = (
    "publish",
    "claim",
    "settle",
    "renew",
    "release",
    "rescue",
    "replay",
    "replay_many",
    "cancel",
    "set_status",
    "delete",
    "subscribe",
    "wait",
)
FINAL = ("delivered", "dead", "cancelled")


@dataclass
class Expected:
    """What a delivery must be."""

    endpoint_id: int
    due_at: Instant | None
    status: DeliveryStatus = "pending"
    attempts: int = 0
    fence: int = 0
    lease_until: Instant = 0

    def become(self, status: DeliveryStatus, due_at: Instant | None = None) -> None:
        self.status, self.due_at = status, due_at


@dataclass
class Journey:
    """An account with its endpoints and deliveries, in the store and as they must be."""

    store: Store
    account: Account
    now: Instant = NOW
    endpoints: dict[int, EndpointStatus] = field(default_factory=dict)
    deliveries: dict[int, Expected] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)  # every claim ever: the old ones are zombies

    async def take(self, step: str, which: int, how: int) -> None:
        """One step; `which` picks an endpoint, a delivery or a claim, `how` picks what is done with it."""
        await getattr(self, step)(which, how)
        await self.check()

    async def check(self) -> None:
        found = {delivery.id: delivery for delivery in await deliveries_of(self.store, self.account)}
        assert found.keys() == self.deliveries.keys()
        for id, expected in self.deliveries.items():
            delivery = found[id]
            is_shown = self.endpoints[delivery.endpoint_id] == "active"
            assert (delivery.status, delivery.due_at) == (expected.status, expected.due_at if is_shown else None)
            assert delivery.attempts == expected.attempts
            assert (delivery.finished_at is not None) == (delivery.status in FINAL)
        assert await forgotten(self.store, self.now) == []

    # -- steps ---------------------------------------------------------------------------------------------------

    async def subscribe(self, which: int, how: int) -> None:
        endpoint = await add_endpoint(self.store, self.account)
        self.endpoints[endpoint.id] = "active"

    async def publish(self, which: int, how: int) -> None:
        accepted = await accept_one(self.store, draft(self.account, now=self.now))
        found = await self.store.deliveries(DeliveryQuery(event_id=accepted.event_id))
        wanted = {id for id, status in self.endpoints.items() if status != "deleted"}
        assert {delivery.endpoint_id for delivery in found} == wanted
        assert accepted.deliveries == len(found) == len(wanted)
        self.deliveries |= {each.id: Expected(each.endpoint_id, self.now) for each in found}

    async def claim(self, which: int, how: int) -> None:
        limit = 1 + how % 4
        sendable = {id for id, each in self.due().items() if self.endpoints[each.endpoint_id] == "active"}

        claims = await self.store.claim(limit, self.now, self.now + LEASE)

        assert {each.delivery_id for each in claims} <= sendable
        assert len(claims) == min(limit, len(sendable))
        for claimed in claims:
            expected = self.deliveries[claimed.delivery_id]
            assert claimed.fence > expected.fence
            assert claimed.attempt == expected.attempts + 1
            expected.become("in_flight")
            expected.fence, expected.lease_until = claimed.fence, self.now + LEASE
        self.claims += claims
        await self.see_what_was_cancelled()

    def due(self) -> dict[int, Expected]:
        return {
            id: each
            for id, each in self.deliveries.items()
            if each.status == "pending" and each.due_at is not None and each.due_at <= self.now
        }

    async def see_what_was_cancelled(self) -> None:
        """A claim finishes deletions that were cut short."""
        for id, expected in self.due().items():
            endpoint = self.endpoints[expected.endpoint_id]
            delivery = await self.store.delivery(id)
            assert delivery is not None
            if endpoint == "deleted" and delivery.status == "cancelled":
                expected.become("cancelled")

    async def settle(self, which: int, how: int) -> None:
        if not self.claims:
            return
        claimed = self.claims[which % len(self.claims)]
        status: DeliveryStatus = ("delivered", "pending", "pending", "dead")[how % 4]
        due_at = self.now + MINUTE if status == "pending" else None
        reason = "gone" if how % 5 == 0 else None
        ours = self.is_ours(claimed)

        written = await self.store.settle([settled(claimed, status, due_at=due_at, disable_reason=reason)], self.now)

        assert written == ({claimed.delivery_id} if ours else set())
        if ours:
            expected = self.deliveries[claimed.delivery_id]
            deleted = self.endpoints[claimed.endpoint_id] == "deleted"
            expected.attempts += 1
            expected.become(*(("cancelled", None) if deleted and status == "pending" else (status, due_at)))
            if reason and self.endpoints[claimed.endpoint_id] == "active":
                self.endpoints[claimed.endpoint_id] = "disabled"

    def is_ours(self, claimed: Claim) -> bool:
        expected = self.deliveries[claimed.delivery_id]
        return expected.status == "in_flight" and expected.fence == claimed.fence

    async def renew(self, which: int, how: int) -> None:
        ours = {each.delivery_id for each in self.claims if self.is_ours(each)}
        until = self.now + LEASE + how

        assert await self.store.renew([lease_of(each) for each in self.claims], until) == ours

        for id in ours:
            self.deliveries[id].lease_until = until

    async def release(self, which: int, how: int) -> None:
        if not self.claims:
            return
        claimed = self.claims[which % len(self.claims)]
        ours = self.is_ours(claimed)

        await self.store.release([lease_of(claimed)], self.now)

        if ours:
            self.deliveries[claimed.delivery_id].become("pending", self.now)

    async def rescue(self, which: int, how: int) -> None:
        late = [
            each for each in self.deliveries.values() if each.status == "in_flight" and each.lease_until <= self.now
        ]

        assert await self.store.rescue(self.now) == len(late)

        for each in late:
            each.become("pending", self.now)

    async def replay(self, which: int, how: int) -> None:
        if not self.deliveries:
            return
        id = sorted(self.deliveries)[which % len(self.deliveries)]
        expected = self.deliveries[id]
        refused = expected.status == "in_flight" or self.endpoints[expected.endpoint_id] == "deleted"
        try:
            replayed: Delivery | None = await self.store.replay(id, self.now)
        except Conflict:
            assert refused
        else:
            assert not refused
            assert replayed == await self.store.delivery(id)
            expected.become("pending", self.now)

    async def replay_many(self, which: int, how: int) -> None:
        statuses: tuple[DeliveryStatus, ...] = ("delivered", "dead", "cancelled")
        id = await self.store.new_id(self.account.id)
        await self.store.add_replay(
            Replay(
                id=id,
                account_id=self.account.id,
                endpoint_id=None,
                event_type=None,
                statuses=statuses,
                created_from=NOW,
                created_to=self.now + 1,
                rate_per_second=100,
                total=1,
                created_at=self.now,
            )
        )

        await self.store.advance_replay(self.account.id, id, 1_000, self.now)

        for expected in self.deliveries.values():
            if expected.status in statuses and self.endpoints[expected.endpoint_id] != "deleted":
                expected.become("pending", self.now)

    async def cancel(self, which: int, how: int) -> None:
        if not self.deliveries or how % 2:
            return
        id = sorted(self.deliveries)[which % len(self.deliveries)]
        expected = self.deliveries[id]
        try:
            await self.store.cancel(id, self.now)
        except Conflict:
            assert expected.status != "pending"
        else:
            assert expected.status == "pending"
            expected.become("cancelled")

    async def set_status(self, which: int, how: int) -> None:
        if not self.endpoints:
            return
        id = sorted(self.endpoints)[which % len(self.endpoints)]
        status: EndpointStatus = ("active", "paused", "active", "disabled")[how % 4]

        changed = await self.store.set_endpoint_status(self.account.id, id, status, None, self.now)

        if self.endpoints[id] == "deleted":
            assert changed is None
            return
        self.endpoints[id] = status

    def waiting_for(self, endpoint_id: int) -> list[Expected]:
        every = self.deliveries.values()
        return [each for each in every if each.endpoint_id == endpoint_id and each.status == "pending"]

    async def delete(self, which: int, how: int) -> None:
        if not self.endpoints or how % 3:  # seldom: most journeys should go on
            return
        id = sorted(self.endpoints)[which % len(self.endpoints)]
        there = self.endpoints[id] != "deleted"

        assert await self.store.delete_endpoint(self.account.id, id, self.now) == there

        if there:
            self.endpoints[id] = "deleted"
            for expected in self.waiting_for(id):
                expected.become("cancelled")

    async def wait(self, which: int, how: int) -> None:
        self.now += (1, LEASE, MINUTE)[how % 3]

    # -- the end -------------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """Everything that is not finished can be sent, once every endpoint receives again."""
        for id in self.endpoints:
            await self.store.set_endpoint_status(self.account.id, id, "active", None, self.now)
        self.now += 10 * MINUTE
        await self.store.rescue(self.now)
        while claims := await self.store.claim(3, self.now, self.now + LEASE):
            assert len(await self.store.settle([settled(each) for each in claims], self.now)) == len(claims)
        for delivery in await deliveries_of(self.store, self.account):
            assert delivery.status in FINAL
            assert len(await self.store.attempts(delivery.id)) == delivery.attempts
            if delivery.status == "cancelled":
                expected = self.deliveries[delivery.id]
                assert expected.status == "cancelled" or self.endpoints[expected.endpoint_id] == "deleted"


journeys = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 20), st.integers(0, 60)), min_size=10, max_size=40
)


@given(steps=journeys)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_delivery_is_ever_lost(store: Store, steps: list[tuple[str, int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # The model knows no breaker; test_guarded_claims.py does.
        patch.setattr(gates, "BREAKER_FAILURES", 10**9)
        journey = Journey(store, await add_account(store))
        for start in ("subscribe", "subscribe", "publish"):
            await journey.take(start, 0, 0)

        for step, which, how in steps:
            await journey.take(step, which, how)

        await journey.end()
