"""The door: which requests share a transaction."""

import asyncio

import pytest

from hookwright.core.errors import Conflict
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
