"""An app that people connect to their Kit account, pointed at Hookwright: consent page, tokens, their end.

Sources: Kit openapi v4.json (the security scheme OAuth2), developers.kit.com on OAuth, RFC 6749, RFC 7009, RFC 7636;
the refresh by Kit/ConvertKitSDK-PHP `src/ConvertKit_API.php`, which sends JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio

from dialects.kit.clients import CHALLENGE, VERIFIER, Page, press
from e2e.vendors.conftest import Running
from e2e.vendors.platform import Platform
from hookwright.testing.receiver import Receiver
from processes import hookwright

STATE = "round trip & back = ü"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
PUBLIC_REDIRECT_URI = "http://127.0.0.1:8977/back?from=kit"

ENDPOINTS = "/v4/webhook_endpoints"
# What changes a webhook endpoint; the last of them for good.
CHANGES = (("PATCH", ""), ("POST", "/rotate_secret"), ("POST", "/revoke_previous_secret"), ("DELETE", ""))


@dataclass(frozen=True)
class App:
    """A registered app: how it names itself, and where its users return to."""

    naming: Mapping[str, str]
    redirect_uri: str
    asking: Mapping[str, str]
    proving: Mapping[str, str]


@pytest.fixture
def confidential(dev: Running) -> App:
    """The app that `hookwright dev` made, which has a secret."""
    kit = dev.given["kit"]
    naming = {"client_id": kit["oauth_client_id"], "client_secret": kit["oauth_client_secret"]}
    return App(naming, kit["oauth_redirect_uri"], {}, {})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def public(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> App:
    """An app without a secret, which PKCE protects; the command line registers it beside the running server."""
    folder = tmp_path_factory.mktemp("apps")
    database = f"sqlite:{dev.data / 'hookwright.sqlite3'}"
    create = ("apps", "create", "Widget", "--public", "--redirect-uri", PUBLIC_REDIRECT_URI, "--json")
    async with hookwright(*create, "--database", database, environ={}, folder=folder) as command:
        exit_code, printed = await command.end()
    assert exit_code == 0, command.errors
    client_id = json.loads(printed)["client_id"]
    return App({"client_id": client_id}, PUBLIC_REDIRECT_URI, PKCE, {"code_verifier": VERIFIER})


@pytest.fixture(params=["confidential", "public"])
def app(request: pytest.FixtureRequest) -> App:
    """Each kind of app in turn."""
    app: App = request.getfixturevalue(request.param)
    return app


class Person:
    """Somebody with a browser, who owns the platform's account."""

    def __init__(self, platform: Platform) -> None:
        self._http = platform.http
        self._account = str(platform.account_id)

    async def visits(self, app: App, **more: str) -> Page:
        """Follow an app's link to the authorization page."""
        answer = await self._follow(app, more)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    async def is_sent_back(self, app: App) -> dict[str, str]:
        """Follow a link that leads back to the app at once; what the app finds."""
        return _brought_back(app, await self._follow(app, {}))

    async def decides(self, app: App, page: Page, decision: str) -> dict[str, str]:
        """Press a button; what the app finds in the query that the browser brings back."""
        headers = {"Origin": str(self._http.base_url).rstrip("/")}
        answer = await press(self._http, page, decision, {"account": self._account}, headers)
        return _brought_back(app, answer)

    async def _follow(self, app: App, more: Mapping[str, str]) -> httpx.Response:
        query = {
            "client_id": app.naming["client_id"],
            "redirect_uri": app.redirect_uri,
            "response_type": "code",
            "state": STATE,
        }
        return await self._http.get("/v4/oauth/authorize", params={**query, **app.asking, **more})


def _brought_back(app: App, answer: httpx.Response) -> dict[str, str]:
    """What an app finds in the query of its redirect URI."""
    assert answer.status_code in (302, 303)
    back, own = urlsplit(answer.headers["location"]), urlsplit(app.redirect_uri)
    assert (back.scheme, back.netloc, back.path) == (own.scheme, own.netloc, own.path)
    found = dict(parse_qsl(back.query, strict_parsing=True))
    assert found.items() >= {"state": STATE, **dict(parse_qsl(own.query))}.items()
    return found


@pytest.fixture
def person(platform: Platform) -> Person:
    return Person(platform)


async def test_an_app_that_is_let_in_subscribes_for_the_account(
    app: App, person: Person, outside: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    tokens = await connected(app, person, outside)
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "public")
    body = {"target_url": receiver.url, "event": {"name": "subscriber.subscriber_activate"}}
    created = await outside.post("/v4/webhooks", json=body, headers=bearer(tokens))
    assert created.json()["webhook"]["account_id"] == platform.account_id
    data = {"contact": {"id": 1, "email": "ada@example.com"}}
    assert await platform.publish("contact.activated", data) == 1
    await receiver.wait_for(1)


async def test_an_endpoint_that_an_app_made_is_guarded_from_the_accounts_api_key(
    app: App, person: Person, outside: httpx.AsyncClient, kit: httpx.AsyncClient
) -> None:
    headers = bearer(await connected(app, person, outside))
    wanted = {"url": "https://example.com/", "events": ["tag.created"]}
    accounts = (await kit.post(ENDPOINTS, json=wanted)).json()["webhook_endpoint"]
    made = (await outside.post(ENDPOINTS, json=wanted, headers=headers)).json()["webhook_endpoint"]
    assert (accounts["source"], accounts["created_by_app"]) == ("creator", None)
    assert made["source"] == "app"
    assert made["created_by_app"]["name"]

    async def ids(client: httpx.AsyncClient, **request: Any) -> list[int]:
        listed = (await client.get(ENDPOINTS, **request)).json()["webhook_endpoints"]
        return [endpoint["id"] for endpoint in listed]

    assert await ids(kit) == [made["id"], accounts["id"]]
    assert await ids(outside, headers=headers) == [made["id"]]
    assert (await outside.get(f"{ENDPOINTS}/{accounts['id']}", headers=headers)).status_code == 404
    assert (await kit.get(f"{ENDPOINTS}/{made['id']}/deliveries")).status_code == 200
    for method, path in CHANGES:
        refused = await kit.request(method, f"{ENDPOINTS}/{made['id']}{path}", json={})
        assert (refused.status_code, list(refused.json())) == (403, ["errors"])
    for method, path in CHANGES:
        done = await outside.request(method, f"{ENDPOINTS}/{made['id']}{path}", json={}, headers=headers)
        assert done.status_code == (204 if method == "DELETE" else 200)


async def test_an_app_that_is_denied_learns_it(app: App, person: Person) -> None:
    found = await person.decides(app, await person.visits(app), "deny")
    assert found["error"] == "access_denied"
    assert "code" not in found


async def test_a_code_is_good_once(app: App, person: Person, outside: httpx.AsyncClient) -> None:
    code = await code_of(app, person)
    tokens = (await redeem(outside, app, code)).json()
    check_refused(await redeem(outside, app, code), "invalid_grant")
    # RFC 6749 §4.1.2: the second use shows that the code leaked, so what it bought ends.
    assert (await account(outside, tokens)).status_code == 401


async def test_a_code_needs_its_own_redirect_uri_and_verifier(
    app: App, person: Person, outside: httpx.AsyncClient
) -> None:
    code = await code_of(app, person, **PKCE)
    check_refused(await redeem(outside, app, code, code_verifier="x" * 43), "invalid_grant")
    check_refused(await redeem(outside, app, code, redirect_uri="http://127.0.0.1:8976/other"), "invalid_grant")


async def test_pkce_works_for_an_app_with_a_secret_as_well(
    confidential: App, person: Person, outside: httpx.AsyncClient
) -> None:
    code = await code_of(confidential, person, **PKCE)
    assert (await redeem(outside, confidential, code, code_verifier=VERIFIER)).status_code == 200


async def test_an_app_without_a_secret_needs_pkce(public: App, person: Person) -> None:
    plain = App(public.naming, public.redirect_uri, {}, {})
    assert (await person.is_sent_back(plain))["error"] == "invalid_request"


async def test_tokens_are_refreshed_and_the_reuse_of_a_spent_refresh_token_ends_them_all(
    app: App, person: Person, outside: httpx.AsyncClient
) -> None:
    first = await connected(app, person, outside)
    second = (await refresh(outside, app, first)).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await account(outside, second)).status_code == 200
    check_refused(await refresh(outside, app, first), "invalid_grant")
    assert (await account(outside, second)).status_code == 401
    check_refused(await refresh(outside, app, second), "invalid_grant")


@pytest.mark.parametrize("named", ["access_token", "refresh_token"])
@pytest.mark.parametrize("path", ["/v4/oauth/revoke", "/oauth/revoke"])
async def test_a_revoked_token_takes_the_other_with_it(
    app: App, person: Person, outside: httpx.AsyncClient, named: str, path: str
) -> None:
    tokens = await connected(app, person, outside)
    answers = [await outside.post(path, data={**app.naming, "token": tokens[named]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]  # RFC 7009 §2.2: also when it was revoked before
    assert (await account(outside, tokens)).json() == {"errors": ["The access token was revoked"]}
    check_refused(await refresh(outside, app, tokens), "invalid_grant")


async def test_an_unknown_client_is_refused(outside: httpx.AsyncClient) -> None:
    unknown = App({"client_id": "nobody", "client_secret": "nothing"}, PUBLIC_REDIRECT_URI, {}, {})
    check_refused(await redeem(outside, unknown, "x"), "invalid_client", 401)
    page = await outside.get("/v4/oauth/authorize", params={"client_id": "nobody", "response_type": "code"})
    assert (page.status_code, "location" in page.headers) == (400, False)


async def code_of(app: App, person: Person, **more: str) -> str:
    """The code of an app whose user presses "Allow"."""
    return (await person.decides(app, await person.visits(app, **more), "allow"))["code"]


async def connected(app: App, person: Person, outside: httpx.AsyncClient) -> dict[str, Any]:
    """The first tokens of an app that a person has let in."""
    answer = await redeem(outside, app, await code_of(app, person))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def redeem(outside: httpx.AsyncClient, app: App, code: str, **more: str) -> httpx.Response:
    body = {**app.naming, "grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri}
    return await outside.post("/v4/oauth/token", json={**body, **app.proving, **more})


async def refresh(outside: httpx.AsyncClient, app: App, tokens: dict[str, Any]) -> httpx.Response:
    body = {**app.naming, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return await outside.post("/oauth/token", json={**body, "redirect_uri": app.redirect_uri})


async def account(outside: httpx.AsyncClient, tokens: dict[str, Any]) -> httpx.Response:
    return await outside.get("/v4/account", headers=bearer(tokens))


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def check_refused(answer: httpx.Response, error: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
