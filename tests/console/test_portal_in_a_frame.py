"""The portal inside the page of another site, in a real browser: sites with names of their own, all behind TLS.

The windows are private ones, in which Chromium keeps no cookie of a third party unless it is partitioned.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Frame, Page, async_playwright, expect

from console.stage import CHROMIUM, NEEDS_CHROMIUM, PATIENCE_MILLIS
from console.tls import answering, behind_tls, passing_on_to
from hookwright.core.samples import SAMPLES
from hookwright.testing.process import running_dev
from hookwright.testing.receiver import Receiver

PLATFORM, STRANGER, HOOKS = "app.platform.example", "app.stranger.example", "hooks.service.example"
ALL_TO_LOOPBACK = ", ".join(f"MAP {name} 127.0.0.1" for name in (PLATFORM, STRANGER, HOOKS))
EMBEDDING = """<!doctype html><html lang="en"><title>The platform's own page</title>
<iframe name="portal" src="{link}" width="1200" height="800" title="Webhooks"></iframe>
<form action="{action}" method="post" target="portal"><button>Forged</button></form></html>"""

TYPE = "contact.tag_added"

pytestmark = [NEEDS_CHROMIUM, pytest.mark.asyncio(loop_scope="module")]


class Sites(NamedTuple):
    """A portal with one delivery, and where its platform, and somebody else, show it."""

    browser: Browser
    portal: str
    platform: str
    stranger: str
    receiver: Receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sites() -> AsyncIterator[Sites]:
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        page: list[str] = []
        embedding = await enter(behind_tls(answering(lambda: page[0])))
        dev = await enter(
            running_dev(os.environ | {"HOOKWRIGHT_PORTAL_FRAME_ANCESTORS": f"https://{PLATFORM}:{embedding}"})
        )
        portal = f"https://{HOOKS}:{await enter(behind_tls(passing_on_to(urlsplit(dev['url']).port or 0)))}"
        receiver = await enter(Receiver())
        headers = {"Authorization": f"Bearer {dev['admin_key']}"}
        platform = await enter(httpx.AsyncClient(base_url=dev["url"], headers=headers, timeout=20))
        link, delivery = await _delivery(platform, dev["account_id"], receiver)
        page.append(EMBEDDING.format(link=portal + link, action=f"{portal}/portal/deliveries/{delivery}/replay"))
        playwright = await enter(async_playwright())
        expect.set_options(timeout=PATIENCE_MILLIS)
        names = f"--host-resolver-rules={ALL_TO_LOOPBACK}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", names])
        yield Sites(browser, portal, f"https://{PLATFORM}:{embedding}", f"https://{STRANGER}:{embedding}", receiver)
        await browser.close()


async def _delivery(platform: httpx.AsyncClient, account: int, receiver: Receiver) -> tuple[str, int]:
    """The path of a link to the account's portal, and a delivery that has arrived."""

    async def post(path: str, **content: object) -> dict[str, str]:
        answer = await platform.post(path, json=content)
        assert answer.status_code < 300, answer.text
        told: dict[str, str] = answer.json()
        return told

    await post("/api/v1/endpoints", account=account, url=f"{receiver.url}/hooks", events=[TYPE])
    await post("/api/v1/events", type=TYPE, account=account, data=SAMPLES[TYPE])
    await receiver.wait_for(1, PATIENCE_MILLIS / 1000)
    url = (await post(f"/api/v1/accounts/{account}/portal-links", permissions="manage", name="Ada & Co"))["url"]
    found = (await platform.get("/api/v1/deliveries", params={"account": account})).json()["data"]
    return url[url.index("/portal") :], found[0]["id"]


@pytest_asyncio.fixture(loop_scope="module")
async def page(sites: Sites) -> AsyncIterator[Page]:
    """A page in a window of its own. Its certificates are of our own authority."""
    window = await sites.browser.new_context(viewport={"width": 1280, "height": 900}, ignore_https_errors=True)
    page = await window.new_page()
    page.set_default_timeout(PATIENCE_MILLIS)
    yield page
    await window.close()


async def portal_in(page: Page, url: str) -> Frame:
    """The frame in a page that embeds the portal."""
    await page.goto(url)
    frame = page.frame("portal")
    assert frame is not None
    return frame


async def test_a_session_lives_in_a_frame_of_the_platforms_page(sites: Sites, page: Page) -> None:
    frame = await portal_in(page, sites.platform)
    await expect(frame.locator(".brand")).to_have_text("Ada & Co")
    assert frame.url == f"{sites.portal}/portal"
    await frame.get_by_role("link", name="Deliveries", exact=True).click()
    await expect(frame.locator(".live.on")).to_be_visible()
    await frame.locator("#rows a").first.click()
    await expect(frame.locator("#pane h2")).to_have_text(TYPE)


async def test_forms_of_the_frame_are_taken_and_forged_ones_are_not(sites: Sites, page: Page) -> None:
    frame = await portal_in(page, sites.platform)
    await expect(frame.locator(".brand")).to_have_text("Ada & Co")
    requests = len(sites.receiver.requests)
    await page.get_by_role("button", name="Forged").click()
    await expect(frame.get_by_role("heading", name="Not allowed")).to_be_visible()
    frame = await portal_in(page, sites.platform)
    await frame.get_by_role("link", name="Deliveries", exact=True).click()
    await frame.locator("#rows a").first.click()
    await frame.get_by_role("button", name="Replay", exact=True).click()
    await expect(frame.locator("[data-told]")).to_have_text("replayed")
    await sites.receiver.wait_for(requests + 1, PATIENCE_MILLIS / 1000)
    assert len(sites.receiver.requests) == requests + 1


async def test_a_theme_that_is_chosen_in_a_frame_stays(sites: Sites, page: Page) -> None:
    frame = await portal_in(page, sites.platform)
    await frame.get_by_role("button", name="Theme").click()
    await expect(frame.locator("html")).to_have_attribute("data-theme", "light")
    await frame.get_by_role("link", name="Endpoints", exact=True).click()
    await expect(frame.locator("html")).to_have_attribute("data-theme", "light")


async def test_a_site_that_the_operator_did_not_name_shows_nothing_of_it(sites: Sites, page: Page) -> None:
    async with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        await page.goto(sites.stranger)
    # What the browser puts in its place has not always a name.
    assert [await frame.locator(".brand").count() for frame in page.frames] == [0, 0]


async def test_the_session_of_one_embedding_site_is_unknown_to_another(sites: Sites, page: Page) -> None:
    frame = await portal_in(page, sites.platform)
    await expect(frame.locator(".brand")).to_have_text("Ada & Co")
    answer = await page.goto(f"{sites.portal}/portal")
    assert answer is not None
    assert answer.status == 401
