"""Webhook endpoints that OAuth apps make: whose they are, and who may touch them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from hookwright.core.model import Account
from hookwright.operations.apps import NewApp, create_app, delete_app
from hookwright.operations.grants import GrantRequest, issue_tokens
from hookwright.operations.services import Services

from .clients import REDIRECT_URI, client_of
from .test_endpoints import PATH, PUBLISHED, created, listed, updated

FORBIDDEN = {
    "errors": ["You do not have sufficient permissions to access this resource. Please contact support."],
}


@pytest.fixture
async def app(services: Services) -> NewApp:
    return await create_app(services, "Zap", [REDIRECT_URI], confidential=True)


async def client_with_token(kit_app: FastAPI, services: Services, account: Account, app: NewApp) -> httpx.AsyncClient:
    request = GrantRequest("kit", account.id, ("public",), access_seconds=172_800, app_id=app.app.id)
    token = (await issue_tokens(services, request)).access
    return client_of(kit_app, {"Authorization": f"Bearer {token}"})


@pytest.fixture
async def zap(
    kit_app: FastAPI, services: Services, account: Account, app: NewApp
) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_with_token(kit_app, services, account, app) as client:
        yield client


@pytest.fixture
async def another(kit_app: FastAPI, services: Services, account: Account) -> AsyncIterator[httpx.AsyncClient]:
    app = await create_app(services, "Another", [REDIRECT_URI], confidential=True)
    async with await client_with_token(kit_app, services, account, app) as client:
        yield client


async def statuses(client: httpx.AsyncClient, id: int) -> list[int]:
    """What the operations that change an endpoint answer; the last of them would delete it."""
    return [
        (await client.patch(f"{PATH}/{id}", json={"name": "Changed"})).status_code,
        (await client.post(f"{PATH}/{id}/rotate_secret")).status_code,
        (await client.post(f"{PATH}/{id}/revoke_previous_secret")).status_code,
        (await client.delete(f"{PATH}/{id}")).status_code,
    ]


async def test_an_apps_endpoint_says_who_made_it(zap: httpx.AsyncClient, app: NewApp) -> None:
    endpoint = await created(zap)
    assert endpoint["source"] == "app"
    assert endpoint["created_by_app"] == {"id": app.app.id, "name": "Zap"}


async def test_an_app_manages_what_it_made(zap: httpx.AsyncClient) -> None:
    id = (await created(zap))["id"]
    assert (await listed(zap))[0] == [id]
    assert (await zap.get(f"{PATH}/{id}/deliveries")).status_code == 200
    assert await statuses(zap, id) == [200, 200, 200, 204]


async def test_an_app_sees_neither_another_apps_nor_the_accounts_endpoints(
    kit: httpx.AsyncClient, zap: httpx.AsyncClient, another: httpx.AsyncClient
) -> None:
    ids = [(await created(kit))["id"], (await created(another))["id"]]
    assert (await listed(zap, include_total_count="true"))[1]["total_count"] == 0
    for id in ids:
        answer = await zap.get(f"{PATH}/{id}")
        assert (answer.status_code, answer.json()) == (404, PUBLISHED["not_found_example"])
        assert (await zap.get(f"{PATH}/{id}/deliveries")).status_code == 404
        assert await statuses(zap, id) == [404] * 4


async def test_an_api_key_sees_an_apps_endpoint_but_may_not_touch_it(
    kit: httpx.AsyncClient, zap: httpx.AsyncClient
) -> None:
    id = (await created(zap))["id"]
    assert (await listed(kit))[0] == [id]
    assert (await kit.get(f"{PATH}/{id}")).json()["webhook_endpoint"]["source"] == "app"
    assert (await kit.get(f"{PATH}/{id}/deliveries")).status_code == 200
    assert await statuses(kit, id) == [403] * 4
    answer = await kit.patch(f"{PATH}/{id}", json={"events": []})
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


async def test_a_deleted_app_guards_nothing(
    kit: httpx.AsyncClient, zap: httpx.AsyncClient, services: Services, app: NewApp
) -> None:
    id = (await created(zap))["id"]
    await delete_app(services, app.app.id)
    endpoint = await updated(kit, id, name="Left behind")
    assert (endpoint["source"], endpoint["created_by_app"]) == ("app", None)
    assert (await kit.delete(f"{PATH}/{id}")).status_code == 204
