"""The console in a real browser: headless Chromium, over loopback, with `hookwright dev` behind it.

Screenshots of every page, in both themes and at phone width, are left in `artefacts/console`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Response, expect

from console.stage import (
    DESK,
    NEEDS_CHROMIUM,
    PATIENCE_MILLIS,
    PHONE,
    THEMES,
    Site,
    Stage,
    pages_of_the_console,
    path_of_endpoint,
)
from hookwright.testing.receiver import Receiver

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "console"
LOOKS = (Path(__file__).parent / "looks.js").read_text()
FOCUS = (Path(__file__).parent / "focus.js").read_text()
MOST_STOPS = 150  # of the Tab key on one page
MOST_BYTES = 150_000

pytestmark = [NEEDS_CHROMIUM, pytest.mark.asyncio(loop_scope="module")]


async def test_every_page_can_be_read_in_both_themes_and_on_a_phone(site: Site, failed: str) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    pages = await pages_of_the_console(site, failed)
    for theme in THEMES:
        for name, size in (("desk", DESK), ("phone", PHONE)):
            async with site.page(None, size, color_scheme=theme, reduced_motion="reduce") as page:
                for page_name, path in pages.items():
                    await page.goto(site.stage.url + path)
                    await page.screenshot(path=ARTEFACTS / f"{page_name}-{theme}-{name}.png", full_page=True)
                    assert await page.evaluate(LOOKS) == [], (page_name, theme, name)


async def test_an_account_that_has_nothing_yet_is_told_what_to_do(stage: Stage) -> None:
    account = (await stage.platform.post("/api/v1/accounts", json={"name": "Blaise's courses"})).json()
    pages = {
        "": "There are no endpoints yet.",
        "/endpoints": "No endpoints yet.",
        "/keys": "This account has no keys yet.",
    }
    async with Receiver() as receiver:
        site = Site(stage, account["id"], receiver)
        for theme, size in zip(THEMES, (DESK, PHONE), strict=True):
            async with site.page(None, size, color_scheme=theme) as page:
                for path, words in pages.items():
                    await page.goto(f"{stage.url}/console{path}")
                    await expect(page.locator(".empty strong")).to_have_text(words)
                    await page.screenshot(
                        path=ARTEFACTS / f"empty{path.replace('/', '-')}-{theme}.png", full_page=True
                    )
                    assert await page.evaluate(LOOKS) == [], path


async def test_the_portal_can_be_read_in_both_themes_and_on_a_phone(site: Site, failed: str) -> None:
    url = await site.portal_link(name="Ada & Co", accent="#ffd400", permissions="manage")
    pages = {"portal-home": "/portal", "portal-delivery": failed.replace("/console", "/portal")}
    for theme in THEMES:
        for name, size in (("desk", DESK), ("phone", PHONE)):
            async with site.page(None, size, color_scheme=theme, reduced_motion="reduce") as page:
                await page.goto(url)
                await expect(page.locator(".brand")).to_have_text("Ada & Co")
                for page_name, path in pages.items():
                    await page.goto(site.stage.url + path)
                    await page.screenshot(path=ARTEFACTS / f"{page_name}-{theme}-{name}.png", full_page=True)
                    assert await page.evaluate(LOOKS) == [], (page_name, theme, name)


async def test_the_portal_is_live_and_replays_by_its_keys(site: Site, failed: str) -> None:
    url = await site.portal_link(permissions="manage")
    site.receiver.answer(200)
    async with site.page(None) as page:
        await page.goto(url)
        await page.get_by_role("link", name="Deliveries", exact=True).click()
        await expect(page.locator(".live.on")).to_be_visible()
        await expect(page.locator("#rows tr")).to_have_count(4)
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator("#pane .cause")).to_be_visible()
        await page.keyboard.press("r")
        await expect(page.locator("[data-told]")).to_have_text("replayed")
        assert "/portal/deliveries/" in page.url
        await site.publish("contact.created")
        await expect(page.locator("#rows tr")).to_have_count(5)
        assert await page.locator('#rows a[href^="/console"]').count() == 0


async def test_what_asks_again_and_secrets_that_are_shown_once_need_no_script(site: Site) -> None:
    path = f"/console/accounts/{site.account_id}"
    async with site.page(path, java_script_enabled=False, color_scheme="dark") as page:
        await page.get_by_text("Rotate…").click()
        await page.get_by_role("button", name="Rotate", exact=True).click()
        await expect(page.locator(".shown-once pre")).to_contain_text("whsec_")
        await page.screenshot(path=ARTEFACTS / "account-secret-dark-desk.png", full_page=True)
        await page.get_by_text("Delete account…").click()
        await page.get_by_role("button", name="Make a link").click()
        await expect(page.locator(".shown-once pre")).to_contain_text("/portal/enter?token=")
        await page.goto(f"{site.stage.url}/console/keys?account={site.account_id}")
        await page.get_by_text("New key").click()
        await page.get_by_label("Name", exact=True).fill("Zapier")
        await page.get_by_label("Kind").select_option("kit")
        await page.get_by_role("button", name="Create").click()
        await expect(page.locator(".shown-once pre")).to_contain_text("kit_")
        await page.get_by_text("Delete…").click()
        await page.screenshot(path=ARTEFACTS / "key-dark-desk.png", full_page=True)
        await page.goto(f"{site.stage.url}/console/audit")
        await expect(page.locator("tbody tr").first).to_contain_text("created a key")


async def test_whoever_goes_by_the_tab_key_sees_where_they_are(site: Site, failed: str) -> None:
    endpoint, account = await path_of_endpoint(site), f"/console/accounts/{site.account_id}"
    for path in (
        "/console",
        failed,
        "/console/endpoints",
        endpoint,
        "/console/event-types",
        account,
        "/console/keys",
    ):
        for size in (DESK, PHONE):
            async with site.page(path, size) as page:
                problems, stops = [], 0
                await page.keyboard.press("Tab")
                while (problem := await page.evaluate(FOCUS)) is not None and stops < MOST_STOPS:
                    stops += 1
                    problems += [problem] if problem else []
                    await page.keyboard.press("Tab")
                assert stops > 10
                assert problems == [], (path, size)


async def test_a_page_weighs_no_more_than_it_may(site: Site, failed: str) -> None:
    endpoint, account = await path_of_endpoint(site), f"/console/accounts/{site.account_id}"
    types = ("/console/event-types", "/console/event-types/purchase.created")
    administration = (account, "/console/keys", "/console/audit")
    for path in ("/console", "/console/deliveries", failed, "/console/endpoints", endpoint, *types, *administration):
        assert await _weight(site, path) <= MOST_BYTES, path


async def test_new_deliveries_appear_and_change_while_one_looks(site: Site) -> None:
    async with site.page("/console/deliveries") as page:
        await expect(page.locator(".live.on")).to_be_visible()
        await expect(page.locator(".empty")).to_be_visible()
        # The first look of the stream is what the page shows; the second sees what is new.
        await site.publish()
        await expect(page.locator("#rows tr")).to_have_count(1)
        await expect(page.locator("#rows .status.delivered")).to_have_count(1)


async def test_keys_move_open_replay_and_close(site: Site, failed: str) -> None:
    async with site.page("/console/deliveries") as page:
        await expect(page.locator("#rows tr")).to_have_count(4)
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator("#pane h2")).to_have_text("contact.tag_added")
        await expect(page.locator("#pane .cause")).to_contain_text("redirects to https://new.example.com/hooks")
        await page.keyboard.press("j")
        await expect(page.locator("#pane h2")).to_have_text("contact.unsubscribed")
        await page.keyboard.press("k")
        await expect(page.locator("#pane h2")).to_have_text("contact.tag_added")
        site.receiver.answer(200)
        await page.keyboard.press("r")
        await expect(page.locator("[data-told]")).to_have_text("replayed")
        await site.receiver.wait_for(5)
        await expect(page.locator("#pane .status").first).to_have_text("delivered")
        await page.keyboard.press("Escape")
        await expect(page.locator("#pane")).to_have_count(0)
        assert re.search(r"/console/deliveries$", page.url)
        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await page.keyboard.type("status:failed")
        await page.keyboard.press("Enter")
        await expect(page.locator(".empty")).to_be_visible()


async def test_a_next_try_counts_down(site: Site, failed: str) -> None:
    async with site.page(failed) as page:
        countdown = page.locator("#pane time[data-until]")
        before = await countdown.text_content()
        assert before is not None
        await expect(countdown).not_to_have_text(before)


async def test_the_selected_are_replayed_together(site: Site, failed: str) -> None:
    site.receiver.answer(200)
    async with site.page("/console/deliveries?q=status:delivered") as page:
        await expect(page.locator("[data-needs-selection]")).to_be_disabled()
        await page.locator("#rows input").nth(0).check()
        await page.locator("#rows input").nth(2).check()
        await page.get_by_role("button", name="Replay selected (2)").click()
        await expect(page.locator("[data-told]")).to_have_text("2 replayed")
    await site.receiver.wait_for(6)


async def test_without_a_script_everything_can_be_read_and_replayed(site: Site, failed: str) -> None:
    async with site.page("/console", java_script_enabled=False) as page:
        await page.get_by_role("link", name="Deliveries", exact=True).click()
        await page.locator("#search").fill("status:failed")
        await page.locator("#search").press("Enter")
        await page.locator("#rows a").click()
        await expect(page.locator("#pane .cause")).to_contain_text("redirects to")
        headers = page.get_by_role("table", name="Headers of the answer to attempt 1")
        await expect(headers).to_be_hidden()
        await page.get_by_text("Headers of the answer (2)").click()
        await expect(headers.get_by_role("row", name="location https://new.example.com/hooks")).to_be_visible()
        site.receiver.answer(200)
        await page.get_by_role("button", name="Try now").click()
        await expect(page.locator("#pane")).to_be_visible()
        await page.get_by_role("button", name="Theme").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "light")


async def test_home_changes_when_something_fails(site: Site) -> None:
    async with site.page("/console") as page:
        await expect(page.get_by_text("Every endpoint is well.")).to_be_visible()
        site.receiver.answer(500)
        await site.publish()
        await expect(page.get_by_role("link", name="See what failed")).to_be_visible()
        await expect(page.get_by_text("The receiver's code failed (500).")).to_be_visible()


async def test_an_endpoint_is_made_sent_a_sample_and_deleted_without_a_script(site: Site) -> None:
    async with site.page("/console/endpoints", java_script_enabled=False) as page:
        await page.get_by_role("link", name="New endpoint").click()
        await page.get_by_label("URL").fill(f"{site.receiver.url}/made")
        await page.get_by_label("Events", exact=True).fill("order.created")
        await page.get_by_role("button", name="Make the endpoint").click()
        await expect(page.get_by_role("status")).to_contain_text("made")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator("#pane h2")).to_have_text("order.created")
        await site.receiver.wait_for(1, PATIENCE_MILLIS / 1000)
        await page.get_by_role("link", name="Endpoints").click()
        await page.locator(".which a").first.click()
        await page.get_by_role("link", name="Secrets").click()
        await page.get_by_role("button", name="Show the secrets").click()
        await expect(page.locator("#secret-1")).to_contain_text("whsec_")
        await page.locator(".title a").click()
        await page.get_by_role("link", name="Delete").click()
        await page.get_by_role("button", name="Delete it").click()
        await expect(page.get_by_role("status")).to_contain_text("was deleted")


async def test_keys_move_through_the_endpoints_and_open_one(site: Site) -> None:
    async with site.page("/console/endpoints") as page:
        await page.keyboard.press("j")
        await expect(page.locator("#rows tr.here a")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Recent deliveries")).to_be_visible()


async def _weight(site: Site, path: str) -> int:
    """How many bytes come for a page and all that it loads, nothing of it known to the browser."""
    answers: list[Response] = []
    async with site.page(None) as page:
        page.on("response", lambda answer: answers.append(answer))
        await page.goto(site.stage.url + path)
        await page.wait_for_load_state("load")
        sizes = [(await each.request.sizes())["responseBodySize"] for each in answers if "/live" not in each.url]
    assert len(sizes) >= 3
    return sum(sizes)
