"""Outcomes on their way into the store: how many may wait, and that nothing makes them wait for ever."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from engine.test_under_way import NOW, claim_to
from hookwright.core.model import Outcome, Settled, Settlement
from hookwright.engine.recording import MOST_AT_ONCE, Parcel, Recorder
from hookwright.store.base import Store


def parcel(first_id: int, deliveries: int = 1) -> Parcel:
    """What a request came to that carried so many."""
    return [
        Settled(
            claim=replace(claim_to(1), delivery_id=first_id + number),
            outcome=Outcome(started_at=NOW, duration_us=1, status_code=200),
            settlement=Settlement(status="delivered", due_at=None),
        )
        for number in range(deliveries)
    ]


class Told:
    """Who is told what was recorded, and cannot always take it."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.batches: list[int] = []

    def __call__(self, parcels: Sequence[Parcel], written: set[int]) -> None:
        self.batches.append(sum(map(len, parcels)))
        if self.fails:
            raise RuntimeError("cannot be told")


def recorder(store: Store, told: Told, most: int = 2_500) -> Recorder:
    return Recorder(store, lambda: NOW, 1, told, most)


async def test_every_delivery_of_a_request_counts(store: Store) -> None:
    told = Told()
    recording = recorder(store, told, most=100)
    recording.add(parcel(1, 99))
    assert not recording.is_behind
    recording.add(parcel(100))
    assert recording.is_behind
    await recording.emptied()
    assert not recording.is_behind


async def test_a_transaction_has_about_as_many_outcomes_however_large_the_requests_were(store: Store) -> None:
    told = Told()
    recording = recorder(store, told)
    for number in range(6):
        recording.add(parcel(1 + 100 * number, 100))
    await recording.emptied()
    assert (sum(told.batches), max(told.batches)) == (600, MOST_AT_ONCE + 50)


async def test_whoever_is_told_and_fails_holds_up_nothing(store: Store) -> None:
    told = Told(fails=True)
    recording = recorder(store, told, most=10)
    for number in range(MOST_AT_ONCE + 20):
        recording.add(parcel(1 + number))
    async with asyncio.timeout(30):
        await recording.emptied()
    assert sum(told.batches) == MOST_AT_ONCE + 20
    assert not recording.is_behind
