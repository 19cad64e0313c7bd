"""Fixtures: the Kajabi app on a real store, and callers with tokens of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI

from hookwright.core.model import Account, Site
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi.app import furnish, new_app
from hookwright.operations.accounts import create_site
from hookwright.operations.keys import NewKey, client_id_of, create_key
from hookwright.operations.services import Services

BASE_URL = "https://api.kajabi.test"

CallerWith = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """One app for all tests: FastAPI works out routes at the first request, which takes longer than most tests."""
    return new_app()


@pytest.fixture
def app(routes: FastAPI, services: Services) -> FastAPI:
    """Kajabi's API on this test's services, with a new count of requests."""
    furnish(routes, services, DialectSettings())
    return routes


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        yield client


@pytest.fixture
async def site(services: Services, account: Account) -> Site:
    return await create_site(services, account.id, "Ada's site", "ada")


@pytest.fixture
async def owner_key(services: Services, account: Account) -> NewKey:
    return await create_key(services, "kajabi", account.id, "Owner", ["owner"])


@pytest.fixture
async def caller_with(services: Services, account: Account, app: FastAPI) -> AsyncIterator[CallerWith]:
    """Makes clients: each has a token from a new key with the given scopes, of the account or of another."""
    async with AsyncExitStack() as stack:

        async def caller(*scopes: str, of: Account = account) -> httpx.AsyncClient:
            new = await create_key(services, "kajabi", of.id, "Test", scopes)
            transport = httpx.ASGITransport(app=app)
            client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=BASE_URL))
            tokens = (await client.post("/v1/oauth/token", data=credentials(new))).json()
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            return client

        yield caller


@pytest.fixture
async def owner(caller_with: CallerWith) -> httpx.AsyncClient:
    return await caller_with("owner")


def credentials(new: NewKey) -> dict[str, str]:
    """The form of a client-credentials grant."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id_of(new.key),
        "client_secret": new.secret,
    }


def hook(
    event: object = "tag_added",
    target_url: object = "https://example.com/webhook",
    site_id: int | None = None,
    **attributes: object,
) -> dict[str, object]:
    """The document of a request for a hook; without a site it has no relationships."""
    data: dict[str, object] = {
        "type": "hooks",
        "attributes": {"target_url": target_url, "event": event, **attributes},
    }
    if site_id is not None:
        data["relationships"] = {"site": {"data": {"id": str(site_id), "type": "sites"}}}
    return {"data": data}
