"""The publish routes past FastAPI: to the byte what the FastAPI routes at the same paths answer."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from api.conftest import BASE_URL
from api.requests import EVENTS, event, pointers
from hookwright.api import build_api
from hookwright.api.publishing import MAX_BATCH_BYTES
from hookwright.core.errors import Conflict
from hookwright.core.model import Accepted, Account, Draft
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

BATCH = f"{EVENTS}/batch"


@pytest.fixture
async def through_fastapi(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app as it is mounted below another path, where it has no shortcuts."""
    transport = httpx.ASGITransport(app=app, root_path="/mounted")
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE_URL}/mounted") as client:
        yield client


@pytest.mark.parametrize("path", [EVENTS, BATCH])
@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("POST", {}, b"{}"),
        ("POST", {"Authorization": "Bearer hw_1_ff"}, b"{}"),
        ("POST", {"Authorization": "READER"}, b"{}"),
        ("POST", {"Authorization": "PUBLISHER"}, b""),
        ("POST", {"Authorization": "PUBLISHER"}, b"{"),
        ("POST", {"Authorization": "PUBLISHER"}, b'{"type":"contact.tag_added"}'),
        ("POST", {"Authorization": "PUBLISHER"}, "TOO LARGE"),
        ("POST", {"Authorization": "PUBLISHER"}, "EVENT"),
        ("POST", {"Authorization": "PUBLISHER"}, "EVENTS"),
        ("POST", {"Authorization": "PUBLISHER", "Idempotency-Key": "a"}, "EVENT"),
        ("POST", {"Authorization": "PUBLISHER", "Idempotency-Key": "b"}, "EVENT"),
        ("GET", {"Authorization": "PUBLISHER"}, b""),
        ("HEAD", {"Authorization": "PUBLISHER"}, b""),
        ("PUT", {}, b"{}"),
        ("OPTIONS", {}, b""),
    ],
)
async def test_the_answer_is_that_of_the_fastapi_route(
    anyone: httpx.AsyncClient,
    through_fastapi: httpx.AsyncClient,
    services: Services,
    account: Account,
    path: str,
    method: str,
    headers: dict[str, str],
    body: bytes | str,
) -> None:
    one = event(account, idempotency_key="a")
    bodies: dict[bytes | str, bytes] = {
        "EVENT": json.dumps(one).encode(),
        "EVENTS": json.dumps({"events": [one, one | {"type": "contact.created"}]}).encode(),
        "TOO LARGE": b" " * (MAX_BATCH_BYTES + 1),
    }
    content = bodies.get(body, body)
    for scope in ("publish", "read"):
        new = await create_key(services, "hookwright", None, "Test", [scope])
        headers = {
            name: value.replace(f"{scope.upper()}ER", f"Bearer {new.secret}") for name, value in headers.items()
        }
    await anyone.request(method, path, headers=headers, content=content)  # from now on the event is a duplicate
    answers = [
        await client.request(method, path, headers=headers, content=content) for client in (anyone, through_fastapi)
    ]
    shortcut, routed = [(each.status_code, each.headers.raw, each.content) for each in answers]
    assert shortcut == routed
    if shortcut[0] >= 400 and method != "HEAD":
        pointers(answers[0])


class BrokenIntake:
    """An intake with a fault of ours."""

    async def accept(self, drafts: Sequence[Draft]) -> list[Accepted | Conflict]:
        raise RuntimeError("a fault at /var/lib/secret")


@pytest.mark.parametrize("raises", [True, False])
async def test_a_fault_of_ours_is_answered_and_then_told_to_the_server(
    services: Services, account: Account, raises: bool
) -> None:
    key = await create_key(services, "hookwright", None, "Test", ["publish"])
    app = build_api(replace(services, intake=BrokenIntake()))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=raises)
    headers = {"Authorization": f"Bearer {key.secret}"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        if raises:
            with pytest.raises(RuntimeError):
                await client.post(EVENTS, json=event(account))
        else:
            response = await client.post(EVENTS, json=event(account))
            assert response.status_code == 500
            assert pointers(response) == []
            assert "secret" not in response.text


@pytest.mark.parametrize("path", [EVENTS, BATCH])
async def test_a_body_that_ends_early_publishes_nothing(app: FastAPI, services: Services, path: str) -> None:
    key = await create_key(services, "hookwright", None, "Test", ["publish"])
    received: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b'{"type":', "more_body": True},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {key.secret}".encode())]
    await app({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    assert sent[0]["status"] == 400
