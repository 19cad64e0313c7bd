"""What a closed store says, and what closing finishes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hookwright.core.errors import Unavailable
from hookwright.core.model import Accepted
from hookwright.store.base import DeliveryQuery, Store
from store.given import NOW, accept_one, add_account, add_endpoint, claim, draft, reopened

CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "a reading": lambda store: store.account(37),
    "a listing": lambda store: store.deliveries(DeliveryQuery()),
    "a writing": lambda store: store.delete_endpoint(37, 37, NOW),
    "a claim": claim,
    "an id": lambda store: store.new_id(0),
    "the time": lambda store: store.now(),
    "a migration": lambda store: store.migrate(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("used", [False, True])
async def test_a_closed_store_is_unavailable(store: Store, second: Store, call: str, used: bool) -> None:
    if used:
        await second.now()
        await second.new_id(0)
    await second.close()

    with pytest.raises(Unavailable):
        await CALLS[call](second)


async def test_a_store_can_be_closed_twice(store: Store, second: Store) -> None:
    await second.now()

    await second.close()
    await second.close()


async def test_what_is_under_way_is_finished_or_refused_when_a_store_closes(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for _ in range(5):
        other = reopened(store)
        drafts = [draft(account) for _ in range(20)]

        *answers, _ = await asyncio.gather(
            *(accept_one(other, one) for one in drafts), other.close(), return_exceptions=True
        )

        for one, answer in zip(drafts, answers, strict=True):
            assert isinstance(answer, Accepted | Unavailable)
            assert (await store.event(one.event.id) is not None) == isinstance(answer, Accepted)


async def test_a_caller_that_gives_up_does_not_disturb_the_others(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)

    calls = [asyncio.create_task(accept_one(store, draft(account))) for _ in range(10)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(answer, Accepted) for answer in answers[1::2])
    assert all(isinstance(answer, Accepted | asyncio.CancelledError) for answer in answers)
    assert (await accept_one(store, draft(account))).deliveries == 1
