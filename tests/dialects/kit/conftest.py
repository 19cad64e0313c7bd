"""Kit's API on a real store, and clients of it: with an API key, and without any credential."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from hookwright.core.model import Account
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kit import KIT
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

from .clients import client_of


@pytest.fixture
def kit_app(services: Services) -> FastAPI:
    return KIT.build_app(services, DialectSettings())


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
