"""Every URL of the corpus, given to the decision itself and to every surface that creates or changes endpoints."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from guard.corpus import CORPUS, Entry
from hookwright.app import Hookwright
from hookwright.cli.credentials import ready_credentials
from hookwright.config import load_settings
from hookwright.core.addresses import TargetPolicy, address_allowed, parse_target, target_problem
from hookwright.testing.credentials import Credentials

GOOD = "https://example.com/hooks"
ONE_TEXT = "address not allowed: use the name or address of a public server"
MANAGE = "/api/v1/endpoints"

# Gives a URL to a surface: its answer.
Give = Callable[[str], Awaitable[httpx.Response]]


class Surfaces:
    """A whole Hookwright with production's rules, without a socket, and one account's way into each API."""

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials, kajabi_token: str) -> None:
        self._http = http
        self._credentials = credentials
        self._admin = {"Authorization": f"Bearer {credentials.admin_key}"}
        self._kajabi = {"Authorization": f"Bearer {kajabi_token}", "Content-Type": "application/vnd.api+json"}
        self._kit = {"X-Kit-Api-Key": credentials.kit.api_key}

    async def own(self, url: str) -> httpx.Response:
        body = {"account": self._credentials.account_id, "url": url, "events": ["contact.created"]}
        return await self._send("POST", MANAGE, body, self._admin)

    async def kajabi(self, url: str) -> httpx.Response:
        site = {"data": {"id": self._credentials.kajabi.site_id, "type": "sites"}}
        attributes = {"target_url": url, "event": "tag_added"}
        body = {"data": {"type": "hooks", "attributes": attributes, "relationships": {"site": site}}}
        return await self._send("POST", "/v1/hooks", body, self._kajabi)

    async def kit(self, url: str) -> httpx.Response:
        body = {"target_url": url, "event": {"name": "subscriber.subscriber_activate"}}
        return await self._send("POST", "/v4/webhooks", body, self._kit)

    async def kit_v3(self, url: str) -> httpx.Response:
        event = {"name": "subscriber.subscriber_activate"}
        body = {"api_secret": self._credentials.kit.api_key, "target_url": url, "event": event}
        return await self._send("POST", "/v3/automations/hooks", body, {})

    async def kit_endpoints(self, url: str) -> httpx.Response:
        body = {"url": url, "events": ["subscriber.tag_added"]}
        return await self._send("POST", "/v4/webhook_endpoints", body, self._kit)

    async def changed_own(self) -> Give:
        """Changes one of our own endpoints."""
        path = f"{MANAGE}/{(await self.own(GOOD)).json()['id']}?account={self._credentials.account_id}"
        return lambda url: self._send("PATCH", path, {"url": url}, self._admin)

    async def changed_kit_endpoint(self) -> Give:
        """Changes a webhook endpoint of Kit's."""
        path = f"/v4/webhook_endpoints/{(await self.kit_endpoints(GOOD)).json()['webhook_endpoint']['id']}"
        return lambda url: self._send("PATCH", path, {"url": url}, self._kit)

    async def _send(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> httpx.Response:
        # ASCII, with \\u escapes: there is a URL with half a surrogate pair, which httpx could not encode.
        content = json.dumps(body).encode()
        return await self._http.request(
            method, path, content=content, headers={"Content-Type": "application/json", **headers}
        )


@pytest.fixture
async def surfaces(tmp_path: Path) -> AsyncIterator[Surfaces]:
    environ = {"HOOKWRIGHT_DATABASE_URL": f"sqlite:{tmp_path / 'guard.sqlite3'}", "HOOKWRIGHT_RATE_LIMITS": "false"}
    hookwright = await Hookwright.open(load_settings(environ))
    credentials = await ready_credentials(hookwright.services, tmp_path)
    transport = httpx.ASGITransport(app=hookwright.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hookwright.example") as http:
        kajabi = {"client_id": credentials.kajabi.client_id, "client_secret": credentials.kajabi.client_secret}
        answer = await http.post("/v1/oauth/token", data={"grant_type": "client_credentials", **kajabi})
        yield Surfaces(http, credentials, answer.json()["access_token"])
    await hookwright.drain()
    await hookwright.close()


def test_the_corpus_is_large_and_says_each_url_once() -> None:
    assert len(CORPUS) >= 400
    assert len({entry.url for entry in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("entry", CORPUS, ids=str)
def test_the_decision_is_the_expected_one(entry: Entry) -> None:
    problem = target_problem(entry.url, TargetPolicy())
    assert (problem is not None) == (entry.verdict == "refused"), problem


def test_a_refused_address_has_the_one_text() -> None:
    texts = {target_problem(entry.url, TargetPolicy()) for entry in CORPUS if names_a_refused_address(entry.url)}
    assert texts == {ONE_TEXT}


@pytest.mark.parametrize("name", ["own", "kajabi", "kit", "kit_endpoints"])
async def test_what_is_refused_is_created_on_no_surface(surfaces: Surfaces, name: str) -> None:
    await check(getattr(surfaces, name), CORPUS)


@pytest.mark.parametrize("name", ["changed_own", "changed_kit_endpoint"])
async def test_what_is_refused_is_no_surfaces_change(surfaces: Surfaces, name: str) -> None:
    await check(await getattr(surfaces, name)(), CORPUS)


async def test_kits_older_api_refuses_alike(surfaces: Surfaces) -> None:
    await check(surfaces.kit_v3, CORPUS[::5])


def names_a_refused_address(url: str) -> bool:
    try:
        target = parse_target(url)
    except ValueError:
        return False
    return target.is_address and not address_allowed(target.host, TargetPolicy())


async def check(give: Give, entries: Sequence[Entry]) -> None:
    for entry in entries:
        answer = await give(entry.url)
        if entry.verdict == "refused":
            assert 400 <= answer.status_code < 500, (str(entry), answer.text)
        else:
            assert answer.is_success, (str(entry), answer.text)
