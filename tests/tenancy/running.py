"""One Hookwright without a socket: its whole ASGI app on a database, with a clock that tests move."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from hookwright.ambient import Dice, MovableClock
from hookwright.app import Hookwright
from hookwright.config import Settings
from hookwright.operations.apps import NewApp, create_app
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services
from hookwright.store.base import Store

BASE_URL = "https://hookwright.test"
REDIRECT_URI = "https://app.example.com/callback"
MASTER_KEY = b64encode(bytes(32)).decode()


@dataclass
class Running:
    """The app and what is needed to make accounts in it. `client` has no credential of its own."""

    hookwright: Hookwright
    clock: MovableClock
    client: httpx.AsyncClient
    platform_key: str
    kit_apps: list[NewApp]

    @property
    def services(self) -> Services:
        return self.hookwright.services

    @property
    def store(self) -> Store:
        return self.services.store

    async def manage(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """What the platform's own key is answered by our own API."""
        headers = {"Authorization": f"Bearer {self.platform_key}"}
        return content_of(await self.client.request(method, f"/api/v1{path}", json=body, headers=headers))


@asynccontextmanager
async def running_on(database_url: str, **settings: Any) -> AsyncIterator[Running]:
    """A Hookwright that answers but does not send, for the time of the block."""
    clock = MovableClock()
    chosen: dict[str, Any] = {"role": "api", "allow_private_targets": True, "rate_limits": False, **settings}
    opened = Settings(database_url=database_url, master_key=MASTER_KEY, **chosen)
    hookwright = await Hookwright.open(opened, clock, Dice(seed=1))
    transport = httpx.ASGITransport(app=hookwright.app, raise_app_exceptions=False)
    try:
        services = hookwright.services
        platform = await create_key(services, "hookwright", None, "Platform", ["admin"])
        apps = [await create_app(services, name, [REDIRECT_URI], confidential=True) for name in ("Zap", "Make")]
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            yield Running(hookwright, clock, client, platform.secret, apps)
    finally:
        await hookwright.drain()
        await hookwright.close()


def content_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    content: dict[str, Any] = answer.json() if answer.content else {}
    return content
