"""The door: which requests share a transaction."""

import asyncio

import pytest

from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.model import Accepted, Account, Draft
from hookwright.engine.intake import FEW_EVENTS, LANES_TOGETHER, GroupCommit, door_of
from hookwright.store.base import NO_ROOM, Acceptance, Room, Store
from hookwright.store.postgres import PostgresStore
from hookwright.testing.postgres import fresh_database
from store.given import add_account, add_endpoint, draft


def drafts_for(account_id: int, number: int) -> list[Draft]:
    return [draft(Account(id=account_id, name="", created_at=0)) for _ in range(number)]


def test_small_requests_for_neighbouring_lanes_share_a_door() -> None:
    assert door_of(drafts_for(64, 1)) == door_of(drafts_for(64 + LANES_TOGETHER - 1, FEW_EVENTS))
    assert door_of(drafts_for(64, 1)) != door_of(drafts_for(64 + LANES_TOGETHER, 1))


def test_a_large_request_holds_up_the_lane_of_its_account_only() -> None:
    large = door_of(drafts_for(64, FEW_EVENTS + 1))
    assert large != door_of(drafts_for(64, 1))
    assert large != door_of(drafts_for(65, FEW_EVENTS + 1))
    assert large == door_of(drafts_for(128, FEW_EVENTS + 1))


class Counting:
    """A store that takes down how many drafts came together."""

    def __init__(self, store: Store) -> None:
        self.lanes_apart = store.lanes_apart
        self._store = store
        self.transactions: list[int] = []

    async def accept(self, drafts: list[Draft], room: Room = NO_ROOM) -> Acceptance:
        self.transactions.append(len(drafts))
        return await self._store.accept(drafts, room)


@pytest.mark.parametrize(("apart", "transactions"), [(False, 1), (True, 4)])
async def test_what_comes_at_once_shares_transactions_as_far_as_the_database_lets_it(
    postgres_url: str, apart: bool, transactions: int
) -> None:
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url, distributed=apart)
        accounts = [await add_account(store, lane_index=lane_index) for lane_index in (0, 1, 2, 3)]
        for account in accounts:
            await add_endpoint(store, account)
        counting = Counting(store)
        intake = GroupCommit(counting)  # type: ignore[arg-type] # it accepts and does nothing else
        drafts = [draft(account) for account in accounts]

        answers: list[list[Accepted | Conflict]] = await asyncio.gather(*(intake.accept([one]) for one in drafts))

        assert answers == [[Accepted(one.event.id, 1)] for one in drafts]
        assert len(counting.transactions) == transactions
        assert sum(counting.transactions) == 4
        assert await intake.accept([draft(account) for account in accounts]) != []
        await intake.close()
        await store.close()


@pytest.fixture
async def account(store: Store) -> Account:
    """With three endpoints."""
    account = await add_account(store)
    for _ in range(3):
        await add_endpoint(store, account)
    return account


async def test_requests_with_very_many_deliveries_are_written_by_several_transactions(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.store.acceptance.MOST_TOGETHER", 7)
    counting = Counting(store)
    intake = GroupCommit(counting)  # type: ignore[arg-type] # it accepts and does nothing else
    requests = [[draft(account) for _ in range(number)] for number in (1, 4, 1)]

    answers = await asyncio.gather(*map(intake.accept, requests))

    assert answers == [[Accepted(one.event.id, 3) for one in request] for request in requests]
    # Two of six; the rest of the request that this ended within; what was left.
    assert counting.transactions == [6, 3, 1, 1]


class FailsOnce(Counting):
    """A store that does not answer at one of the calls."""

    def __init__(self, store: Store, call: int) -> None:
        super().__init__(store)
        self._call = call

    async def accept(self, drafts: list[Draft], room: Room = NO_ROOM) -> Acceptance:
        if len(self.transactions) + 1 == self._call:
            self.transactions.append(0)
            raise Unavailable("down")
        return await super().accept(drafts, room)


async def test_where_the_store_fails_within_a_request_that_one_fails_and_no_other(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.store.acceptance.MOST_TOGETHER", 7)
    intake = GroupCommit(FailsOnce(store, call=2))  # type: ignore[arg-type] # it accepts and does nothing else
    requests = [[draft(account) for _ in range(number)] for number in (1, 4, 1)]

    first, second, third = await asyncio.gather(*map(intake.accept, requests), return_exceptions=True)

    assert (first, third) == ([Accepted(requests[0][0].event.id, 3)], [Accepted(requests[2][0].event.id, 3)])
    assert isinstance(second, Unavailable)
    assert [await store.event(one.event.id) is not None for one in requests[1]] == [True, False, False, False]


class Held:
    """A store that answers when it is let."""

    lanes_apart = False

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def accept(self, drafts: list[Draft], room: Room = NO_ROOM) -> Acceptance:
        await self.may_answer.wait()
        return Acceptance([Accepted(one.event.id, 0) for one in drafts], [], 0)


async def test_closing_waits_for_a_door_that_opens_meanwhile() -> None:
    intake = GroupCommit(held := Held())  # type: ignore[arg-type] # it accepts and does nothing else
    first = asyncio.create_task(intake.accept(drafts_for(64, 1)))
    await asyncio.sleep(0)
    closing = asyncio.create_task(intake.close())
    await asyncio.sleep(0)
    second = asyncio.create_task(intake.accept(drafts_for(64 + LANES_TOGETHER, 1)))
    await asyncio.sleep(0)
    held.may_answer.set()
    await closing
    await asyncio.sleep(0)
    assert (first.done(), second.done()) == (True, True)
