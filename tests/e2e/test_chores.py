"""What a real server does unasked, beside accepting and sending: it expires, tells, advances replays and prunes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.conftest import Environ
from e2e.test_process import url_of
from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.operations.accounts import create_account
from hookwright.operations.keys import create_key
from hookwright.testing.receiver import Receiver
from processes import Running, hookwright

PATIENCE_SECONDS = 30

# Long enough for a slow machine to accept the event before.
EXPIRES_IN = timedelta(seconds=2)

# Nine milliseconds: over before a second server has started.
NO_RETENTION_DAYS = "0.0000001"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Owner:
    """An account's administrator, who calls the server that runs."""

    account_id: int
    http: httpx.AsyncClient

    async def ask(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/api/v1{path}", json={"account": self.account_id, **body})
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def endpoint(self, url: str, event: str, **more: Any) -> int:
        return int((await self.ask("/endpoints", url=url, events=[event], **more))["id"])

    async def pause(self, endpoint_id: int) -> None:
        answer = await self.http.patch(f"/api/v1/endpoints/{endpoint_id}", json={"status": "paused"})
        assert answer.is_success, answer.text

    async def publish(self, **more: Any) -> str:
        """Publish an event for one endpoint; its id."""
        data = {"contact": {"id": 1, "email": "ada@example.com"}}
        accepted = await self.ask("/events", type="contact.created", data=data, **more)
        assert accepted["deliveries"] == 1
        return str(accepted["event_id"])

    async def event_status(self, event_id: str) -> int:
        """What the server answers to the question for an event."""
        return (await self.http.get(f"/api/v1/events/{event_id}")).status_code


@dataclass(frozen=True)
class Credentials:
    """The account and the key that its owner calls with, whichever server runs."""

    account_id: int
    key: str


@pytest.fixture
async def credentials(environ: Environ) -> Credentials:
    async with open_services(load_settings(environ)) as services:
        account = (await create_account(services, "Ada")).account
        key = await create_key(services, "hookwright", account.id, "Owner", ["admin"])
        return Credentials(account.id, key.secret)


@asynccontextmanager
async def serving(credentials: Credentials, environ: Environ, folder: Path) -> AsyncIterator[tuple[Running, Owner]]:
    """A server that has to end well, and the owner of an account who calls it."""
    headers = {"Authorization": f"Bearer {credentials.key}"}
    async with hookwright("serve", environ=environ, folder=folder) as server:
        url = await url_of(server)
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
            yield server, Owner(credentials.account_id, http)
        assert await server.stop() == 0


async def test_what_expires_at_a_paused_endpoint_is_told_to_whoever_wants_to_know(
    credentials: Credentials, environ: Environ, tmp_path: Path
) -> None:
    async with Receiver() as receiver, serving(credentials, environ, tmp_path) as (_, owner):
        await owner.endpoint(receiver.url + "/told", "delivery.dead")
        paused = await owner.endpoint(receiver.url + "/paused", "contact.created")
        await owner.pause(paused)
        event_id = await owner.publish(expires_at=(datetime.now(UTC) + EXPIRES_IN).isoformat())
        [told] = await receiver.wait_for(1, PATIENCE_SECONDS)
        assert told.path == "/told"
        delivery = told.json()["data"]["delivery"]
        assert (delivery["event_id"], delivery["last_error"]) == (event_id, "expired")


async def test_a_replay_that_was_asked_for_sends_the_dead_again(
    credentials: Credentials, environ: Environ, tmp_path: Path
) -> None:
    async with Receiver() as receiver, serving(credentials, environ, tmp_path) as (server, owner):
        receiver.fail_next(1)
        await owner.endpoint(receiver.url, "contact.created", retry_schedule=[0])
        await owner.publish()
        assert (await server.logged("attempt"))["status"] == "dead"
        assert (await owner.ask("/replays"))["total"] == 1
        died, replayed = await receiver.wait_for(2, PATIENCE_SECONDS)
        assert (replayed.headers["webhook-id"], replayed.body) == (died.headers["webhook-id"], died.body)
        assert (await server.logged("attempt"))["status"] == "delivered"


async def test_what_was_kept_long_enough_is_gone_soon_after_a_server_starts(
    credentials: Credentials, environ: Environ, tmp_path: Path
) -> None:
    async with Receiver() as receiver:
        async with serving(credentials, environ, tmp_path) as (server, owner):
            await owner.endpoint(receiver.url, "contact.created")
            event_id = await owner.publish()
            assert (await server.logged("attempt"))["status"] == "delivered"
            assert await owner.event_status(event_id) == 200
        forgetful = {**environ, "HOOKWRIGHT_RETENTION_DAYS": NO_RETENTION_DAYS}
        async with serving(credentials, forgetful, tmp_path) as (_, owner), asyncio.timeout(PATIENCE_SECONDS):
            while (status := await owner.event_status(event_id)) == 200:
                pass
            assert status == 404
