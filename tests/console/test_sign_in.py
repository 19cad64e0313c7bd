"""Who gets in, for how long, and which forms are believed."""

import httpx
import pytest

from console.conftest import Person, PersonWith, browser, console_on, form_token_in
from hookwright.ambient import MovableClock
from hookwright.console.viewers import SESSION_COOKIE
from hookwright.core.model import Account
from hookwright.operations.keys import create_key, delete_key, rotate_key
from hookwright.operations.services import Services

SIGN_IN = "/console/sign-in"


def is_sent_to_sign_in(response: httpx.Response) -> bool:
    return response.status_code == 303 and response.headers["location"].startswith(SIGN_IN)


async def test_whoever_is_not_signed_in_is_sent_to_the_page_that_asks_for_a_key(anyone: httpx.AsyncClient) -> None:
    response = await anyone.get("/console/deliveries?q=status:failed")
    assert response.status_code == 303
    assert response.headers["location"] == f"{SIGN_IN}?next=%2Fconsole%2Fdeliveries%3Fq%3Dstatus%3Afailed"
    assert (await anyone.get(response.headers["location"])).status_code == 200


async def test_a_key_signs_in_and_the_page_asked_for_follows(services: Services, anyone: httpx.AsyncClient) -> None:
    key = await create_key(services, "hookwright", None, "Grace", ["read"])
    response = await anyone.post(SIGN_IN, data={"key": f" {key.secret} ", "next": "/console/deliveries"})
    assert response.headers["location"] == "/console/deliveries"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=hwses_")
    for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert (await anyone.get("/console/deliveries")).status_code == 200


@pytest.mark.parametrize("path", ["https://elsewhere.example", "//elsewhere.example", "/api/v1", "/console\\@x", ""])
async def test_signing_in_leads_nowhere_but_to_the_console(
    services: Services, anyone: httpx.AsyncClient, path: str
) -> None:
    key = await create_key(services, "hookwright", None, "Grace", ["read"])
    response = await anyone.post(SIGN_IN, data={"key": key.secret, "next": path})
    assert response.headers["location"] == "/console"


async def test_a_key_that_may_only_publish_does_not_sign_in(services: Services, anyone: httpx.AsyncClient) -> None:
    key = await create_key(services, "hookwright", None, "Grace", ["publish"])
    response = await anyone.post(SIGN_IN, data={"key": key.secret})
    assert response.status_code == 403
    assert "only publish" in response.text


async def test_a_wrong_key_is_told_so_and_is_not_shown_again(anyone: httpx.AsyncClient) -> None:
    response = await anyone.post(SIGN_IN, data={"key": "hw_1_secret"})
    assert response.status_code == 401
    assert "No such key" in response.text
    assert "hw_1_secret" not in response.text


async def test_too_many_tries_have_to_wait(anyone: httpx.AsyncClient) -> None:
    statuses = [(await anyone.post(SIGN_IN, data={"key": "hw_1_x"})).status_code for _ in range(31)]
    assert statuses == [401] * 30 + [429]


async def test_whoever_has_a_key_gets_in_however_many_wrong_ones_came_from_the_same_address(
    anyone: httpx.AsyncClient, services: Services
) -> None:
    key = await create_key(services, "hookwright", None, "Grace", ("read",))
    for _ in range(31):
        refused = await anyone.post(SIGN_IN, data={"key": "hw_1_x"})
    assert refused.status_code == 429
    assert (await anyone.post(SIGN_IN, data={"key": key.secret})).status_code == 303


async def test_a_session_ends_after_half_an_hour_without_a_page(admin: Person, clock: MovableClock) -> None:
    clock.move(seconds=29 * 60)
    await admin.get("/console")
    clock.move(seconds=29 * 60)
    await admin.get("/console")
    clock.move(seconds=30 * 60)
    assert is_sent_to_sign_in(await admin.client.get("/console"))


async def test_a_session_ends_after_twelve_hours_whatever_is_done_in_it(admin: Person, clock: MovableClock) -> None:
    for _ in range(47):
        clock.move(seconds=15 * 60)
        await admin.get("/console")
    clock.move(seconds=15 * 60)
    assert is_sent_to_sign_in(await admin.client.get("/console"))


async def test_a_session_ends_with_its_key(services: Services, person_with: PersonWith) -> None:
    person = await person_with("read")
    (key,) = await services.store.keys()
    await delete_key(services, key.id)
    assert is_sent_to_sign_in(await person.client.get("/console"))


async def test_a_session_ends_when_its_key_is_rotated(
    services: Services, person_with: PersonWith, clock: MovableClock
) -> None:
    person = await person_with("read")
    (key,) = await services.store.keys()
    clock.move(seconds=1)
    await rotate_key(services, key.id)
    assert is_sent_to_sign_in(await person.client.get("/console"))


async def test_signing_out_ends_the_session_on_the_server(admin: Person) -> None:
    token = admin.client.cookies[SESSION_COOKIE]
    assert is_sent_to_sign_in(await admin.send("/console/sign-out"))
    admin.client.cookies.set(SESSION_COOKIE, token)
    assert is_sent_to_sign_in(await admin.client.get("/console"))


@pytest.mark.parametrize("token", ["hwses_1_00", "hwses__", "x", "hwses_zzzzzzzzzzzz_00"])
async def test_a_made_up_session_is_nobodys(anyone: httpx.AsyncClient, token: str) -> None:
    anyone.cookies.set(SESSION_COOKIE, token)
    assert is_sent_to_sign_in(await anyone.get("/console"))


async def test_a_form_without_the_token_of_its_session_is_refused(admin: Person, person_with: PersonWith) -> None:
    other = form_token_in(await (await person_with("admin")).get("/console"))
    for fields in ({}, {"form_token": ""}, {"form_token": other}, {"form_token": "é"}):
        response = await admin.client.post("/console/theme", data={"theme": "dark", **fields})
        assert response.status_code == 403, fields


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://other.test"}]
)
async def test_a_form_of_another_site_is_refused(admin: Person, headers: dict[str, str]) -> None:
    token = form_token_in(await admin.get("/console"))
    response = await admin.client.post("/console/theme", data={"form_token": token}, headers=headers)
    assert response.status_code == 403
    response = await admin.client.post(SIGN_IN, data={"key": "hw_1_x"}, headers=headers)
    assert response.status_code == 403


async def test_the_theme_is_remembered_in_the_browser(admin: Person) -> None:
    assert 'data-theme="dark"' not in await admin.get("/console")
    response = await admin.send("/console/theme", theme="dark", next="/console/deliveries")
    assert response.headers["location"] == "/console/deliveries"
    assert 'data-theme="dark"' in await admin.get("/console")


async def test_an_administrator_picks_an_account_and_lets_go_of_it(
    admin: Person, account: Account, other_account: Account
) -> None:
    assert "<h1>All accounts" in await admin.get("/console")
    await admin.send("/console/account", account=other_account.id)
    assert "<h1>Blaise&#39;s courses" in await admin.get("/console")
    await admin.send("/console/account", account="")
    assert "<h1>All accounts" in await admin.get("/console")


async def test_an_account_sees_itself_and_cannot_pick_another(
    person_with: PersonWith, account: Account, other_account: Account
) -> None:
    person = await person_with("admin", of=account)
    page = await person.get("/console")
    assert "<h1>Ada&#39;s courses" in page
    assert "Blaise" not in page
    assert (await person.send("/console/account", account=other_account.id)).status_code == 404
    person.client.cookies.set("hookwright_account", str(other_account.id))
    assert "<h1>Ada&#39;s courses" in await person.get("/console")


async def test_in_development_nobody_signs_in(services: Services) -> None:
    app = console_on(services, sign_in=False)
    for base_url in ("http://127.0.0.1:8090", "http://localhost:8090", "http://[::1]:8090"):
        async with browser(app, base_url) as client:
            person = Person(client)
            await person.get("/console")
            assert (await person.send("/console/theme", theme="dark")).status_code == 303


async def test_in_development_a_page_of_the_web_whose_name_points_here_sees_nothing(services: Services) -> None:
    async with browser(console_on(services, sign_in=False), "http://rebound.example:8090") as client:
        assert (await client.get("/console")).status_code == 403


async def test_in_development_another_machine_sees_nothing(services: Services) -> None:
    transport = httpx.ASGITransport(app=console_on(services, sign_in=False), client=("192.0.2.7", 123))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as client:
        assert (await client.get("/console")).status_code == 403


async def test_a_page_knows_when_the_session_ends_and_whether_one_may_stay(
    admin: Person, clock: MovableClock
) -> None:
    assert 'data-seconds="1800"' in await admin.get("/console")
    for _ in range(27):
        clock.move(seconds=25 * 60)
        assert "Stay signed in" in await admin.get("/console")
    for minutes in (25, 10):
        clock.move(seconds=minutes * 60)
        page = await admin.get("/console")
    assert 'data-seconds="600"' in page
    assert "Stay signed in" not in page
