"""A client of Kajabi's public API, and what Kajabi's documentation says of the answers.

Sources: help.kajabi.com "Create hook" (`tests/data/seeds/kajabi_create_hook.md`) and its sample pages
(`tests/data/kajabi_samples`), Kajabi openapi.yaml 1.1.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own

from e2e.vendors.platform import Platform

DATA = Path(__file__).parents[2] / "data"
SCHEMAS = json.loads((DATA / "kajabi_schemas" / "create_hook.json").read_text())
JSON_API = "application/vnd.api+json"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

EVENTS = ("purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed")


class Kajabi:
    """A client of Kajabi's public API with an API key of its own."""

    def __init__(self, http: httpx.AsyncClient, key: dict[str, Any], site_id: str) -> None:
        self.http = http
        self.credentials = {"client_id": key["client_id"], "client_secret": key["client_secret"]}
        self.tokens: dict[str, Any] = {}
        self.site = {"data": {"id": site_id, "type": "sites"}}

    @classmethod
    async def of(cls, platform: Platform, *scopes: str) -> Kajabi:
        """A client with a new key of these scopes, and a token."""
        client = cls(platform.http, await platform.new_key("kajabi", *scopes), platform.site_id)
        assert (await client.ask_for_tokens()).status_code == 200
        return client

    async def ask_for_tokens(self, **form: str) -> httpx.Response:
        asked = form or {"grant_type": "client_credentials", **self.credentials}
        answer = await self.http.post("/v1/oauth/token", data=asked)
        if answer.is_success:
            self.tokens = answer.json()
        return answer

    async def ask(self, method: str, path: str, document: object = None, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        if document is not None:
            headers["Content-Type"] = JSON_API
            request["content"] = json.dumps(document)
        return await self.http.request(method, path, headers=headers, **request)

    async def create(self, event: str, target_url: str, **attributes: object) -> httpx.Response:
        return await self.ask("POST", "/v1/hooks", self.document(event, target_url, **attributes))

    def document(self, event: str, target_url: str, **attributes: object) -> dict[str, Any]:
        """The documented request body."""
        attributes = {"target_url": target_url, "event": event, **attributes}
        return {"data": {"type": "hooks", "attributes": attributes, "relationships": {"site": self.site}}}

    async def created(self, event: str, target_url: str, **attributes: object) -> str:
        """Create a hook; its id."""
        answer = await self.create(event, target_url, **attributes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    async def listed(self, **query: str | int) -> list[str]:
        answer = await self.ask("GET", "/v1/hooks", params=query)
        return [hook["id"] for hook in answer.json()["data"]]


def sample(event: str) -> Any:
    return json.loads((DATA / "kajabi_samples" / f"{event}_sample.json").read_text())


def check_shape(answer: httpx.Response, schema: str, status: int | None = None) -> None:
    """Refuse an answer that is not of one of the documented schemas, or not of this status."""
    assert status is None or answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON_API
    schemas = SCHEMAS["components"]["schemas"]
    jsonschema.validate(answer.json(), {**SCHEMAS, **schemas[schema]})
    if schema.startswith("errors"):
        assert {error["status"] for error in answer.json()["errors"]} == {str(answer.status_code)}


def differences(expected: Any, actual: Any, place: str) -> Iterator[str]:
    """Where a value has not the keys, their order and the types of an example, in which null stands for anything."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        if list(expected) != list(actual):
            yield f"{place} has the keys {list(actual)}, not {list(expected)}"
        for name in expected.keys() & actual.keys():
            yield from differences(expected[name], actual[name], f"{place}/{name}")
    elif place == "payload":
        if [each["type"] for each in expected] != [each["type"] for each in actual]:
            yield f"{place} holds {[each['type'] for each in actual]}"
        for number, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from differences(one, other, f"{place}/{number}")
    elif isinstance(expected, str) and TIME.fullmatch(expected):
        if not TIME.fullmatch(str(actual)):
            yield f"{place} is {actual!r}, not a time with milliseconds"
    elif expected is not None and type(expected) is not type(actual):
        yield f"{place} is {actual!r}, not like {expected!r}"
    elif isinstance(expected, str) and place.endswith("/type") and expected != actual:
        yield f"{place} is {actual!r}, not {expected!r}"
