"""A client of Kit's API, which speaks as the official PHP SDK does, and what Kit documents of the answers.

Sources: developers.kit.com "Create a webhook" (`tests/data/seeds/kit_create_webhook.md`) and "List webhooks"; the
payloads of ConvertKit/developers-documentation (`tests/data/kit/payloads.json`); Kit/ConvertKitSDK-PHP
`src/ConvertKit_API.php` and `src/ConvertKit_API_Traits.php`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own

from e2e.vendors.platform import Platform, client_at

DATA = Path(__file__).parents[2] / "data" / "kit"
DOCUMENTED = json.loads((DATA / "create_webhook.json").read_text())
PAYLOADS = json.loads((DATA / "payloads.json").read_text())
# The contact of whom the documented payload speaks.
CONTACT = {
    "id": 1,
    "first_name": "John",
    "email": "John@example.com",
    "created_at": "2018-02-15T19:40:24.913Z",
    "fields": {"My Custom Field": "Value"},
}


@asynccontextmanager
async def client_of(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an API key of the platform's account."""
    headers = {
        "X-Kit-Api-Key": (await platform.new_key("kit"))["secret"],
        "Accept": "application/json",
        "Content-Type": "application/json; charset=utf-8",
    }
    async with client_at(platform.given["url"], headers) as client:
        yield client


async def create(kit: httpx.AsyncClient, event: str, target_url: str, **parameters: object) -> dict[str, Any]:
    body = {"target_url": target_url, "event": {"name": event, **parameters}}
    answer = await kit.post("/v4/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    jsonschema.validate(answer.json(), DOCUMENTED["created_schema"])
    return dict(answer.json()["webhook"])


async def create_many(kit: httpx.AsyncClient, count: int) -> list[int]:
    """The ids of so many new webhooks, newest first."""
    urls = [f"https://example.com/{number}" for number in range(count)]
    return [(await create(kit, "purchase.purchase_create", url))["id"] for url in urls][::-1]


class Page(NamedTuple):
    ids: list[int]
    start: str
    end: str
    neighbours: tuple[bool, bool]


async def page_of(kit: httpx.AsyncClient, **query: str | int) -> Page:
    answer = (await kit.get("/v4/webhooks", params=query)).json()
    pagination = answer["pagination"]
    return Page(
        [webhook["id"] for webhook in answer["webhooks"]],
        pagination["start_cursor"],
        pagination["end_cursor"],
        (pagination["has_previous_page"], pagination["has_next_page"]),
    )


def check_errors(answer: httpx.Response, status: int, text: str | None = None) -> None:
    """Refuse an answer that is not of the documented shape of errors, with this status and perhaps this text."""
    assert answer.status_code == status, answer.text
    jsonschema.validate(answer.json(), DOCUMENTED["errors_schema"])
    assert text is None or answer.json()["errors"] == [text]
