"""Lines: one after another, in the order of acceptance, whatever happens to the one ahead."""

import asyncio

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Conflict
from hookwright.core.model import HOUR, SECOND, Account, Delivery, Draft, Endpoint, EndpointChange, Instant, Ordering
from hookwright.store.base import DeliveryQuery, Store
from store.given import NOW, accept, add_account, add_endpoint, again, claim, deliveries_of, draft, lease_of, settled


async def ordered_endpoint(store: Store, account: Account, ordering: Ordering = "endpoint") -> Endpoint:
    endpoint = await add_endpoint(store, account)
    changed = await store.change_endpoint(account.id, endpoint.id, EndpointChange(ordering=ordering), NOW)
    assert changed is not None
    assert changed.ordering == ordering
    return changed


def keyed(account: Account, ordering_key: str | None, now: Instant = NOW) -> Draft:
    one = draft(account, now=now)
    return replace(one, event=replace(one.event, ordering_key=ordering_key))


async def accept_in_order(store: Store, account: Account, *keys: str | None) -> list[Delivery]:
    """A delivery for each key, in this order."""
    drafts = [keyed(account, key) for key in keys]
    await accept(store, *drafts)
    found = {delivery.event_id: delivery for delivery in await deliveries_of(store, account)}
    return [found[each.event.id] for each in drafts]


async def sent(store: Store, now: Instant = NOW) -> list[int]:
    """What can be claimed now, by id."""
    return [each.delivery_id for each in await claim(store, now=now)]


async def deliver_next(store: Store, now: Instant = NOW) -> int:
    """Claim the only one that may go, and deliver it."""
    (claimed,) = await claim(store, now=now)
    assert await store.settle([settled(claimed)], now) == {claimed.delivery_id}
    return claimed.delivery_id


async def test_one_goes_at_a_time_in_the_order_of_acceptance(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    first = await accept_in_order(store, account, None, None)
    second = await accept_in_order(store, account, None)
    expected = [delivery.id for delivery in (*first, *second)]
    assert [await deliver_next(store) for _ in expected] == expected
    assert await sent(store) == []


async def test_those_behind_wait_while_the_first_one_is_tried_again(store: Store) -> None:
    account = await add_account(store)
    endpoint = await ordered_endpoint(store, account)
    head, *_ = await accept_in_order(store, account, None, None, None)
    (claimed,) = await claim(store)
    await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW)
    assert await sent(store, NOW + HOUR - 1) == []
    (blocked,) = await store.blocked_lines(endpoint.id, 100)
    assert (blocked.head.id, blocked.head.attempts, blocked.waiting) == (head.id, 1, 2)
    assert await sent(store, NOW + HOUR) == [head.id]


async def test_when_the_first_one_dies_it_is_the_next_ones_turn(store: Store) -> None:
    account = await add_account(store)
    endpoint = await ordered_endpoint(store, account)
    head, second = await accept_in_order(store, account, None, None)
    (claimed,) = await claim(store)
    await store.settle([settled(claimed, "dead")], NOW)
    assert await sent(store) == [second.id]
    assert await store.blocked_lines(endpoint.id, 100) == []
    assert (await again(store, head)).status == "dead"


async def test_each_ordering_key_has_a_line_of_its_own_and_without_one_nothing_waits(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account, "key")
    a1, b1, a2, free1, b2, free2 = await accept_in_order(store, account, "a", "b", "a", None, "b", None)
    claims = await claim(store)
    assert {each.delivery_id for each in claims} == {a1.id, b1.id, free1.id, free2.id}
    await store.settle([settled(each) for each in claims if each.delivery_id == b1.id], NOW)
    assert await sent(store) == [b2.id]
    assert (await again(store, a2)).due_at is None


async def test_an_ordering_key_means_nothing_to_an_endpoint_without_order(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    deliveries = await accept_in_order(store, account, "a", "a", "a")
    assert set(await sent(store)) == {delivery.id for delivery in deliveries}


async def test_a_line_says_what_is_ahead(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    head, second, third = await accept_in_order(store, account, None, None, None)
    assert await store.ahead_of(head) is None
    assert await store.ahead_of(second) == head.id
    assert await store.ahead_of(third) == head.id
    await deliver_next(store)
    assert await store.ahead_of(second) is None
    assert await store.ahead_of(head) is None


async def test_workers_that_claim_and_settle_at_once_never_invert_a_line(store: Store, second: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account, "key")
    deliveries = await accept_in_order(store, account, *(str(number % 3) for number in range(60)))
    started: dict[str, list[int]] = {"0": [], "1": [], "2": []}
    in_flight: dict[str, int] = {"0": 0, "1": 0, "2": 0}

    async def work(each: Store) -> None:
        while sum(map(len, started.values())) < len(deliveries):
            for claimed in await each.claim(5, NOW, NOW + 10 * SECOND):
                assert claimed.line is not None
                assert in_flight[claimed.line] == 0
                in_flight[claimed.line] = 1
                started[claimed.line].append(claimed.delivery_id)
                await asyncio.sleep(0)
                in_flight[claimed.line] = 0
                await each.settle([settled(claimed)], NOW)

    async with asyncio.timeout(30):
        await asyncio.gather(*(work(each) for each in (store, second) * 3))
    for number in range(3):
        assert started[str(number)] == [delivery.id for delivery in deliveries[number::3]]


async def test_batches_that_are_accepted_at_once_take_places_one_after_another(store: Store, second: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    batches = [[draft(account) for _ in range(5)] for _ in range(8)]
    await asyncio.gather(
        *(accept(each, *batch) for each, batch in zip((store, second) * 4, batches, strict=True)),
    )
    of_event = {delivery.id: delivery.event_id for delivery in await deliveries_of(store, account)}
    order = [of_event[await deliver_next(store)] for _ in range(40)]
    for batch in batches:
        places = [order.index(each.event.id) for each in batch]
        assert places == list(range(places[0], places[0] + 5))


async def test_what_waited_for_a_paused_endpoint_goes_in_order_when_it_is_active_again(store: Store) -> None:
    account = await add_account(store)
    endpoint = await ordered_endpoint(store, account)
    deliveries = await accept_in_order(store, account, None, None, None)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await sent(store) == []
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)
    expected = [delivery.id for delivery in deliveries]
    assert [await deliver_next(store) for _ in expected] == expected


async def test_a_claim_that_is_given_back_or_whose_lease_ends_keeps_its_turn(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    head, _ = await accept_in_order(store, account, None, None)
    (claimed,) = await claim(store)
    await store.release([lease_of(claimed)], NOW)
    (claimed,) = await claim(store)
    assert claimed.delivery_id == head.id
    later = NOW + 11 * SECOND
    assert await store.rescue(later) == 1
    assert await sent(store, later) == [head.id]


async def test_a_replay_goes_to_the_end_of_its_line(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    first, second, third = await accept_in_order(store, account, None, None, None)
    assert await deliver_next(store) == first.id
    await store.replay(first.id, NOW)
    assert [await deliver_next(store) for _ in range(3)] == [second.id, third.id, first.id]


async def test_a_head_that_is_replayed_while_it_waits_keeps_its_place(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    head, second = await accept_in_order(store, account, None, None)
    (claimed,) = await claim(store)
    await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW)
    await store.replay(head.id, NOW)
    assert [await deliver_next(store) for _ in range(2)] == [head.id, second.id]


async def test_a_head_that_expires_ends_the_wait(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    one = draft(account)
    expiring = replace(one, event=replace(one.event, expires_at=NOW + 5 * SECOND))
    await accept(store, expiring, draft(account))
    (claimed,) = await claim(store)
    await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW)
    later = NOW + 5 * SECOND
    (dead,) = await store.expire(later)
    assert (dead.id, dead.status, dead.last_error, dead.attempts) == (claimed.delivery_id, "dead", "expired", 1)
    assert len(await sent(store, later)) == 1


async def test_a_head_that_is_cancelled_ends_the_wait(store: Store) -> None:
    account = await add_account(store)
    await ordered_endpoint(store, account)
    head, second = await accept_in_order(store, account, None, None)
    (claimed,) = await claim(store)
    with pytest.raises(Conflict):
        await store.cancel(head.id, NOW)
    await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW)
    cancelled = await store.cancel(head.id, NOW)
    assert cancelled is not None
    assert (cancelled.status, cancelled.due_at, cancelled.finished_at) == ("cancelled", None, NOW)
    assert await sent(store) == [second.id]
    assert await store.cancel(await store.new_id(account.id), NOW) is None


async def test_a_rate_and_a_line_hold_together(store: Store) -> None:
    account = await add_account(store)
    endpoint = await ordered_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, EndpointChange(rate_per_second=1), NOW)
    first, second = await accept_in_order(store, account, None, None)
    assert await deliver_next(store) == first.id
    assert await sent(store) == []
    assert await sent(store, NOW + SECOND) == [second.id]


async def test_deleting_an_ordered_endpoint_cancels_all_that_waits(store: Store) -> None:
    account = await add_account(store)
    endpoint = await ordered_endpoint(store, account)
    await accept_in_order(store, account, None, None, None)
    await claim(store)
    await store.delete_endpoint(account.id, endpoint.id, NOW)
    query = DeliveryQuery(account_id=account.id, statuses=("cancelled",))
    assert len(await store.deliveries(query)) == 2
    assert await sent(store) == []


async def test_an_event_keeps_its_ordering_key_and_its_expiry(store: Store) -> None:
    account = await add_account(store)
    one = keyed(account, "contact-7")
    await accept(store, replace(one, event=replace(one.event, expires_at=NOW + HOUR)))
    kept = await store.event(one.event.id)
    assert kept is not None
    assert (kept.ordering_key, kept.expires_at) == ("contact-7", NOW + HOUR)
