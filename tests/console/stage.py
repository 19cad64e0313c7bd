"""A stage for tests in a real browser: headless Chromium, over loopback, with `hookwright dev` behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Playwright, expect

from hookwright.core.samples import SAMPLES
from hookwright.testing.receiver import Receiver

CHROMIUM = Path("/usr/bin/chromium")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PHONE, DESK = (390, 844), (1400, 900)

PATIENCE_MILLIS = 20_000

NEEDS_CHROMIUM = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="no browser: the package chromium of Debian puts one at /usr/bin/chromium"
)


async def started_browser(playwright: Playwright) -> Browser:
    """A browser that reaches this machine alone."""
    expect.set_options(timeout=PATIENCE_MILLIS)
    return await playwright.chromium.launch(
        executable_path=CHROMIUM,
        # No sandbox: tests may run as root in a container. No name resolves: nothing leaves this machine.
        args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
    )


class Stage(NamedTuple):
    """What all tests share: a running Hookwright, its platform's client, and a browser."""

    url: str
    platform: httpx.AsyncClient
    browser: Browser


class Site(NamedTuple):
    """An account of its own on the stage, and a receiver that it may send to."""

    stage: Stage
    account_id: int
    receiver: Receiver

    async def publish(self, type: str = "contact.tag_added") -> None:
        event = {"type": type, "account": self.account_id, "data": SAMPLES[type]}
        assert (await self.stage.platform.post("/api/v1/events", json=event)).status_code == 202

    async def add_endpoint(self) -> None:
        wanted = {"account": self.account_id, "url": f"{self.receiver.url}/hooks", "events": ["contact.*"]}
        answer = await self.stage.platform.post("/api/v1/endpoints", json=wanted)
        assert answer.status_code == 201, answer.text

    async def portal_link(self, **asked: str) -> str:
        answer = await self.stage.platform.post(f"/api/v1/accounts/{self.account_id}/portal-links", json=asked)
        assert answer.status_code == 201, answer.text
        url: str = answer.json()["url"]
        return url

    @asynccontextmanager
    async def page(
        self, path: str | None, size: tuple[int, int] = DESK, *, told_of_refusals: bool = True, **context: Any
    ) -> AsyncIterator[Page]:
        """A page in a window of its own that looks at this account. What the browser complains of fails the test.

        Unless it is `told_of_refusals`: that an answer is of 400 or more is no complaint then.
        """
        window = await self.stage.browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
        picked = {"name": "hookwright_account", "value": str(self.account_id), "url": f"{self.stage.url}/console"}
        await window.add_cookies([picked])  # type: ignore[list-item] # the three that are needed
        page = await window.new_page()
        page.set_default_timeout(PATIENCE_MILLIS)
        complaints: list[str] = []

        def heed(said: ConsoleMessage) -> None:
            is_refusal = said.text.startswith("Failed to load resource: the server responded with a status of 4")
            if said.type in ("error", "warning") and (told_of_refusals or not is_refusal):
                complaints.append(said.text)

        page.on("console", heed)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if path is not None:
            await page.goto(self.stage.url + path)
        yield page
        await window.close()
        assert complaints == []


async def path_of_endpoint(site: Site, what: str = "") -> str:
    """A page of the site's endpoint."""
    found = await site.stage.platform.get("/api/v1/endpoints", params={"account": site.account_id})
    return f"/console/endpoints/{found.json()['data'][0]['id']}{what}"


async def pages_of_the_console(site: Site, failed: str) -> dict[str, str]:
    """Every page, by the name of its screenshots."""
    return {
        "home": "/console",
        "home-7d": "/console?range=7d",
        "deliveries": "/console/deliveries",
        "nothing": "/console/deliveries?q=type:order.*",
        "delivery": failed,
        "replay": f"/console/replays/new?q=status:delivered+account:{site.account_id}",
        "endpoints": "/console/endpoints",
        "endpoints-in-trouble": "/console/endpoints?show=attention",
        "endpoint": await path_of_endpoint(site),
        "endpoint-edit": await path_of_endpoint(site, "/edit"),
        "endpoint-secrets": await path_of_endpoint(site, "/secrets"),
        "endpoint-delete": await path_of_endpoint(site, "/delete"),
        "endpoint-new": "/console/endpoints/new",
        "event-types": "/console/event-types",
        "event-type": "/console/event-types/purchase.created",
        "event-type-new": "/console/event-types/new",
        "accounts": "/console/accounts",
        "account": f"/console/accounts/{site.account_id}",
        "keys": "/console/keys",
        "apps": "/console/apps",
        "audit": "/console/audit",
    }


async def pages_of_the_portal(site: Site, failed: str) -> dict[str, str]:
    """Every page that a portal link opens."""
    console = await pages_of_the_console(site, failed)
    sections = ("accounts", "account", "keys", "apps", "audit", "event-type-new")
    return {
        f"portal-{name}": path.replace("/console", "/portal")
        for name, path in console.items()
        if name not in sections
    }
