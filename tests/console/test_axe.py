"""Every page, and what may open or go wrong on it, as axe-core judges it: WCAG 2.2 A and AA, and its best practices.

Rules: https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from console.stage import (
    DESK,
    NEEDS_CHROMIUM,
    PHONE,
    THEMES,
    Site,
    pages_of_the_console,
    pages_of_the_portal,
    path_of_endpoint,
)

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
LOOKS = (Path(__file__).parent / "looks.js").read_text()
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RUN = """async (only) => {
  const told = await axe.run(document, { runOnly: only, resultTypes: ["violations", "incomplete"] });
  const why = (node) => [...node.any, ...node.all, ...node.none].map((each) => each.message);
  return [...told.violations, ...told.incomplete].flatMap((rule) => rule.nodes.map((node) => (
    { rule: rule.id, where: node.html.slice(0, 160), why: why(node) }
  )));
}"""
OPEN_ALL = "document.querySelectorAll('main details').forEach((each) => { each.open = true })"

# Both widths and both themes; what the other theme changes, its colours, looks.js measures.
WINDOWS = (("light", DESK), ("dark", PHONE))

# Axe leaves to people what is beside a drawn line, or over another thing. looks.js measures every text.
LEFT_TO_LOOKS = ("color-contrast", "background color could not be determined")

pytestmark = [NEEDS_CHROMIUM, pytest.mark.asyncio(loop_scope="module")]


async def found_on(page: Page) -> list[str]:
    """What is wrong with a page when all of it is opened."""
    await page.evaluate(OPEN_ALL)
    await page.evaluate(AXE)
    found = [json.dumps(each) for each in await page.evaluate(RUN, TAGS) if not is_left_to_looks(each)]
    is_dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for other in THEMES if is_dark else THEMES[::-1]:
        found += await page.evaluate(LOOKS)
        await page.emulate_media(color_scheme=other)
    return found


def is_left_to_looks(found: Mapping[str, Any]) -> bool:
    rule, reason = LEFT_TO_LOOKS
    return found["rule"] == rule and all(reason in why for why in found["why"])


async def test_axe_finds_nothing_on_the_pages_of_the_console(site: Site, failed: str) -> None:
    pages = await pages_of_the_console(site, failed)
    odd = {"nowhere": "/console/nowhere", "search-not-understood": "/console/deliveries?q=colour:red"}
    for theme, size in WINDOWS:
        async with site.page(None, size, color_scheme=theme) as page:
            for name, path in pages.items():
                await page.goto(site.stage.url + path)
                assert await found_on(page) == [], (name, size)
        async with site.page(None, size, color_scheme=theme, told_of_refusals=False) as page:
            for name, path in odd.items():
                await page.goto(site.stage.url + path)
                assert await found_on(page) == [], (name, size)


async def test_axe_finds_nothing_on_the_pages_of_the_portal(site: Site, failed: str) -> None:
    url = await site.portal_link(name="Ada & Co", accent="#ffd400", permissions="manage")
    pages = await pages_of_the_portal(site, failed)
    for theme, size in WINDOWS:
        async with site.page(None, size, color_scheme=theme) as page:
            await page.goto(url)
            for name, path in pages.items():
                await page.goto(site.stage.url + path)
                assert await found_on(page) == [], (name, size)
        async with site.page(None, size, color_scheme=theme, told_of_refusals=False) as page:
            await page.goto(f"{site.stage.url}/portal")
            await expect(page.get_by_role("heading", name="This link has ended")).to_be_visible()
            assert await found_on(page) == [], ("ended", size)


async def test_axe_finds_nothing_where_an_account_has_nothing(site: Site) -> None:
    account = (await site.stage.platform.post("/api/v1/accounts", json={"name": "Blaise's courses"})).json()
    empty = Site(site.stage, account["id"], site.receiver)
    for theme, size in WINDOWS:
        async with empty.page(None, size, color_scheme=theme) as page:
            for path in ("", "/deliveries", "/endpoints", "/keys", f"/accounts/{account['id']}"):
                await page.goto(f"{site.stage.url}/console{path}")
                assert await found_on(page) == [], (path, size)


async def keyboard_list(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def refused_endpoint(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/endpoints/new")
    await page.get_by_label("URL").fill("nowhere")
    await page.get_by_label("Events", exact=True).fill("nothing.here")
    await page.get_by_label("Requests at once").fill("many")
    await page.get_by_role("button", name="Make the endpoint").click()


async def refused_type(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/event-types/new")
    await page.get_by_label("Name").fill("invoice")
    await page.get_by_label("JSON Schema").fill("{")
    await page.get_by_role("button", name="Declare it").click()


async def refused_key(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/keys")
    await page.get_by_text("New key").click()
    await page.get_by_label("Name", exact=True).fill("Zapier")
    await page.get_by_role("button", name="Create").click()


async def refused_deletion(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/accounts/{site.account_id}")
    await page.get_by_text("Delete account…").click()
    await page.get_by_label("Type its name").fill("another")
    await page.get_by_role("button", name="Delete the account").click()


async def new_secret(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/accounts/{site.account_id}")
    await page.get_by_text("Show…").click()
    await page.get_by_role("button", name="Show them").click()
    await expect(page.locator(".shown-once")).to_be_visible()


async def shown_secrets(page: Page, site: Site) -> None:
    await page.goto(site.stage.url + await path_of_endpoint(site, "/secrets"))
    await page.get_by_role("button", name="Show the secrets").click()
    await expect(page.locator("#secret-1")).to_be_visible()


async def new_link(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/accounts/{site.account_id}")
    await page.get_by_role("button", name="Make a link").click()
    await expect(page.locator(".shown-once")).to_be_visible()


async def ended_replay(page: Page, site: Site) -> None:
    await page.goto(f"{site.stage.url}/console/replays/new?q=status:delivered+account:{site.account_id}")
    await page.locator("main").get_by_role("button", name="Replay").click()
    await expect(page.get_by_text("done")).to_be_visible()


STATES: tuple[Callable[[Page, Site], Awaitable[None]], ...] = (
    keyboard_list,
    refused_endpoint,
    refused_type,
    refused_key,
    refused_deletion,
    new_secret,
    shown_secrets,
    new_link,
    ended_replay,
)


async def test_axe_finds_nothing_in_forms_that_were_refused_and_in_what_opens(site: Site, failed: str) -> None:
    site.receiver.answer(200)
    for theme, size in WINDOWS:
        async with site.page(None, size, color_scheme=theme, told_of_refusals=False) as page:
            for bring_about in STATES:
                await bring_about(page, site)
                assert await found_on(page) == [], (bring_about.__name__, size)
