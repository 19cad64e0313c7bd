"""Fixtures: the settings of a production server on each database, and what it serves."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.core.model import Subscription
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.keys import create_key
from hookwright.testing.postgres import fresh_database

Environ = Mapping[str, str]
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.fixture
async def environ(database: str | None, tmp_path: Path) -> AsyncIterator[Environ]:
    """What `hookwright serve` needs, on each database in turn."""
    settings = {"HOOKWRIGHT_ALLOW_PRIVATE_TARGETS": "true", "HOOKWRIGHT_PORT": "0"}
    if database is None:
        yield {**settings, "HOOKWRIGHT_DATABASE_URL": f"sqlite:{tmp_path / 'hookwright.sqlite3'}"}
        return
    async with fresh_database(database) as url:
        master_key = b64encode(bytes(32)).decode()
        yield {**settings, "HOOKWRIGHT_DATABASE_URL": url, "HOOKWRIGHT_MASTER_KEY": master_key}


@dataclass(frozen=True)
class Publisher:
    """A platform with one account, a key to publish with, and the path of each endpoint by its id."""

    account_id: int
    key: str
    paths: Mapping[int, str]

    async def publish(self, url: str, count: int) -> list[str]:
        """Publish so many activations; the ids of the events, which are on disk."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
            return [await self._publish_one(client, number) for number in range(1, count + 1)]

    async def _publish_one(self, client: httpx.AsyncClient, number: int) -> str:
        data = {"contact": {"id": number, "email": f"contact-{number}@example.com"}}
        body = {"type": "contact.activated", "account": self.account_id, "data": data}
        answer = await client.post("/api/v1/events", json=body)
        assert (answer.status_code, answer.json()["deliveries"]) == (202, len(self.paths)), answer.text
        return str(answer.json()["event_id"])


async def publisher_for(environ: Environ, *targets: str) -> Publisher:
    """A new account whose endpoints, one at each target, wait for activations."""
    async with open_services(load_settings(environ)) as services:
        account = (await create_account(services, "Ada")).account
        key = await create_key(services, "hookwright", None, "Platform", ["publish"])
        wanted = Subscription("subscriber.subscriber_activate")
        paths = {}
        for target in targets:
            endpoint = await create_endpoint(services, account.id, "kit", target, [wanted])
            paths[endpoint.id] = urlsplit(target).path
        return Publisher(account.id, key.secret, paths)


class HeldRequests:
    """A handler for `Receiver.behave` that answers only when it is told to."""

    def __init__(self) -> None:
        self.message_ids: list[str] = []
        self.arrived = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:-1])
        await reader.readexactly(int(headers["content-length"]))
        self.message_ids.append(headers["webhook-id"])
        self.arrived.set()
        await self.released.wait()
        writer.write(ANSWER)
        writer.close()
        await writer.wait_closed()
