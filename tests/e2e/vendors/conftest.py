"""Fixtures: one `hookwright dev` for all of these tests, and for each test an account of its own and a receiver.

The tests are a customer. They know the vendors' documentation and Hookwright's HTTP interfaces, not its code.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from hookwright.testing.receiver import Received, Receiver
from processes import hookwright

PATIENCE_SECONDS = 10
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


def client_at(url: str, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """An HTTP client. Without TLS there are no certificates to check, and loading them would take the longest."""
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, verify=False)


@dataclass(frozen=True)
class Platform:
    """Who publishes for an account and looks after its keys."""

    http: httpx.AsyncClient
    given: dict[str, Any]
    account_id: int
    site_id: str

    async def publish(self, event_type: str, data: dict[str, Any]) -> int:
        """Publish an event; how many endpoints it goes to."""
        body = {"type": event_type, "account": self.account_id, "data": data}
        headers = {"Authorization": f"Bearer {self.given['publish_key']}"}
        answer = await self.http.post("/api/v1/events", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["deliveries"])

    async def manage(self, method: str, path: str, **request: Any) -> Any:
        """Do something that takes the administrator's key; the answer's JSON."""
        headers = {"Authorization": f"Bearer {self.given['admin_key']}"}
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **request)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def new_key(self, kind: str, *scopes: str) -> dict[str, Any]:
        """A key of the account, as it is shown once."""
        key = {"kind": kind, "account": self.account_id, "name": "Integration", "scopes": list(scopes)}
        return dict(await self.manage("POST", "/keys", json=key))

    async def finished_deliveries(self, count: int) -> list[dict[str, Any]]:
        """The account's deliveries with their attempts, newest first, once all of this many are finished."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = (await self.manage("GET", f"/deliveries?account={self.account_id}&limit=100"))["data"]
                if len(found) == count and all(delivery["finished_at"] for delivery in found):
                    return [await self.manage("GET", f"/deliveries/{delivery['id']}") for delivery in found]

    async def verify(self, request: Received) -> None:
        """Raise when a request's signature is not that of the account."""
        secrets = await self.manage("GET", f"/accounts/{self.account_id}/signing-secrets")
        Webhook(secrets["signing_secrets"][0]).verify(request.body, request.headers)
