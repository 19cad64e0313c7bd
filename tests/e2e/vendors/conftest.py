"""Fixtures: one `hookwright dev` for all of these tests, and for each test an account of its own and a receiver.

The tests are a customer. They know the vendors' documentation and Hookwright's HTTP interfaces, not its code.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from e2e.vendors import kit_client
from e2e.vendors.kajabi_client import Kajabi
from e2e.vendors.platform import Platform, client_at
from hookwright.testing.receiver import Receiver
from processes import hookwright

RETRY_SCHEDULE = "0,1"  # seconds before each attempt: an end-to-end test does not wait for the service's own


@dataclass(frozen=True)
class Running:
    """A Hookwright: what `hookwright dev --json` printed, and the folder where it keeps everything."""

    given: dict[str, Any]
    data: Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("dev")
    data = folder / "data"
    arguments = ("dev", "--json", "--port", "0", "--data", str(data))
    environ = {"HOOKWRIGHT_RETRY_SCHEDULE": RETRY_SCHEDULE}
    async with hookwright(*arguments, environ=environ, folder=folder) as process:
        yield Running(json.loads(await process.line()), data)


@pytest.fixture
async def outside(dev: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Anybody, without credentials."""
    async with client_at(dev.given["url"]) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def platform(dev: Running, outside: httpx.AsyncClient) -> Platform:
    """A platform with a new account, which has one site."""
    platform = Platform(outside, dev.given, 0, "")
    account = await platform.manage("POST", "/accounts", json={"name": "Ada's courses"})
    site = await platform.manage("POST", f"/accounts/{account['id']}/sites", json={"title": "Compilers"})
    return Platform(outside, dev.given, account["id"], str(site["id"]))


@pytest.fixture
async def kajabi(platform: Platform) -> Kajabi:
    """A client of Kajabi's API with the scope of an account owner, and a token."""
    return await Kajabi.of(platform, "owner")


@pytest.fixture
async def kit(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A client of Kit's API with an API key."""
    async with kit_client.client_of(platform) as client:
        yield client
