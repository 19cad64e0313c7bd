"""Fixtures: the API on a real store, callers with keys of their own, an endpoint for added tags."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI

from hookwright.api.app import furnish, new_api
from hookwright.core.model import Account, Endpoint, Subscription
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

BASE_URL = "https://hookwright.test"
TARGET = "https://receiver.example.com/tags"

CallerWith = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """One app for all tests: FastAPI works out routes at the first request, which takes longer than most tests."""
    return new_api()


@pytest.fixture
def app(routes: FastAPI, services: Services) -> FastAPI:
    """The API on this test's services, without what is beside `/api/v1`."""
    furnish(routes, services)
    return routes


@pytest.fixture
async def anyone(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        yield client


@pytest.fixture
async def caller_with(services: Services, app: FastAPI) -> AsyncIterator[CallerWith]:
    """Makes clients: each has a new key with the given scopes, of one account or of the platform."""
    async with AsyncExitStack() as stack:

        async def caller(*scopes: str, of: Account | None = None) -> httpx.AsyncClient:
            new = await create_key(services, "hookwright", of.id if of else None, "Test", scopes)
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app),
                base_url=BASE_URL,
                headers={"Authorization": f"Bearer {new.secret}"},
            )
            return await stack.enter_async_context(client)

        yield caller


@pytest.fixture
async def admin(caller_with: CallerWith) -> httpx.AsyncClient:
    """The platform's own client."""
    return await caller_with("admin")


@pytest.fixture
async def other_account(services: Services) -> Account:
    return (await create_account(services, "Blaise's courses")).account


@pytest.fixture
async def endpoint(services: Services, account: Account) -> Endpoint:
    """A Kit webhook for every tag that is added."""
    return await create_endpoint(services, account.id, "kit", TARGET, [Subscription("subscriber.tag_add")])
