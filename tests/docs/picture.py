"""Takes docs/images/console.png: the console of a real `hookwright dev` with some deliveries, in headless Chromium.

`make picture` writes it, after a change that one sees.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import async_playwright

from hookwright.core.samples import SAMPLES
from hookwright.testing.process import running_dev
from hookwright.testing.receiver import Receiver

CHROMIUM = Path("/usr/bin/chromium")
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "console.png"
SIZE = (1440, 700)
PUBLISHED = (
    *("contact.created", "form.submitted", "contact.tag_added", "sequence.subscribed", "link.clicked"),
    *("purchase.created", "payment.succeeded", "order.created", "contact.tag_added", "broadcast.sent"),
)


async def take_picture() -> None:
    async with running_dev() as dev, Receiver() as good, Receiver() as moved:
        moved.answer(302, headers={"location": "https://new.example.com/hooks"})
        headers = {"Authorization": f"Bearer {dev['admin_key']}"}
        async with httpx.AsyncClient(base_url=dev["url"], headers=headers, trust_env=False) as client:
            await _subscribe(client, dev, good, moved)
            for type in PUBLISHED:
                event = {"type": type, "account": dev["account_id"], "data": SAMPLES[type]}
                (await client.post("/api/v1/events", json=event)).raise_for_status()
            await good.wait_for(len(PUBLISHED) + 2)
            await moved.wait_for(2)
        await _photograph(f"{dev['url']}/console/deliveries")


async def _subscribe(client: httpx.AsyncClient, dev: dict[str, Any], good: Receiver, moved: Receiver) -> None:
    """One endpoint of each of three kinds: for everything, for a tag by Kit's API, and one that has moved away."""
    everything = {"account": dev["account_id"], "url": f"{good.url}/events", "events": ["*"]}
    (await client.post("/api/v1/endpoints", json=everything)).raise_for_status()
    gone = {"account": dev["account_id"], "url": f"{moved.url}/hooks", "events": ["contact.tag_added"]}
    (await client.post("/api/v1/endpoints", json=gone)).raise_for_status()
    webhook = {"target_url": f"{good.url}/kit", "event": {"name": "subscriber.tag_add", "tag_id": 41}}
    key = {"X-Kit-Api-Key": dev["kit"]["api_key"]}
    (await client.post("/v4/webhooks", json=webhook, headers=key)).raise_for_status()


async def _photograph(url: str) -> None:
    """The list of deliveries with one that failed beside it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        page = await browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
        await page.goto(f"{url}?q=status:failed")
        path = await page.locator("#rows a").first.get_attribute("href")
        assert path is not None
        await page.goto(f"{url.removesuffix('/console/deliveries')}{path.partition('?')[0]}")
        PICTURE.parent.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURE)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(take_picture())
