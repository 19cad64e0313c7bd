"""Listing deliveries: filters, and pages without gaps or repeats."""

from typing import Any

import pytest
from msgspec.structs import replace

from hookwright.core.model import Account, DeliveryStatus
from hookwright.store.base import DeliveryQuery, Store
from store.given import (
    LANE_INDEX,
    NOW,
    accept,
    accept_one,
    add_account,
    add_endpoint,
    claim,
    deliveries_of,
    draft,
    first_delivery,
    notice,
    settled,
)


async def ids(store: Store, query: DeliveryQuery) -> list[int]:
    return [delivery.id for delivery in await store.deliveries(query)]


async def test_deliveries_are_listed_newest_first(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for after in (3, 1, 2):
        await accept_one(store, draft(account, now=NOW + after))

    assert [delivery.created_at for delivery in await deliveries_of(store, account)] == [NOW + 3, NOW + 2, NOW + 1]


async def test_deliveries_can_be_filtered_by_account_endpoint_and_event(store: Store) -> None:
    account, other = await add_account(store), await add_account(store, lane_index=LANE_INDEX + 1)
    one, two = await add_endpoint(store, account), await add_endpoint(store, account)
    await add_endpoint(store, other)
    first = await accept_one(store, draft(account))
    await accept_one(store, draft(account))
    await accept_one(store, draft(other))

    assert len(await store.deliveries(DeliveryQuery())) == 5
    assert len(await store.deliveries(DeliveryQuery(account_id=account.id))) == 4
    of_one = await store.deliveries(DeliveryQuery(endpoint_id=one.id))
    assert [delivery.endpoint_id for delivery in of_one] == [one.id] * 2
    of_event = await store.deliveries(DeliveryQuery(event_id=first.event_id))
    assert {delivery.endpoint_id for delivery in of_event} == {one.id, two.id}
    both = await store.deliveries(DeliveryQuery(account_id=account.id, endpoint_id=two.id, event_id=first.event_id))
    assert [delivery.endpoint_id for delivery in both] == [two.id]
    assert await store.deliveries(DeliveryQuery(account_id=other.id, endpoint_id=one.id)) == []


async def test_an_event_id_in_another_spelling_is_found_and_one_that_is_none_lists_nothing(store: Store) -> None:
    delivery = await first_delivery(store)

    assert await ids(store, DeliveryQuery(event_id=delivery.event_id.upper())) == [delivery.id]
    assert await ids(store, DeliveryQuery(event_id="no id at all")) == []


async def test_deliveries_can_be_filtered_by_type_status_and_time(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for after in range(5):
        await accept_one(store, draft(account, now=NOW + after))
    dead, delivered, *_ = claims = await claim(store, 3, NOW + 9)
    await store.settle([settled(dead, "dead"), settled(delivered)], NOW)

    async def created(query: DeliveryQuery) -> list[int]:
        return [delivery.created_at - NOW for delivery in await store.deliveries(query)]

    by_status: dict[DeliveryStatus, list[int]] = {
        "dead": [0],
        "delivered": [1],
        "in_flight": [2],
        "pending": [4, 3],
        "cancelled": [],
    }
    assert len(claims) == 3
    for status, expected in by_status.items():
        assert await created(DeliveryQuery(account_id=account.id, statuses=(status,))) == expected
        assert await created(DeliveryQuery(statuses=(status,))) == expected
    assert await created(DeliveryQuery(event_type="contact.tag_added")) == [4, 3, 2, 1, 0]
    assert await created(DeliveryQuery(event_type="purchase.created")) == []
    assert await created(DeliveryQuery(created_from=NOW + 1, created_to=NOW + 3)) == [2, 1]


@pytest.mark.parametrize("with_account", [True, False])
async def test_paging_leaves_no_gap_and_repeats_nothing_under_equal_times(store: Store, with_account: bool) -> None:
    account = await add_account(store)
    for _ in range(3):
        await add_endpoint(store, account)
    for after in (0, 0, 1, 1, 1, 2):
        await accept(store, draft(account, now=NOW + after), draft(account, now=NOW + after))

    for limit in (1, 4, 5, 36):
        pages = await every_page(store, account if with_account else None, limit)

        listed = [id for page in pages for id in page]
        assert len(listed) == len(set(listed)) == 36
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert listed == await ids(store, DeliveryQuery(limit=100))


async def test_deliveries_are_listed_ascending_from_a_place(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    for after in (0, 1, 1, 1, 2):
        await accept_one(store, draft(account, now=NOW + after))
    oldest_first = (await ids(store, DeliveryQuery(endpoint_id=endpoint.id)))[::-1]
    places = [(delivery.created_at, delivery.id) for delivery in await deliveries_of(store, account)][::-1]

    async def stretch(**bounds: Any) -> list[int]:
        found = await ids(store, DeliveryQuery(endpoint_id=endpoint.id, ascending=True, **bounds))
        return [oldest_first.index(id) for id in found]

    assert await stretch() == [0, 1, 2, 3, 4]
    assert await stretch(after=places[1], limit=2) == [2, 3]
    assert await stretch(after=places[0], before=places[3]) == [1, 2]
    assert await stretch(after=places[4]) == []
    newest_first = DeliveryQuery(endpoint_id=endpoint.id, after=places[1], limit=2)
    assert await ids(store, newest_first) == [oldest_first[4], oldest_first[3]]


async def test_the_payloads_of_many_deliveries_come_by_their_ids(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for number in range(3):
        await accept_one(store, draft(account, notice(render=f"{number}".encode), now=NOW + number))
    oldest_first = (await deliveries_of(store, account))[::-1]
    expired = replace(oldest_first[0], id=64, ordinal=2)

    assert await store.payloads_of([*oldest_first, expired]) == {
        delivery.id: f"{number}".encode() for number, delivery in enumerate(oldest_first)
    }
    assert await store.payloads_of(oldest_first[1:2]) == {oldest_first[1].id: b"1"}
    assert await store.payloads_of([]) == {}


async def every_page(store: Store, account: Account | None, limit: int) -> list[list[int]]:
    pages: list[list[int]] = []
    before = None
    while True:
        query = DeliveryQuery(account_id=account.id if account else None, before=before, limit=limit)
        found = await store.deliveries(query)
        if not found:
            return pages
        pages.append([delivery.id for delivery in found])
        before = (found[-1].created_at, found[-1].id)
