"""Kit's API on a real store, and clients of it: with an API key, and without any credential."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from hookwright.core.model import Account
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kit.app import new_app
from hookwright.dialects.kit.surface import furnish
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

from .clients import client_of


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """One app for all tests: FastAPI works out routes at the first request, which takes longer than most tests."""
    return new_app()


@pytest.fixture
def kit_app(routes: FastAPI, services: Services) -> FastAPI:
    """Kit's API on this test's services, with new counts of requests."""
    furnish(routes, services, DialectSettings())
    return routes


@pytest.fixture
async def api_key(services: Services, account: Account) -> str:
    return (await create_key(services, "kit", account.id, "integration", [])).secret


@pytest.fixture
async def kit(kit_app: FastAPI, api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(kit_app, {"X-Kit-Api-Key": api_key}) as client:
        yield client


@pytest.fixture
async def anyone(kit_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(kit_app) as client:
        yield client
