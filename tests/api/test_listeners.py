"""Listeners: opened, fetched from, answered."""

import asyncio
from base64 import b64encode
from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from hookwright.ambient import MovableClock
from hookwright.core.listening import HeldRequest
from hookwright.core.model import SECOND, Account, Endpoint, Instant
from hookwright.operations import listeners
from hookwright.operations.endpoints import delete_endpoint
from hookwright.operations.keys import delete_key
from hookwright.operations.services import Services

OK = b64encode(b"ok").decode()


@pytest.fixture
async def manager(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    """A client of the account."""
    return await caller_with("manage", of=account)


async def opened(client: httpx.AsyncClient, *events: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/listeners", json={"events": list(events or ("*",)), **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def hold(
    services: Services, endpoint_id: int, body: bytes = b"{}", lasts_for: Instant = 15 * SECOND
) -> HeldRequest:
    """A request that a worker sends, once somebody fetches."""
    now = services.clock.now()
    request = HeldRequest(
        id=await services.store.new_id(endpoint_id),
        endpoint_id=endpoint_id,
        headers={"webhook-id": "m"},
        body=body,
        expires_at=now + lasts_for,
    )
    while True:
        if await services.store.hold_request(request, now):
            return request
        await asyncio.sleep(0)


async def test_a_listener_is_an_endpoint_whose_url_is_its_own(manager: httpx.AsyncClient) -> None:
    listener = await opened(manager, "contact.*", name="laptop")
    assert listener["url"] == f"listen://{listener['id']}"
    assert listener["signing_secret"].startswith("whsec_")
    shown = (await manager.get(f"/api/v1/endpoints/{listener['id']}")).json()
    assert (shown["name"], shown["status"], shown["max_in_flight"]) == ("laptop", "active", 10)


async def test_the_listener_of_a_name_is_opened_again_with_its_secret_and_other_events(
    manager: httpx.AsyncClient, services: Services, account: Account
) -> None:
    first = await opened(manager, "contact.*", name="laptop")
    await manager.patch(f"/api/v1/endpoints/{first['id']}", json={"status": "paused"})
    again = await opened(manager, "form.submitted", name="laptop")
    other = await opened(manager, name="desk")
    assert (again["id"], again["signing_secret"], again["status"]) == (first["id"], first["signing_secret"], "active")
    assert [each["event"] for each in again["subscriptions"]] == ["form.submitted"]
    assert other["id"] != first["id"]


async def test_nobody_else_can_give_an_endpoint_such_a_url(manager: httpx.AsyncClient) -> None:
    listener = await opened(manager)
    body = {"url": listener["url"], "events": ["*"]}
    assert (await manager.post("/api/v1/endpoints", json=body)).status_code == 422


async def test_what_is_sent_is_fetched_and_answered(manager: httpx.AsyncClient, services: Services) -> None:
    id = (await opened(manager))["id"]
    assert await fetched(manager, id) == []
    request = await hold(services, id, b"\0body")
    [given] = await fetched(manager, id)
    assert given["id"] == request.id
    assert given["headers"] == {"webhook-id": "m"}
    assert given["body"] == b64encode(b"\0body").decode()
    assert await fetched(manager, id) == []

    path = f"/api/v1/listeners/{id}/requests/{request.id}/answer"
    assert (await manager.post(path, json={"status_code": 201, "body": OK})).status_code == 204
    kept = await services.store.answer_to_request(id, request.id)
    assert kept is not None
    assert (kept.status_code, kept.body, kept.error) == (201, b"ok", None)
    assert (await manager.post(path, json={"status_code": 500})).status_code == 404


async def test_whoever_waits_gets_what_comes_meanwhile(manager: httpx.AsyncClient, services: Services) -> None:
    id = (await opened(manager))["id"]
    waiting = asyncio.create_task(fetched(manager, id, wait_seconds=20))
    request = await hold(services, id)  # it is held as soon as the waiting has begun
    assert [each["id"] for each in await waiting] == [request.id]


async def test_whoever_waits_at_a_listener_that_is_deleted_is_told_so(
    manager: httpx.AsyncClient, services: Services, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "HEARD_EVERY", 0)
    id = (await opened(manager))["id"]
    waiting = asyncio.create_task(manager.post(f"/api/v1/listeners/{id}/requests/fetch", json={"wait_seconds": 20}))
    await hold(services, id, lasts_for=-SECOND)  # it is held as soon as the waiting has begun, and never handed out
    await delete_endpoint(services, account.id, id, None)
    async with asyncio.timeout(10):
        assert (await waiting).status_code == 404


async def test_whoever_waits_with_a_key_that_is_deleted_meanwhile_is_given_nothing_more(
    manager: httpx.AsyncClient, services: Services
) -> None:
    id = (await opened(manager))["id"]
    waiting = asyncio.create_task(manager.post(f"/api/v1/listeners/{id}/requests/fetch", json={"wait_seconds": 20}))
    await hold(services, id, lasts_for=-SECOND)  # it is held as soon as the waiting has begun, and never handed out
    [key] = await services.store.keys()
    await delete_key(services, key.id)
    request = await hold(services, id)
    async with asyncio.timeout(10):
        assert (await waiting).status_code == 401
    assert await services.store.fetch_requests(id, services.clock.now(), 10) == [request]


async def test_an_answer_without_a_status_is_a_failure(manager: httpx.AsyncClient, services: Services) -> None:
    id = (await opened(manager))["id"]
    await fetched(manager, id)
    request = await hold(services, id)
    await fetched(manager, id)
    await manager.post(f"/api/v1/listeners/{id}/requests/{request.id}/answer", json={"detail": "no"})
    kept = await services.store.answer_to_request(id, request.id)
    assert kept is not None
    assert (kept.status_code, kept.error, kept.detail) == (None, "connect_failed", "no")


async def test_an_endpoint_that_is_dialled_is_no_listener(
    manager: httpx.AsyncClient, endpoint: Endpoint, services: Services
) -> None:
    assert (await manager.post(f"/api/v1/listeners/{endpoint.id}/requests/fetch")).status_code == 404
    path = f"/api/v1/listeners/{endpoint.id}/requests/1/answer"
    assert (await manager.post(path, json={"status_code": 200})).status_code == 404


async def test_listening_takes_a_key_that_may_manage_the_account(
    caller_with: CallerWith, account: Account, other_account: Account, clock: MovableClock
) -> None:
    listener = await opened(await caller_with("manage", of=account))
    path = f"/api/v1/listeners/{listener['id']}/requests/fetch"
    assert (await (await caller_with("read", of=account)).post(path)).status_code == 403
    assert (await (await caller_with("manage", of=other_account)).post(path)).status_code == 404


async def fetched(client: httpx.AsyncClient, id: int, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.post(f"/api/v1/listeners/{id}/requests/fetch", json=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])
