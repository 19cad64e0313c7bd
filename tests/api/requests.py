"""Requests that the tests have in common."""

from typing import Any

import httpx

from hookwright.core.model import Account
from hookwright.core.samples import SAMPLES

EVENTS = "/api/v1/events"


def event(account: Account, type: str = "contact.tag_added", **more: Any) -> dict[str, Any]:
    return {"type": type, "account": account.id, "data": SAMPLES[type], **more}


async def publish(client: httpx.AsyncClient, account: Account, **more: Any) -> dict[str, Any]:
    """Publish an event; the answer."""
    response = await client.post(EVENTS, json=event(account, **more))
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def get(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    """The JSON of a page that is there."""
    response = await client.get(f"/api/v1{path}", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def pointers(response: httpx.Response) -> list[str]:
    """The places that a refusal points to; checks that it has the one shape of all refusals."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert list(document) == ["type", "title", "status", "detail", "errors"]
    assert document["status"] == response.status_code
    return [error["pointer"] for error in document["errors"]]
