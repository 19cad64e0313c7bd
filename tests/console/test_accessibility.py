"""What no rule sees (WCAG 2.2 A, AA): focus, keys, what is read out, what changes by itself, zoom, colours, time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from console.stage import NEEDS_CHROMIUM, PATIENCE_MILLIS, Site, Stage, pages_of_the_console, path_of_endpoint
from console.test_browser import ARTEFACTS, FOCUS, MOST_STOPS
from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.operations.keys import create_key
from processes import hookwright

REFLOW = (Path(__file__).parent / "reflow.js").read_text()

# A window of 1280 by 1024 at 400 %, for which WCAG 1.4.10 asks.
AT_400_PERCENT = (320, 256)
ROOM = (1280, 1024)

# https://www.w3.org/TR/WCAG22/#text-spacing
WIDE_TEXT = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""

MOVING = """() => [...document.querySelectorAll("*")].map((each) => getComputedStyle(each))
  .filter((style) => style.transitionDuration !== "0s" || style.animationName !== "none").length"""

pytestmark = [NEEDS_CHROMIUM, pytest.mark.asyncio(loop_scope="module")]


async def test_a_pane_is_entered_by_enter_and_escape_leads_back_to_its_row(site: Site, failed: str) -> None:
    for size in (ROOM, AT_400_PERCENT):
        async with site.page("/console/deliveries", size) as page:
            row = page.locator("#rows a").nth(1)
            await row.focus()
            await page.keyboard.press("Enter")
            await expect(page.locator("#pane")).to_be_focused()
            await expect(page.locator("#pane-title")).to_be_in_viewport()
            await page.keyboard.press("Escape")
            await expect(row).to_be_focused()


async def test_nothing_of_a_pane_is_covered_by_its_head_where_there_is_little_room(site: Site, failed: str) -> None:
    async with site.page(failed, AT_400_PERCENT) as page:
        head = await page.locator("#pane > header").bounding_box()
        cause = await page.locator("#pane .cause").first.bounding_box()
        assert head is not None
        assert cause is not None
        assert head["y"] + head["height"] <= cause["y"]


async def test_a_pane_that_keys_change_is_read_out(site: Site, failed: str) -> None:
    async with site.page("/console/deliveries") as page:
        await page.locator("#rows a").first.click()
        await expect(page.locator("#pane")).to_be_focused()
        await page.keyboard.press("j")
        await expect(page.locator("#said")).to_have_text("contact.unsubscribed, delivered")
        await expect(page.locator("#rows tr.here a")).to_be_focused()


async def test_the_focus_stays_at_what_is_loaded_anew(site: Site, failed: str) -> None:
    site.receiver.answer(200)
    async with site.page(f"/console/replays/new?q=status:delivered+account:{site.account_id}") as page:
        await page.get_by_label("At most").fill("1")
        await page.locator("main").get_by_role("button", name="Replay").click()
        cancel = page.get_by_role("button", name="Cancel the rest")
        await cancel.focus()
        before = await page.locator("#replay .big").text_content()
        assert before is not None
        await expect(page.locator("#replay .big")).not_to_have_text(before)
        await expect(cancel.or_(page.get_by_role("heading", name="Replay")).first).to_be_visible()
        assert await page.evaluate("document.querySelector('#replay').contains(document.activeElement)")


async def test_what_was_done_or_refused_is_where_one_stands_afterwards(site: Site, failed: str) -> None:
    site.receiver.answer(200)
    async with site.page(failed) as page:
        await page.get_by_role("button", name="Try now").click()
        await expect(page.locator("[data-told]")).to_be_focused()
    async with site.page("/console/endpoints/new", told_of_refusals=False) as page:
        await page.get_by_label("URL").fill("nowhere")
        await page.get_by_label("Events", exact=True).fill("nothing.here")
        await page.get_by_role("button", name="Make the endpoint").click()
        await expect(page.get_by_role("alert")).to_be_focused()
        wrong = page.get_by_label("Events", exact=True)
        await expect(wrong).to_have_attribute("aria-invalid", "true")
        await expect(wrong).to_have_accessible_description(re.compile("unknown event"))
        await expect(page.get_by_label("URL")).to_have_value("nowhere")


async def test_single_keys_are_for_nobody_who_types_or_has_switched_them_off(site: Site, failed: str) -> None:
    async with site.page("/console/deliveries") as page:
        search, keys = page.locator("#search"), page.get_by_role("dialog")
        await page.keyboard.press("/")
        await page.keyboard.type("jkrx?")
        await expect(search).to_have_value("jkrx?")
        await expect(keys).to_be_hidden()
        await search.blur()
        await page.keyboard.press("?")
        await keys.get_by_label("Single keys do something").uncheck()
        await keys.get_by_role("button", name="Close").click()
        await page.reload()
        for key in ("j", "/", "?"):
            await page.keyboard.press(key)
        await expect(page.locator("tr.here")).to_have_count(0)
        await expect(search).not_to_be_focused()
        await page.get_by_role("button", name="Keyboard shortcuts").press("Enter")
        await keys.get_by_label("Single keys do something").check()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()
        await page.keyboard.press("j")
        await expect(page.locator("tr.here")).to_have_count(1)


async def test_whoever_goes_back_by_the_tab_key_finds_nothing_hidden(site: Site, failed: str) -> None:
    for path in (failed, await path_of_endpoint(site, "/edit")):
        async with site.page(path, AT_400_PERCENT) as page:
            problems, stops = [], 0
            await page.keyboard.press("Shift+Tab")
            while (problem := await page.evaluate(FOCUS)) is not None and stops < MOST_STOPS:
                stops += 1
                problems += [problem] if problem else []
                await page.keyboard.press("Shift+Tab")
            assert stops > 10
            assert problems == [], path
            assert await page.locator('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').count() == 0


async def test_what_changes_by_itself_waits_while_it_is_stopped(site: Site) -> None:
    async with site.page("/console/deliveries") as page:
        await expect(page.locator(".live")).to_have_text("live")
        stop = page.get_by_role("button", name="Stop what changes by itself")
        await stop.click()
        await expect(page.locator(".live")).to_have_text("stopped")
        await site.publish()
        await site.receiver.wait_for(1, PATIENCE_MILLIS / 1000)
        await expect(page.locator("#rows tr")).to_have_count(0)
        await stop.click()
        await expect(page.locator("#rows tr")).to_have_count(1)
        await stop.click()
        await page.goto(f"{site.stage.url}/console/endpoints")
        await expect(stop).to_have_attribute("aria-pressed", "true")


async def test_new_deliveries_are_read_out_now_and_then_in_one_sentence(site: Site) -> None:
    async with site.page(None) as page:
        await page.clock.install()
        await page.goto(f"{site.stage.url}/console/deliveries")
        await expect(page.locator(".live")).to_have_text("live")
        await site.publish()
        await expect(page.locator("#said")).to_have_text("1 new delivery")
        for number in (2, 3):
            await site.publish()
            await expect(page.locator("#rows tr")).to_have_count(number)
        await expect(page.locator("#said")).not_to_contain_text("deliveries")
        await page.clock.fast_forward(15_000)
        await expect(page.locator("#said")).to_have_text("2 new deliveries")


async def test_pages_fit_a_window_at_400_percent_also_with_wide_text(site: Site, failed: str) -> None:
    found: list[tuple[str, str]] = []
    async with site.page(None, AT_400_PERCENT, reduced_motion="reduce") as page:
        for name, path in (await pages_of_the_console(site, failed)).items():
            await page.goto(site.stage.url + path)
            found += [(name, each) for each in await page.evaluate(REFLOW)]
            await page.evaluate(WIDE_TEXT)
            found += [(f"{name}, wide text", each) for each in await page.evaluate(REFLOW)]
    assert not found, "\n".join(map(" ".join, found))


async def test_every_page_has_a_title_of_its_own_and_says_its_language(site: Site, failed: str) -> None:
    titles: dict[str, str] = {}
    pages = await pages_of_the_console(site, failed)
    for path in {urlsplit(path).path for path in pages.values()}:
        text = (await site.stage.platform.get(path)).text
        assert '<html lang="en"' in text, path
        titles[path] = text.partition("<title>")[2].partition("</title>")[0]
    assert len(set(titles.values())) == len(titles), titles


async def test_what_is_chosen_is_seen_in_colours_of_the_readers_own_and_nothing_moves(
    site: Site, failed: str
) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    async with site.page(failed, ROOM, forced_colors="active", reduced_motion="reduce") as page:
        for chosen in (".sections a[aria-current]", ".chips a[aria-current]", "#rows tr.open"):
            await expect(page.locator(chosen).first).to_have_css("outline-style", "solid")
        await page.screenshot(path=ARTEFACTS / "delivery-forced-colours.png", full_page=True)
        assert await page.evaluate(MOVING) == 0
    async with site.page("/console", ROOM, forced_colors="active") as page:
        await page.screenshot(path=ARTEFACTS / "home-forced-colours.png", full_page=True)


async def test_attempts_and_charts_are_told_in_words(site: Site, failed: str) -> None:
    async with site.page(failed) as page:
        last = page.get_by_role("listitem").filter(has_text="Attempt 1")
        await expect(last).to_contain_text(re.compile(r"Attempt 1\s+failed:\s+302"))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Deliveries")
    async with site.page("/console") as page:
        await expect(page.get_by_role("img", name="Attempts in the last hour: 3 delivered,")).to_be_visible()


async def test_the_end_of_a_portal_link_is_told_in_time(site: Site) -> None:
    answer = await site.stage.platform.post(
        f"/api/v1/accounts/{site.account_id}/portal-links", json={"expires_in_seconds": 900}
    )
    async with site.page(None) as page:
        await page.clock.install()
        await page.goto(answer.json()["url"])
        alert = page.get_by_role("alert")
        await expect(alert).to_have_text("")
        await page.clock.fast_forward("13:30")
        await expect(alert).to_contain_text("Your link ends within two minutes.")
        await expect(alert.get_by_role("button")).to_have_count(0)


@pytest_asyncio.fixture(loop_scope="module")
async def guarded(stage: Stage, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """The URL of a console that asks for a key, and one that it takes."""
    environ = {"HOOKWRIGHT_PORT": "0", "HOOKWRIGHT_DATABASE_URL": f"sqlite:{tmp_path / 'hookwright.sqlite3'}"}
    async with open_services(load_settings(environ)) as services:
        key = await create_key(services, "hookwright", None, "Grace", ["admin"])
    async with hookwright("serve", environ=environ, folder=tmp_path) as running:
        yield (await running.logged("ready"))["url"], key.secret


async def test_a_key_may_be_pasted_and_the_end_of_a_session_is_told_and_put_off(
    stage: Stage, guarded: tuple[str, str]
) -> None:
    url, secret = guarded
    window = await stage.browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await window.new_page()
    await page.clock.install()
    await page.goto(f"{url}/console")
    await _sign_in_by_pasting(page, secret)
    alert = page.get_by_role("alert")
    await expect(alert).to_have_text("")
    await page.clock.fast_forward("28:30")
    await expect(alert).to_contain_text("You will be signed out within two minutes")
    await alert.get_by_role("button", name="Stay signed in").press("Enter")
    await expect(alert).to_have_text("")
    await page.clock.fast_forward("05:00")
    await expect(alert).to_have_text("")
    await window.close()


async def _sign_in_by_pasting(page: Page, secret: str) -> None:
    key = page.get_by_label("Key")
    await expect(key).to_be_focused()
    await expect(key).to_have_attribute("autocomplete", "current-password")
    await page.evaluate("text => navigator.clipboard.writeText(text)", secret)
    await page.keyboard.press("Control+V")
    await expect(key).to_have_value(secret)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="All accounts")).to_be_visible()
