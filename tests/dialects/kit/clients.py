"""Outside clients: HTTP, and a browser that fills in forms as HTML says."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
from fastapi import FastAPI

from hookwright.operations.apps import NewApp

DATA = Path(__file__).parents[2] / "data" / "kit"
REDIRECT_URI = "https://app.example.com/oauth/callback?from=kit"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B


def client_of(app: FastAPI, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """A client that sees what a client over a network would see, server errors too."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="https://api.kit.test", headers=headers)


def vendors(name: str) -> dict[str, Any]:
    """The vendor's published examples and schemas."""
    content: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return content


def check_against(schema: Mapping[str, Any], answer: object) -> None:
    """Fail unless an answer is as a JSON Schema says."""
    jsonschema.validate(answer, schema)


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


@dataclass
class Form:
    """A form as a browser knows it: where it goes, what it would send, its buttons."""

    action: str = ""
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """Reads a page: its forms, its text, and whether it holds a script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self.has_script = False
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.has_script = self.has_script or tag == "script" or any(name.startswith("on") for name in given)
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag == "input":
            self.forms[-1].values[given["name"]] = given.get("value", "")
            self.forms[-1].types[given["name"]] = given.get("type", "text")
        elif tag == "button":
            self.forms[-1].buttons.append((given["name"], given["value"]))
        elif tag == "select":
            self._select = given["name"]
            self.forms[-1].options[self._select] = []
        elif tag == "option":
            self._add_option(self.forms[-1], given)

    def _add_option(self, form: Form, given: dict[str, str]) -> None:
        form.options[self._select].append(given["value"])
        if "selected" in given or self._select not in form.values:
            form.values[self._select] = given["value"]

    def handle_data(self, data: str) -> None:
        self.text += data


async def open_consent(
    client: httpx.AsyncClient, parameters: Mapping[str, str], path: str = "/v4/oauth/authorize"
) -> Page:
    """What a person sees whom an app has sent to the authorization endpoint."""
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


async def press(
    client: httpx.AsyncClient,
    page: Page,
    decision: str,
    typed: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Fill in the page's only form and press a button of it, as a browser on the same site does."""
    (form,) = page.forms
    assert ("decision", decision) in form.buttons
    browser = {"Origin": "https://api.kit.test", "Sec-Fetch-Site": "same-origin"}
    values = {**form.values, **(typed or {}), "decision": decision}
    return await client.request(form.method, form.action, data=values, headers={**browser, **(headers or {})})


def redirected(answer: httpx.Response) -> dict[str, str]:
    """What an app finds in the query of its redirect URI."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith("https://app.example.com/oauth/callback?from=kit&")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query, strict_parsing=True).items()}


def asking(app: NewApp, **more: str) -> dict[str, str]:
    """The parameters with which an app sends a person to the authorization endpoint."""
    return {"client_id": app.client_id, "redirect_uri": REDIRECT_URI, "response_type": "code", **more}


def naming(app: NewApp) -> dict[str, str]:
    """How an app proves itself in a body."""
    secret = {"client_secret": app.client_secret} if app.client_secret else {}
    return {"client_id": app.client_id, **secret}


async def consented_code(client: httpx.AsyncClient, app: NewApp, api_key: str, **more: str) -> str:
    """The code of an app that the owner of an API key let in."""
    page = await open_consent(client, asking(app, **more))
    return redirected(await press(client, page, "allow", {"api_key": api_key}))["code"]


async def consented_tokens(client: httpx.AsyncClient, app: NewApp, api_key: str) -> dict[str, Any]:
    """The first tokens of an app that the owner of an API key let in."""
    code = await consented_code(client, app, api_key, code_challenge=CHALLENGE, code_challenge_method="S256")
    answer = await redeem(client, app, code, code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def redeem(client: httpx.AsyncClient, app: NewApp, code: str, **more: str) -> httpx.Response:
    """The token endpoint's answer to a code, asked in JSON as Kit's own SDKs do."""
    body = {**naming(app), "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, **more}
    return await client.post("/v4/oauth/token", json=body)


async def refresh(client: httpx.AsyncClient, app: NewApp, token: str) -> httpx.Response:
    """The token endpoint's answer to a refresh token, asked as a form."""
    body = {**naming(app), "grant_type": "refresh_token", "refresh_token": token, "redirect_uri": REDIRECT_URI}
    return await client.post("/v4/oauth/token", data=body)


async def account_with(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """What a resource answers to an access token."""
    return await client.get("/v4/account", headers={"Authorization": f"Bearer {token}"})
