"""The search for deliveries: filters, pages without gaps or repeats, and a bound on what is looked at."""

import pytest
from msgspec.structs import replace

from hookwright.core.model import SECOND, Account, Delivery
from hookwright.store.base import DeliverySearch, SearchedStatus, Store
from store.given import (
    LANE_INDEX,
    NOW,
    accept_one,
    add_account,
    add_delivery,
    add_endpoint,
    again,
    claim_one,
    deliver,
    draft,
    notice,
    settled,
)


async def ids(store: Store, search: DeliverySearch) -> list[int]:
    return [delivery.id for delivery in (await store.search_deliveries(search)).deliveries]


async def pages(store: Store, search: DeliverySearch) -> list[int]:
    """Every id that page after page shows."""
    found: list[int] = []
    for _ in range(100):
        page = await store.search_deliveries(search)
        found += [delivery.id for delivery in page.deliveries]
        if len(page.deliveries) == search.limit:
            last = page.deliveries[-1]
            search = replace(search, before=(last.created_at, last.id))
        elif page.back_to is not None:
            search = replace(search, before=(page.back_to, 0))
        else:
            return found
    raise AssertionError("the pages have no end")


async def history(store: Store, accounts: int = 3, each: int = 8) -> list[Delivery]:
    """Deliveries of several accounts, one a second in turn, newest first."""
    endpoints = []
    for number in range(accounts):
        account = await add_account(store, lane_index=LANE_INDEX + number)
        endpoints.append(await add_endpoint(store, account))
    made = [
        await add_delivery(store, endpoints[number % accounts], NOW + number * SECOND)
        for number in range(accounts * each)
    ]
    return made[::-1]


async def fail(store: Store, delivery: Delivery) -> None:
    """Its first attempt fails; a retry follows."""
    claimed = await claim_one(store, delivery.created_at)
    assert claimed.delivery_id == delivery.id
    await store.settle([settled(claimed, "pending", due_at=NOW + 10**12)], NOW)


async def test_the_newest_of_all_accounts_come_first(store: Store) -> None:
    made = await history(store)
    assert await ids(store, DeliverySearch(limit=5)) == [delivery.id for delivery in made[:5]]


@pytest.mark.parametrize("most_examined", [1, 70, 500, 20_000])
async def test_pages_of_all_accounts_have_neither_gaps_nor_repeats(store: Store, most_examined: int) -> None:
    made = await history(store)
    assert await pages(store, DeliverySearch(limit=5, most_examined=most_examined)) == [each.id for each in made]


@pytest.mark.parametrize("most_examined", [2, 20_000])
async def test_pages_of_an_account_and_of_an_endpoint_have_neither_gaps_nor_repeats(
    store: Store, most_examined: int
) -> None:
    made = await history(store)
    own = [each for each in made if each.account_id == made[0].account_id]
    search = DeliverySearch(limit=3, most_examined=most_examined)
    assert await pages(store, replace(search, account_id=own[0].account_id)) == [each.id for each in own]
    assert await pages(store, replace(search, endpoint_id=own[0].endpoint_id)) == [each.id for each in own]


@pytest.mark.parametrize("statuses", [(), ("waiting",)])
async def test_an_event_with_many_deliveries_makes_a_page_look_at_fewer_events(
    store: Store, statuses: tuple[SearchedStatus, ...]
) -> None:
    account = await add_account(store)
    for _ in range(4):
        await add_endpoint(store, account)
    for number in range(3):
        await accept_one(store, draft(account, notice(ordinal=1), now=NOW + number * SECOND))
    search = DeliverySearch(statuses=statuses, limit=50, most_examined=5)
    first = await store.search_deliveries(search)
    assert 4 <= len(first.deliveries) < 12
    assert first.back_to is not None
    found = await pages(store, search)
    assert len(found) == len(set(found)) == 12


async def test_deliveries_of_one_moment_are_all_shown(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for number in range(7):
        await accept_one(store, draft(account, notice(ordinal=number + 1)))
    for search in (DeliverySearch(limit=2), DeliverySearch(limit=2, most_examined=3, account_id=account.id)):
        found = await pages(store, search)
        assert len(found) == len(set(found)) == 7


async def test_what_failed_is_found_behind_any_number_of_others(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    failed = await add_delivery(store, endpoint)
    await fail(store, failed)
    for number in range(1, 6):
        await deliver(store, await add_delivery(store, endpoint, NOW + number), NOW + number)
    search = DeliverySearch(statuses=("failed",), limit=3, most_examined=64)
    for narrowed in (search, replace(search, account_id=account.id), replace(search, endpoint_id=endpoint.id)):
        assert await ids(store, narrowed) == [failed.id]


async def test_a_search_says_how_far_it_came(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    made = [await add_delivery(store, endpoint, NOW + number) for number in range(6)]
    search = DeliverySearch(account_id=account.id, event_type="order.created", limit=2, most_examined=3)
    first = await store.search_deliveries(search)
    assert first.deliveries == []
    assert first.back_to == made[3].created_at
    everything = await store.search_deliveries(replace(search, most_examined=100))
    assert everything == ([], None)


async def test_statuses_are_what_people_call_them(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    delivered = await add_delivery(store, endpoint)
    await deliver(store, delivered)
    retrying = await add_delivery(store, endpoint, NOW + 1)
    await fail(store, retrying)
    sending = await add_delivery(store, endpoint, NOW + 2)
    await claim_one(store, NOW + 2)
    cancelled = await add_delivery(store, endpoint, NOW + 3)
    await store.cancel(cancelled.id, NOW + 3)
    waiting = await add_delivery(store, endpoint, NOW + 4)

    async def found(*statuses: SearchedStatus) -> list[int]:
        return await ids(store, DeliverySearch(account_id=account.id, statuses=statuses))

    assert await found("delivered") == [delivered.id]
    assert await found("retrying") == await found("failed") == [retrying.id]
    assert await found("dead") == []
    assert await found("sending") == [sending.id]
    assert await found("cancelled") == [cancelled.id]
    assert await found("waiting") == [waiting.id]
    assert await found("waiting", "delivered") == [waiting.id, delivered.id]
    await store.replay(retrying.id, NOW + 5)
    assert await found("waiting") == [waiting.id, retrying.id]


async def test_a_type_or_a_family_of_types_and_a_stretch_of_time_narrow_the_search(store: Store) -> None:
    made = await history(store, accounts=1, each=4)
    every = [each.id for each in made]
    for event_type, found in (
        ("contact.tag_added", every),
        ("contact.*", every),
        ("contact.tag", []),
        ("contac.*", []),
        ("order.*", []),
    ):
        assert await ids(store, DeliverySearch(event_type=event_type)) == found, event_type
    between = DeliverySearch(created_from=NOW + SECOND, created_to=NOW + 3 * SECOND)
    assert await ids(store, between) == every[1:3]


async def event_with(store: Store, account: Account, *, key: str | None = None, data: bytes = b"{}") -> str:
    return (await accept_one(store, draft(account, key=key, data=data))).event_id


async def test_text_is_looked_for_in_the_data_and_the_keys_of_events(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    by_data = await event_with(store, account, data=b'{"order":"A-17 50%"}')
    by_key = await event_with(store, account, key="order_123")

    async def found(text: str) -> list[str]:
        matches = await store.search_deliveries(DeliverySearch(account_id=account.id, text=text))
        return [delivery.event_id for delivery in matches.deliveries]

    assert await found("a-17") == [by_data]
    assert await found("50%") == [by_data]
    assert await found("5_%") == []
    assert await found("order_123") == [by_key]
    assert await found("order_12") == []
    assert await store.event_ids_of_key([account.id], "order_123") == [by_key]
    assert await store.event_ids_of_key([account.id], "order_12") == []


async def test_only_letters_of_ascii_may_be_large_or_small_in_a_text(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    event_id = await event_with(store, account, data='{"name":"Éva Ördög"}'.encode())

    async def found(text: str, account_id: int | None = None) -> list[str]:
        matches = await store.search_deliveries(DeliverySearch(text=text, account_id=account_id))
        return [delivery.event_id for delivery in matches.deliveries]

    for text, finds in (("éva", []), ("Éva", [event_id]), ("ÉVA", [event_id]), ("Ördög", [event_id]), ("ÖRDÖG", [])):
        assert await found(text) == await found(text, account.id) == finds, text


async def test_each_delivery_of_an_event_that_says_a_text_is_found_if_it_passes_the_filters(store: Store) -> None:
    account = await add_account(store)
    first, second = await add_endpoint(store, account), await add_endpoint(store, account)
    event_id = await event_with(store, account, data=b'{"order":"A-17"}')
    await event_with(store, account, data=b'{"order":"B-18"}')
    search = DeliverySearch(account_id=account.id, text="a-17")
    found = (await store.search_deliveries(search)).deliveries
    assert {(each.event_id, each.endpoint_id) for each in found} == {(event_id, first.id), (event_id, second.id)}
    of_second = await store.search_deliveries(replace(search, endpoint_id=second.id, event_type="contact.*"))
    assert [each.endpoint_id for each in of_second.deliveries] == [second.id]
    assert await ids(store, replace(search, statuses=("failed",))) == []


async def test_what_was_put_aside_for_a_paused_endpoint_shows_no_due_time(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    delivery = await add_delivery(store, endpoint)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    (found,) = (await store.search_deliveries(DeliverySearch())).deliveries
    assert found == await again(store, delivery)
    assert found.due_at is None
