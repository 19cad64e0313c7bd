"""Listeners: what is held for them is handed out once, and only while somebody fetches."""

import asyncio

from hookwright.core.listening import HeldRequest, ListenersAnswer
from hookwright.core.model import SECOND, Endpoint
from hookwright.store.base import Store
from store.given import NOW, add_account, add_endpoint, query

LATER = NOW + 15 * SECOND


async def listener(store: Store) -> Endpoint:
    """An endpoint for which somebody fetches."""
    endpoint = await add_endpoint(store, await add_account(store))
    await store.heard_listener(endpoint.id, LATER)
    return endpoint


async def request_to(store: Store, endpoint: Endpoint, body: bytes = b"{}") -> HeldRequest:
    request = HeldRequest(
        id=await store.new_id(endpoint.id),
        endpoint_id=endpoint.id,
        headers={"webhook-id": "1"},
        body=body,
        expires_at=LATER,
    )
    assert await store.hold_request(request, NOW)
    return request


async def test_nothing_is_held_for_an_endpoint_that_nobody_fetches_for(store: Store) -> None:
    endpoint = await add_endpoint(store, await add_account(store))
    request = HeldRequest(id=1, endpoint_id=endpoint.id, headers={}, body=b"", expires_at=LATER)
    assert not await store.hold_request(request, NOW)
    await store.heard_listener(endpoint.id, NOW)
    assert not await store.hold_request(request, NOW)
    await store.heard_listener(endpoint.id, NOW + 1)
    assert await store.hold_request(request, NOW)


async def test_each_request_is_fetched_once_oldest_first_also_by_another_node(store: Store, second: Store) -> None:
    endpoint = await listener(store)
    requests = [await request_to(store, endpoint, body) for body in (b"\0\xff", b"2", b"3")]
    assert await second.has_requests(endpoint.id, NOW)
    assert await second.fetch_requests(endpoint.id, NOW, 2) == requests[:2]
    assert await store.fetch_requests(endpoint.id, NOW, 2) == requests[2:]
    assert not await store.has_requests(endpoint.id, NOW)
    assert await second.fetch_requests(endpoint.id, NOW, 2) == []


async def test_two_who_fetch_at_the_same_time_get_nothing_twice(store: Store, second: Store) -> None:
    endpoint = await listener(store)
    requests = [await request_to(store, endpoint) for _ in range(20)]
    fetched = await asyncio.gather(*(each.fetch_requests(endpoint.id, NOW, 5) for each in (store, second) * 2))
    fetched.append(await store.fetch_requests(endpoint.id, NOW, 20))  # what one skipped while the other had it
    assert sorted(each.id for some in fetched for each in some) == [each.id for each in requests]


async def test_an_answer_is_taken_once_and_only_to_what_was_fetched(store: Store, second: Store) -> None:
    endpoint = await listener(store)
    request = await request_to(store, endpoint)
    answer = ListenersAnswer(status_code=200, body=b"\0\xff", retry_after="5", detail="fine")
    assert not await store.answer_request(endpoint.id, request.id, answer)
    await store.fetch_requests(endpoint.id, NOW, 1)
    assert await store.answer_to_request(endpoint.id, request.id) is None
    assert await second.answer_request(endpoint.id, request.id, answer)
    assert not await second.answer_request(endpoint.id, request.id, ListenersAnswer(status_code=500))
    assert await store.answer_to_request(endpoint.id, request.id) == answer


async def test_what_nobody_waits_for_any_more_is_neither_fetched_nor_answered(store: Store) -> None:
    endpoint = await listener(store)
    request = await request_to(store, endpoint)
    assert not await store.has_requests(endpoint.id, LATER)
    assert await store.fetch_requests(endpoint.id, LATER, 1) == []
    await store.fetch_requests(endpoint.id, NOW, 1)
    await store.let_go_of_request(endpoint.id, request.id)
    assert not await store.answer_request(endpoint.id, request.id, ListenersAnswer(status_code=200))


async def test_what_a_killed_worker_left_goes_with_the_next_request(store: Store) -> None:
    endpoint = await listener(store)
    await request_to(store, endpoint)
    await store.heard_listener(endpoint.id, LATER + SECOND)
    request = HeldRequest(id=1, endpoint_id=endpoint.id, headers={}, body=b"", expires_at=LATER + SECOND)
    assert await store.hold_request(request, LATER)
    assert await query(store, *["SELECT count(*) FROM held_requests"] * 2) == [(1,)]


async def test_a_deleted_endpoint_is_nobodys_listener(store: Store) -> None:
    endpoint = await listener(store)
    await store.delete_endpoint(endpoint.account_id, endpoint.id, NOW)
    request = HeldRequest(id=1, endpoint_id=endpoint.id, headers={}, body=b"", expires_at=LATER)
    assert not await store.hold_request(request, NOW)
