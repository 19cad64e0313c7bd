"""Endpoints of every dialect, seen and changed through our own API."""

from typing import Any

import httpx
import pytest

from api.conftest import TARGET, CallerWith
from api.failures import fail_once
from api.requests import get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.gates import BREAKER_FAILURES, BREAKER_FIRST_WAIT
from hookwright.core.model import SECOND, Account, Endpoint, Subscription
from hookwright.core.times import iso_micros
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.services import Services


@pytest.fixture
async def tenant(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    return await caller_with("manage", of=account)


async def test_an_endpoint_shows_what_it_subscribes_to(
    tenant: httpx.AsyncClient, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    now = iso_micros(clock.now())
    assert await get(tenant, f"/endpoints/{endpoint.id}") == {
        "id": endpoint.id,
        "account": account.id,
        "site": None,
        "dialect": "kit",
        "url": TARGET,
        "subscriptions": [{"event": "subscriber.tag_add", "resource": None}],
        "name": "",
        "description": "",
        "headers": {},
        "signature": "v1",
        "status": "active",
        "status_reason": None,
        "status_changed_at": now,
        "health": {
            "failing_since": None,
            "failures": 0,
            "progress_percent": 0,
            "breaker": "closed",
            "breaker_open_until": None,
        },
        "retry_schedule": None,
        "max_in_flight": None,
        "rate_per_second": None,
        "ordering": "none",
        "created_at": now,
        "updated_at": now,
    }


async def test_endpoints_are_listed_newest_first_in_pages(
    tenant: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint
) -> None:
    tagged = [Subscription("tag_added", "7")]
    kajabi = await create_endpoint(services, account.id, "kajabi", TARGET, tagged)
    first = await get(tenant, "/endpoints", limit=1)
    assert [each["id"] for each in first["data"]] == [kajabi.id]
    assert first["data"][0]["subscriptions"] == [{"event": "tag_added", "resource": "7"}]
    second = await get(tenant, "/endpoints", limit=1, cursor=first["next_cursor"])
    assert [each["id"] for each in second["data"]] == [endpoint.id]
    assert second["next_cursor"] is None
    assert [each["id"] for each in (await get(tenant, "/endpoints", dialect="kajabi"))["data"]] == [kajabi.id]


async def test_a_platforms_key_names_the_account(
    admin: httpx.AsyncClient, account: Account, other_account: Account, endpoint: Endpoint
) -> None:
    for path in ("/api/v1/endpoints", f"/api/v1/endpoints/{endpoint.id}"):
        assert pointers(await admin.get(path)) == ["/account"]
        assert (await admin.get(path, params={"account": account.id})).status_code == 200
        assert (await admin.get(path, params={"account": other_account.id + 64})).status_code == 404
    assert (await admin.get(path, params={"account": other_account.id})).status_code == 404


async def test_another_accounts_endpoint_is_a_404(
    caller_with: CallerWith, account: Account, other_account: Account, endpoint: Endpoint
) -> None:
    stranger = await caller_with("manage", of=other_account)
    path = f"/api/v1/endpoints/{endpoint.id}"
    for parameters in ({}, {"account": account.id}):
        assert (await stranger.get(path, params=parameters)).status_code == 404
        assert (await stranger.patch(path, params=parameters, json={"status": "paused"})).status_code == 404
        assert (await stranger.delete(path, params=parameters)).status_code == 404
    assert (await stranger.get("/api/v1/endpoints", params={"account": account.id})).status_code == 404


async def test_a_paused_endpoint_gets_what_waited_when_it_is_activated(
    tenant: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    services: Services,
    account: Account,
    endpoint: Endpoint,
    clock: MovableClock,
) -> None:
    path = f"/api/v1/endpoints/{endpoint.id}"
    paused = await tenant.patch(path, json={"status": "paused"})
    assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    await publish(admin, account)
    assert await services.store.claim(1, clock.now(), clock.now() + SECOND) == []
    assert (await tenant.patch(path, json={"status": "active"})).json()["status"] == "active"
    assert len(await services.store.claim(1, clock.now(), clock.now() + SECOND)) == 1


async def test_a_retry_schedule_is_set_and_taken_back(tenant: httpx.AsyncClient, endpoint: Endpoint) -> None:
    path = f"/api/v1/endpoints/{endpoint.id}"
    changed = await tenant.patch(path, json={"retry_schedule": [0, 60]})
    assert (changed.json()["retry_schedule"], changed.json()["status"]) == ([0, 60], "active")
    assert (await tenant.patch(path, json={})).json()["retry_schedule"] == [0, 60]
    assert (await tenant.patch(path, json={"retry_schedule": None})).json()["retry_schedule"] is None


async def test_limits_are_set_and_taken_back(tenant: httpx.AsyncClient, endpoint: Endpoint) -> None:
    path = f"/api/v1/endpoints/{endpoint.id}"
    limits = {"max_in_flight": 1000, "rate_per_second": 10_000}
    assert (await tenant.patch(path, json=limits)).json().items() >= limits.items()
    assert (await tenant.patch(path, json={"max_in_flight": None})).json()["max_in_flight"] is None
    assert (await get(tenant, f"/endpoints/{endpoint.id}"))["rate_per_second"] == 10_000


async def test_an_endpoint_shows_how_it_fares(
    tenant: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    services: Services,
    account: Account,
    endpoint: Endpoint,
    clock: MovableClock,
) -> None:
    since = iso_micros(clock.now())
    for _ in range(BREAKER_FAILURES):
        await publish(admin, account)
        await fail_once(services, clock)
    opened = {
        "failing_since": since,
        "failures": BREAKER_FAILURES,
        "progress_percent": 0,
        "breaker": "open",
        "breaker_open_until": iso_micros(clock.now() + BREAKER_FIRST_WAIT),
    }
    assert (await get(tenant, f"/endpoints/{endpoint.id}"))["health"] == opened
    clock.move(seconds=BREAKER_FIRST_WAIT / SECOND)
    half_open = {**opened, "breaker": "half_open", "breaker_open_until": None}
    assert (await get(tenant, f"/endpoints/{endpoint.id}"))["health"] == half_open
    clock.move(days=2.5)
    assert (await get(tenant, f"/endpoints/{endpoint.id}"))["health"]["progress_percent"] == 50


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"status": "disabled"}, "/status"),
        ({"status": None}, "/status"),
        ({"retry_schedule": []}, "/retry_schedule"),
        ({"retry_schedule": [-1]}, "/retry_schedule"),
        ({"retry_schedule": [2**70]}, "/retry_schedule"),
        ({"retry_schedule": ["soon"]}, "/retry_schedule/0"),
        ({"max_in_flight": 0}, "/max_in_flight"),
        ({"max_in_flight": 1001}, "/max_in_flight"),
        ({"max_in_flight": 2**70}, "/max_in_flight"),
        ({"max_in_flight": "many"}, "/max_in_flight"),
        ({"rate_per_second": 0}, "/rate_per_second"),
        ({"rate_per_second": 10_001}, "/rate_per_second"),
        ({"url": "https://example.com"}, "/url"),
        ({"events": ["contact.created"]}, "/events"),
        ({"headers": {}}, "/headers"),
        ({"name": "Mine"}, "/name"),
        ([], ""),
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(
    tenant: httpx.AsyncClient, endpoint: Endpoint, change: Any, pointer: str
) -> None:
    before = await get(tenant, f"/endpoints/{endpoint.id}")
    both = {"status": "paused", **change} if isinstance(change, dict) else change
    response = await tenant.patch(f"/api/v1/endpoints/{endpoint.id}", json=both)
    assert response.status_code == 422
    assert pointers(response) == [pointer]
    assert await get(tenant, f"/endpoints/{endpoint.id}") == before


async def test_a_deleted_endpoint_is_gone(tenant: httpx.AsyncClient, endpoint: Endpoint) -> None:
    path = f"/api/v1/endpoints/{endpoint.id}"
    deleted = await tenant.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await tenant.get(path)).status_code == 404
    assert (await tenant.delete(path)).status_code == 404
    assert (await get(tenant, "/endpoints"))["data"] == []
