"""What was claimed at birth and waits in memory for a slot: in turn, not for long, and not unwatched."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import msgspec
import pytest
from msgspec.structs import replace as changed

from engine.harness import DIALECT, Engine, Held, running_engine
from engine.test_under_way import NOW, claim_to
from hookwright.ambient import MovableClock
from hookwright.core.errors import Conflict
from hookwright.core.model import (
    SECOND,
    Accepted,
    Claim,
    Draft,
    EndpointChange,
    EndpointStatus,
    Instant,
    SigningSecret,
    Subscription,
)
from hookwright.engine.intake import GroupCommit
from hookwright.engine.waiting import BELIEVED_FOR, LONGEST_WAIT, MOST_BYTES, MOST_WAITING, Check, Waiting
from hookwright.engine.worker import Worker
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.store.base import Room, SecretOwner, Store
from hookwright.testing.receiver import Receiver

LEASE = 10 * SECOND


def claim(endpoint_id: int, delivery_id: int = 1, body: bytes = b"{}") -> Claim:
    return changed(claim_to(endpoint_id), delivery_id=delivery_id, body=body)


def waiting_for(*endpoint_ids: int) -> Waiting:
    """A delivery for each of these, numbered from 1."""
    waiting = Waiting()
    for number, endpoint_id in enumerate(endpoint_ids, 1):
        waiting.add(claim(endpoint_id, number), NOW, NOW + LEASE, NOW)
    return waiting


def taken(waiting: Waiting, full: frozenset[int] = frozenset(), now: int = NOW) -> list[int]:
    """Deliveries in the order in which they are taken, while there are any to endpoints that are not full."""
    order = []
    while (next_one := waiting.take(lambda endpoint_id: endpoint_id not in full, now)) is not None:
        order.append(next_one.delivery_id)
    return order


def test_endpoints_take_turns_each_in_its_own_order() -> None:
    assert taken(waiting_for(7, 7, 7, 8, 9, 8)) == [1, 4, 5, 2, 6, 3]


def test_endpoints_that_are_full_are_passed_over_until_they_may_go_again() -> None:
    waiting = waiting_for(7, 8, 7)
    assert taken(waiting, full=frozenset({7})) == [2]
    assert (len(waiting), taken(waiting)) == (2, [])
    waiting.may_go_again(7)
    assert taken(waiting) == [1, 3]


def test_however_many_endpoints_are_full_the_others_have_their_turn_and_nobody_is_asked_twice() -> None:
    waiting = waiting_for(*range(500), 1_000)
    asked: list[int] = []

    def may_go(endpoint_id: int) -> bool:
        asked.append(endpoint_id)
        return endpoint_id == 1_000

    (next_one, nothing) = (waiting.take(may_go, NOW), waiting.take(may_go, NOW))
    assert next_one is not None
    assert (next_one.endpoint_id, nothing) == (1_000, None)
    assert asked == [*range(500), 1_000]


def test_what_comes_later_for_a_full_endpoint_waits_with_the_rest() -> None:
    waiting = waiting_for(7, 7)
    assert taken(waiting, full=frozenset({7})) == []
    waiting.add(claim(7, 3), NOW, NOW + LEASE, NOW)
    assert taken(waiting) == []
    waiting.all_may_go_again()
    assert taken(waiting) == [1, 2, 3]


def test_an_endpoint_that_nothing_waits_for_any_more_has_no_turn() -> None:
    waiting = waiting_for(7, 8)
    waiting.take_out({7}, NOW)
    waiting.may_go_again(7)
    assert taken(waiting) == [2]


def test_what_goes_next_is_the_first_of_each_endpoint_that_has_a_turn() -> None:
    waiting = waiting_for(7, 7, 8, 9)
    assert [each.delivery_id for each in waiting.next_ones(2)] == [1, 3]
    assert waiting.take(lambda endpoint_id: endpoint_id != 7, NOW) is not None
    assert [each.delivery_id for each in waiting.next_ones(9)] == [4]
    assert len(waiting) == 3


def test_a_delivery_whose_lease_has_ended_is_forgotten() -> None:
    waiting = waiting_for(7, 7)
    waiting.add(claim(7, 3), NOW, NOW + 2 * LEASE, NOW)
    waiting.renewed({2}, NOW + 2 * LEASE)
    waiting.checked(Check({7}, NOW, NOW + LEASE))
    assert taken(waiting, now=NOW + LEASE) == [2, 3]
    assert (len(waiting), waiting.room, waiting.room_in_bytes) == (0, MOST_WAITING, MOST_BYTES)


def test_bodies_are_counted_as_they_come_and_go() -> None:
    waiting = Waiting()
    waiting.add(claim(7, 1, b"x" * 1000), NOW, NOW + LEASE, NOW)
    waiting.add(claim(7, 2, b"x" * 500), NOW, NOW + LEASE, NOW)
    assert waiting.room_in_bytes == MOST_BYTES - 1500
    waiting.take(lambda _: True, NOW)
    assert waiting.room_in_bytes == MOST_BYTES - 500
    waiting.take_all()
    assert (waiting.room_in_bytes, waiting.claims) == (MOST_BYTES, [])


def test_what_waits_for_an_endpoint_that_is_not_sendable_is_taken_out() -> None:
    waiting = waiting_for(7, 8, 7)
    assert [each.delivery_id for each in waiting.take_out({7}, NOW)] == [1, 3]
    assert (waiting.endpoint_ids, waiting.room) == ([8], MOST_WAITING - 1)


def test_after_one_that_waited_for_too_long_room_must_be_earned_again() -> None:
    waiting = waiting_for(7)
    later = NOW + LONGEST_WAIT
    waiting.add(claim(7, 2), later, later + LEASE, later)
    assert waiting.seen_since == NOW
    assert waiting.take_out((), later - 1) == []
    assert [each.delivery_id for each in waiting.take_out((), later)] == [1]
    assert (waiting.room, len(waiting)) == (0, 1)
    waiting.earn()
    waiting.earn()
    assert waiting.room == 1


def test_nothing_is_taken_for_an_endpoint_that_was_not_seen_lately() -> None:
    waiting = waiting_for(7, 8)
    later = NOW + BELIEVED_FOR
    assert taken(waiting, now=later) == []
    waiting.checked(Check({7}, NOW, later))
    waiting.all_may_go_again()
    assert taken(waiting, now=later + BELIEVED_FOR - 1) == [1]


def test_what_was_matched_before_all_that_a_check_asked_about_is_not_vouched_for_by_it() -> None:
    waiting = waiting_for(7)
    waiting.checked(Check({7}, NOW + 1, NOW + BELIEVED_FOR))
    assert taken(waiting, now=NOW + BELIEVED_FOR) == []


# -- a worker with deliveries that wait ------------------------------------------------------------------------------


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock) as engine:
        yield engine


class Burst:
    """A worker with one slot; its receiver holds a first delivery, and two more wait in memory."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.worker: Worker = engine.another_worker(concurrency=1, poll_seconds=3600, recheck_seconds=3600)
        engine.services = replace(engine.services, intake=GroupCommit(engine.store, worker=self.worker))
        self.held = Held()
        engine.receiver.behave(self.held)
        self._stop = asyncio.Event()

    async def __aenter__(self) -> "Burst":
        self.endpoint = await self.engine.endpoint()
        self.engine.clock.move(seconds=2)  # it is not new any more
        self._running = asyncio.create_task(self.worker.run(self._stop))
        await asyncio.sleep(0)
        for _ in range(3):
            await self.engine.publish()
        await self.held.arrived()
        assert await self.statuses() == ["in_flight"] * 3
        return self

    async def __aexit__(self, *error: object) -> None:
        self.held.answer()
        await self.stop()
        await self.worker.drain(5)

    async def statuses(self) -> list[str]:
        return [each.status for each in await self.engine.deliveries()]

    def tell_to_stop(self) -> None:
        """Which it has not noticed yet."""
        self._stop.set()

    async def stop(self) -> None:
        self.tell_to_stop()
        self.worker.wake()
        await self._running


class Late(GroupCommit):
    """An intake that has put events on disk, and has not handed them over to the worker yet."""

    def __init__(self, store: Store, room: Room) -> None:
        super().__init__(store)
        self._store, self._room = store, room
        self.claims: Sequence[Claim] = ()

    async def accept(self, drafts: Sequence[Draft]) -> list[Accepted | Conflict]:
        accepted = await self._store.accept(drafts, self._room)
        self.claims = accepted.claims
        return accepted.answers


async def test_what_waits_in_memory_is_sent_when_slots_become_free_without_a_look(engine: Engine) -> None:
    async with Burst(engine) as burst:
        burst.held.answer()
        for _ in range(2):
            await burst.held.arrived()
    assert await burst.statuses() == ["delivered"] * 3
    assert [each.attempts for each in await engine.deliveries()] == [1, 1, 1]


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_what_waits_in_memory_goes_back_when_its_endpoint_is_not_active_any_more(
    engine: Engine, status: EndpointStatus
) -> None:
    async with Burst(engine) as burst:
        assert await burst.worker.give_back_unsendable() == 0
        await engine.store.set_endpoint_status(engine.account.id, burst.endpoint.id, status, None, engine.clock.now())
        assert await burst.worker.give_back_unsendable() == 2
        assert await burst.statuses() == ["in_flight", "pending", "pending"]
    assert burst.held.arrived_count == 1


async def test_what_waited_for_too_long_goes_back_and_others_wait_in_the_store(
    engine: Engine, clock: MovableClock
) -> None:
    async with Burst(engine) as burst:
        clock.move(seconds=LONGEST_WAIT / SECOND)
        assert await burst.worker.give_back_unsendable() == 2
        await engine.publish()
        assert await burst.statuses() == ["in_flight", "pending", "pending", "pending"]


async def test_what_waits_stays_unsent_while_nobody_can_say_whether_it_may_be_sent(
    engine: Engine, clock: MovableClock
) -> None:
    async with Burst(engine) as burst:
        clock.move(seconds=BELIEVED_FOR / SECOND)  # and no check came through
        burst.held.answer()
        while "delivered" not in await burst.statuses():
            pass  # the answer is on its way into the store
        assert burst.held.arrived_count == 1
        assert await burst.worker.give_back_unsendable() == 0
        for _ in range(2):
            await burst.held.arrived()
    assert await burst.statuses() == ["delivered"] * 3


async def test_what_begins_to_wait_during_a_check_is_not_given_back_by_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Burst(engine) as burst:
        path, event = "/another", "contact.unsubscribed"
        await engine.endpoint(path, event)
        sendable = engine.store.sendable

        async def while_one_more_comes(endpoint_ids: Sequence[int], unchanged_since: Instant) -> set[int]:
            found = await sendable(endpoint_ids, unchanged_since)
            await engine.publish(type=event)
            return found

        monkeypatch.setattr(engine.store, "sendable", while_one_more_comes)
        assert await burst.worker.give_back_unsendable() == 0
        assert await burst.statuses() == ["in_flight"] * 4


@pytest.mark.parametrize("change", [EndpointChange(url="https://elsewhere.example.com/"), "paused"])
async def test_what_took_long_to_be_accepted_does_not_go_to_an_endpoint_that_was_changed_meanwhile(
    engine: Engine, clock: MovableClock, change: EndpointChange | EndpointStatus
) -> None:
    endpoint = await engine.endpoint()
    clock.move(seconds=2)
    worker = engine.another_worker(poll_seconds=3600, recheck_seconds=3600)
    running = asyncio.create_task(worker.run(stop := asyncio.Event()))
    await asyncio.sleep(0)
    room = worker.reserve()
    engine.services = replace(engine.services, intake=(late := Late(engine.store, room)))
    await engine.publish()
    if isinstance(change, EndpointChange):
        await engine.store.change_endpoint(engine.account.id, endpoint.id, change, clock.now())
    else:
        await engine.store.set_endpoint_status(engine.account.id, endpoint.id, change, None, clock.now())
    clock.move(seconds=2)
    await worker.begin(late.claims, room)
    assert await worker.give_back_unsendable() == 1
    stop.set()
    worker.wake()
    await running
    await worker.drain(5)
    assert engine.receiver.count == 0
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts) == ("pending", 0)


async def test_the_leases_of_what_waits_in_memory_are_kept(engine: Engine, clock: MovableClock) -> None:
    async with Burst(engine) as burst:
        assert await burst.worker.renew_leases() == 1  # nothing else than what is under way is in danger yet
        clock.move(seconds=7)
        assert await burst.worker.renew_leases() == 3
        clock.move(seconds=7)
        assert await engine.store.rescue(clock.now()) == 0


async def test_a_worker_that_stood_still_for_longer_than_its_leases_sends_nothing_that_waited(
    engine: Engine, clock: MovableClock
) -> None:
    async with Burst(engine) as burst:
        clock.move(seconds=11)
        burst.held.answer()
        while "delivered" not in await burst.statuses():
            pass  # the answer is on its way into the store
    assert burst.held.arrived_count == 1
    assert await engine.store.rescue(clock.now()) == 2


async def test_what_waits_in_memory_goes_back_at_the_end_of_the_process(engine: Engine) -> None:
    async with Burst(engine) as burst:
        await burst.stop()
        burst.held.answer()
        await burst.worker.drain(5)
        assert await burst.statuses() == ["delivered", "pending", "pending"]
    assert burst.held.arrived_count == 1


async def test_nothing_that_waits_begins_once_the_worker_is_told_to_stop(engine: Engine) -> None:
    async with Burst(engine) as burst:
        burst.tell_to_stop()
        burst.held.answer()
        while "delivered" not in await burst.statuses():
            pass  # the answer is on its way into the store
    assert await burst.statuses() == ["delivered", "pending", "pending"]
    assert burst.held.arrived_count == 1


async def test_another_endpoint_is_sent_to_before_the_rest_of_a_burst(engine: Engine) -> None:
    async with Receiver() as other, Burst(engine) as burst:
        subscriptions = [Subscription("contact.bounced")]
        await create_endpoint(engine.services, engine.account.id, DIALECT, other.url + "/", subscriptions)
        await engine.publish(type="contact.bounced")
        second = Held()
        engine.receiver.behave(second)
        burst.held.answer()
        await second.arrived()
        assert (other.count, second.arrived_count) in ((0, 1), (1, 1))
        second.answer()
        await other.wait_for(1)


async def test_keys_are_looked_up_together_for_what_goes_next_and_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.engine.worker.EXPECTED_AHEAD", 4)
    accounts = [(await create_account(engine.services, f"Ada {number}")).account.id for number in range(7)]
    wanted = [Subscription("contact.created")]
    for account_id in accounts:
        await create_endpoint(engine.services, account_id, DIALECT, engine.receiver.url + "/", wanted)
    asked: list[int] = []
    look_up = engine.store.signing_secrets_of

    async def counted(owners: Sequence[SecretOwner], now: Instant) -> dict[SecretOwner, list[SigningSecret]]:
        asked.append(len(owners))
        return await look_up(owners, now)

    monkeypatch.setattr(engine.store, "signing_secrets_of", counted)
    worker = engine.another_worker(concurrency=1, poll_seconds=3600, recheck_seconds=3600)
    engine.services = replace(engine.services, intake=GroupCommit(engine.store, worker=worker))
    running = asyncio.create_task(worker.run(stop := asyncio.Event()))
    await asyncio.sleep(0)
    event = {"type": "contact.created", "data": {"contact": {"id": 1, "email": "ada@example.com"}}}
    events = msgspec.json.encode([event | {"account": account_id} for account_id in accounts])
    await publish(engine.services, msgspec.json.decode(events, type=list[Publish]))
    await engine.receiver.wait_for(7)
    stop.set()
    worker.wake()
    await running
    await worker.drain(5)
    # Four, of whom three go before the next ones are asked for: one of those was asked for before.
    assert asked == [4, 3]
