"""The portal: one account's pages, by a signed link, under the platform's own name."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from console.conftest import BASE_URL, PersonWith, browser, form_token_in
from console.deliveries import attempt, delivery_of
from hookwright.ambient import MovableClock
from hookwright.app import FORMS
from hookwright.console import ConsoleSettings, build_portal
from hookwright.console.viewers import PORTAL_COOKIE
from hookwright.core.audit import Actor
from hookwright.core.model import HOUR, Account, Endpoint
from hookwright.core.portal import Look, entrance
from hookwright.core.retry import STANDARD_SCHEDULE
from hookwright.operations.accounts import delete_account
from hookwright.operations.audit import actor_with
from hookwright.operations.keys import create_key, delete_key, rotate_key
from hookwright.operations.portal_links import create_portal_link
from hookwright.operations.services import Services
from hookwright.store.base import AuditQuery
from hookwright.vault import Vault

LOOK = Look(name="Ada & Co", logo="https://cdn.example.com/logo.svg", accent="#ffd400")


def portal_on(services: Services, **settings: Any) -> ASGIApp:
    return build_portal(services, ConsoleSettings(forms=FORMS, retry_schedule=STANDARD_SCHEDULE, **settings))


async def link_to(services: Services, account: Account, look: Look = LOOK, *, may_change: bool = False) -> str:
    signed = await create_portal_link(services, account.id, HOUR, look, may_change=may_change)
    return entrance(BASE_URL, signed.token)


@pytest.fixture
async def visitors(services: Services) -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def visitor_with(visitors: AsyncExitStack, services: Services, url: str, **settings: Any) -> httpx.AsyncClient:
    """A browser that has opened a link."""
    client = await visitors.enter_async_context(browser(portal_on(services, **settings)))
    response = await client.get(url)
    assert (response.status_code, response.headers["location"]) == (303, "/portal")
    return client


async def test_a_link_opens_the_pages_of_its_account_under_the_platforms_name(
    services: Services, visitors: AsyncExitStack, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock)
    visitor = await visitor_with(visitors, services, await link_to(services, account))
    home = await visitor.get("/portal")
    assert home.status_code == 200
    assert "Ada &amp; Co" in home.text
    assert '<img class="logo" src="https://cdn.example.com/logo.svg"' in home.text
    assert "Hookwright" not in home.text
    one = await visitor.get(f"/portal/deliveries/{delivery.id}")
    assert "contact.tag_added" in one.text
    assert "· Ada &amp; Co</title>" in one.text


async def test_every_address_of_a_page_is_one_of_the_portal(
    services: Services, visitors: AsyncExitStack, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock)
    visitor = await visitor_with(visitors, services, await link_to(services, account, may_change=True))
    for path in ("/portal", "/portal/deliveries", f"/portal/deliveries/{delivery.id}", "/portal/replays/new"):
        page = await visitor.get(path)
        assert page.status_code == 200, path
        assert len(page.content) == int(page.headers["content-length"])
        assert 'href="/console' not in page.text
        assert 'action="/console' not in page.text
        for address in {each.partition('"')[0] for each in page.text.split('href="/portal')[1:]}:
            assert (await visitor.get("/portal" + address.replace("&amp;", "&"))).status_code == 200, address


@pytest.mark.parametrize("more", ["=", "=; Domain=example.com", "==;Path=/", "\n", "A", "+", "/"])
async def test_nothing_may_stand_behind_a_token_which_becomes_a_cookie(
    services: Services, visitors: AsyncExitStack, account: Account, more: str
) -> None:
    token = (await create_portal_link(services, account.id, HOUR, LOOK, may_change=False)).token
    visitor = await visitors.enter_async_context(browser(portal_on(services)))
    refused = await visitor.get("/portal/enter", params={"token": token + more})
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    assert (await visitor.get("/portal/enter", params={"token": token})).status_code == 303


async def test_what_was_sent_is_not_taken_for_an_address(
    services: Services, visitors: AsyncExitStack, account: Account, clock: MovableClock
) -> None:
    odd = Look(name='href="/console/x"')
    visitor = await visitor_with(visitors, services, await link_to(services, account, odd))
    assert "href=&#34;/console/x&#34;" in (await visitor.get("/portal")).text


async def test_other_accounts_and_administration_are_not_there(
    services: Services,
    visitors: AsyncExitStack,
    account: Account,
    other_account: Account,
    endpoint: Endpoint,
) -> None:
    delivery = await delivery_of(services, account)
    visitor = await visitor_with(visitors, services, await link_to(services, other_account, may_change=True))
    assert (await visitor.get(f"/portal/deliveries/{delivery.id}")).status_code == 404
    assert f"/deliveries/{delivery.id}" not in (await visitor.get("/portal/deliveries")).text
    for path in ("accounts", f"accounts/{account.id}", f"accounts/{other_account.id}", "keys", "apps", "audit"):
        assert (await visitor.get(f"/portal/{path}")).status_code == 403, path
    assert (await visitor.get("/portal/sign-in")).status_code == 404


@pytest.mark.parametrize("may_change", [True, False])
async def test_a_link_replays_only_if_it_may_change(
    services: Services,
    visitors: AsyncExitStack,
    account: Account,
    endpoint: Endpoint,
    clock: MovableClock,
    may_change: bool,
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock)
    visitor = await visitor_with(visitors, services, await link_to(services, account, may_change=may_change))
    token = form_token_in((await visitor.get("/portal")).text)
    response = await visitor.post(f"/portal/deliveries/{delivery.id}/replay", data={"form_token": token})
    if may_change:
        assert response.status_code == 303
        assert response.headers["location"].startswith("/portal/deliveries/")
    else:
        assert response.status_code == 403
        assert "for looking only" in response.text
    assert (await visitor.post(f"/portal/deliveries/{delivery.id}/replay")).status_code == 403


async def test_what_is_changed_in_the_portal_is_noted_with_its_link(
    services: Services, visitors: AsyncExitStack, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await delivery_of(services, account)
    visitor = await visitor_with(visitors, services, await link_to(services, account, may_change=True))
    token = form_token_in((await visitor.get("/portal")).text)
    form = {"form_token": token, "q": f"endpoint:{endpoint.id}"}
    assert (await visitor.post("/portal/replays/new", data=form)).status_code == 303
    (entry,) = await services.store.audit_entries(AuditQuery(action="replay.begun"))
    assert (entry.way, entry.actor_kind, entry.actor_name) == ("portal", "link", "Ada & Co")


async def test_a_link_ends_at_its_time(
    services: Services, visitors: AsyncExitStack, account: Account, clock: MovableClock
) -> None:
    url = await link_to(services, account)
    visitor = await visitor_with(visitors, services, url)
    clock.move(hours=0.99)
    assert (await visitor.get("/portal")).status_code == 200
    clock.move(hours=0.02)
    for path in ("/portal", url):
        ended = await visitor.get(path)
        assert ended.status_code == 401
        assert "This link has ended" in ended.text
        assert "Hookwright" not in ended.text


@pytest.mark.parametrize("end", ["account deleted", "key rotated", "key deleted", "key expired", "master key gone"])
async def test_a_link_ends_with_what_it_hangs_on(
    services: Services, visitors: AsyncExitStack, account: Account, clock: MovableClock, end: str
) -> None:
    expires_at = clock.now() + HOUR // 2
    key = (await create_key(services, "hookwright", None, "Platform", ("admin",), None, expires_at)).key
    url = await link_to(services.on_behalf_of(actor_with(key, "api")), account)
    visitor = await visitor_with(visitors, services, url)
    clock.move(seconds=1)
    if end == "account deleted":
        await delete_account(services, account.id)
    elif end == "key rotated":
        await rotate_key(services, key.id)
    elif end == "key deleted":
        await delete_key(services, key.id)
    elif end == "key expired":
        clock.move(hours=0.6)
    else:
        object.__setattr__(services, "vault", Vault(bytes([1] * 32)))
    assert (await visitor_get(services, visitor)).status_code == 401


async def visitor_get(services: Services, visitor: httpx.AsyncClient) -> httpx.Response:
    """The portal's home, from a server with these services."""
    async with browser(portal_on(services)) as client:
        client.cookies = visitor.cookies
        return await client.get("/portal")


async def test_a_link_outlives_the_change_to_another_master_key_while_the_old_one_is_there(
    services: Services, visitors: AsyncExitStack, account: Account
) -> None:
    visitor = await visitor_with(visitors, services, await link_to(services, account))
    object.__setattr__(services, "vault", Vault(bytes([1] * 32), bytes(32)))
    assert (await visitor_get(services, visitor)).status_code == 200


async def test_a_token_that_somebody_changed_opens_nothing(services: Services, account: Account) -> None:
    url = await link_to(services, account)
    token = url.partition("token=")[2]
    altered = [
        token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in (9, 30, 60, -3)
    ]
    async with browser(portal_on(services)) as client:
        for each in (*altered, "", "hwportal_", "hwportal_é", "hwportal_" + "A" * 9_000, token[:-1] + "\0"):
            response = await client.get("/portal/enter", params={"token": each})
            assert response.status_code == 401, each
            assert "set-cookie" not in response.headers


async def test_without_a_link_there_is_nothing(services: Services, person_with: PersonWith) -> None:
    async with browser(portal_on(services)) as client:
        assert (await client.get("/portal")).status_code == 401
        stream = await client.get("/portal/deliveries/live", headers={"accept": "text/event-stream"})
        assert (stream.status_code, stream.content) == (401, b"")


async def test_a_session_of_the_console_opens_no_portal_and_the_other_way_round(
    services: Services, app: ASGIApp, visitors: AsyncExitStack, account: Account, person_with: PersonWith
) -> None:
    person = await person_with("admin")
    visitor = await visitor_with(visitors, services, await link_to(services, account))
    async with browser(portal_on(services)) as portal, browser(app) as console:
        portal.cookies, console.cookies = person.client.cookies, visitor.cookies
        assert (await portal.get("/portal")).status_code == 401
        assert (await console.get("/console")).status_code == 303


async def test_nobody_may_show_it_in_a_frame_unless_the_operator_says_who(
    services: Services, visitors: AsyncExitStack, account: Account
) -> None:
    url = await link_to(services, account)
    plain = await visitor_with(visitors, services, url)
    home = await plain.get("/portal")
    assert "frame-ancestors 'none'" in home.headers["content-security-policy"]
    assert home.headers["x-frame-options"] == "DENY"
    framed = await visitor_with(visitors, services, url, frame_ancestors=("https://app.example.com",))
    home = await framed.get("/portal")
    assert "frame-ancestors https://app.example.com;" in home.headers["content-security-policy"]
    assert "x-frame-options" not in home.headers


async def test_pictures_come_from_the_logos_place_and_nothing_else_does(
    services: Services, visitors: AsyncExitStack, account: Account
) -> None:
    with_logo = await visitor_with(visitors, services, await link_to(services, account))
    policy = (await with_logo.get("/portal")).headers["content-security-policy"]
    assert "img-src 'self' data: https://cdn.example.com;" in policy
    assert policy.count("https:") == 1
    without = await visitor_with(visitors, services, await link_to(services, account, Look(name="Ada")))
    assert "https:" not in (await without.get("/portal")).headers["content-security-policy"]


async def test_the_cookie_is_for_the_portal_alone_and_crosses_sites_only_where_it_is_shown_in_frames(
    services: Services, account: Account
) -> None:
    url = await link_to(services, account)
    async with browser(portal_on(services)) as client:
        cookie = (await client.get(url)).headers["set-cookie"]
        assert cookie.startswith(f"{PORTAL_COOKIE}=hwportal_")
        assert cookie.endswith("; Path=/portal; Max-Age=3600; Secure; HttpOnly; SameSite=Lax")
    async with browser(portal_on(services, frame_ancestors=("https://app.example.com",))) as client:
        response = await client.get(url)
        assert response.headers["set-cookie"].endswith("; HttpOnly; SameSite=None; Partitioned")
        assert response.headers["referrer-policy"] == "no-referrer"


async def test_an_accent_colour_is_a_stylesheet_that_can_be_read(services: Services) -> None:
    async with browser(portal_on(services)) as client:
        sheet = await client.get("/portal/accent/ffd400.css")
        assert sheet.headers["content-type"].startswith("text/css")
        assert "--accent: light-dark(#" in sheet.text
        assert (await client.get("/portal/accent/red;}.css")).status_code == 404


async def test_a_link_is_noted_with_who_made_it_and_without_its_token(services: Services, account: Account) -> None:
    maker = Actor(way="cli", kind="cli", name="the command line")
    url = await link_to(services.on_behalf_of(maker), account)
    (entry,) = await services.store.audit_entries(AuditQuery(action="portal_link.created"))
    assert (entry.way, entry.account_id) == ("cli", account.id)
    assert url.partition("token=")[2] not in repr(entry)


async def test_the_theme_that_somebody_chooses_is_kept_for_the_portal(
    services: Services, visitors: AsyncExitStack, account: Account
) -> None:
    visitor = await visitor_with(visitors, services, await link_to(services, account))
    token = form_token_in((await visitor.get("/portal")).text)
    answer = await visitor.post("/portal/theme", data={"form_token": token, "theme": "dark", "next": "/console"})
    assert answer.headers["location"] == "/portal"
    assert "path=/portal" in answer.headers["set-cookie"].lower()
    assert 'data-theme="dark"' in (await visitor.get("/portal")).text


async def test_a_refusal_in_the_portal_is_under_its_name_too(
    services: Services, visitors: AsyncExitStack, account: Account
) -> None:
    visitor = await visitor_with(visitors, services, await link_to(services, account))
    page = await visitor.get("/portal/deliveries/64")
    assert (page.status_code, "<h1>Not found</h1>" in page.text) == (404, True)
    assert "<title>Not found · Ada &amp; Co</title>" in page.text


async def test_a_name_is_text_in_every_place_where_it_stands(
    services: Services, visitors: AsyncExitStack, account: Account
) -> None:
    odd = Look(name="<script>alert(1)</script>")
    visitor = await visitor_with(visitors, services, await link_to(services, account, odd))
    assert "<script>alert" not in (await visitor.get("/portal")).text
