"""The limits of every surface: how large and deep a body may be, how many requests and endpoints there may be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from fuzz.surfaces import KAJABI, KIT, OWN
from hookwright.api.publishing import MAX_BATCH_BYTES
from hookwright.core.nesting import MAX_DEPTH
from hookwright.surfaces import Surfaces
from hookwright.web.limits import MAX_BODY_BYTES, MAX_BODY_DEPTH
from tenancy import walk
from tenancy.holdings import Holdings
from tenancy.operations import BODIES, Operation, operations_of
from tenancy.running import Running, content_of, running_on

BATCH = "POST /api/v1/events/batch"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'hookwright.sqlite3'}"


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[Running]:
    async with running_on(database_url) as running:
        yield running


async def ada_of(running: Running) -> Holdings:
    return await Holdings.make(running, "quokkada", running.kit_apps[0], 10_000)


async def calls(running: Running, ada: Holdings) -> list[tuple[Operation, dict[str, Any]]]:
    """Every operation that takes a body, and how the account's strongest credential calls it, but for the body."""
    assert isinstance(running.hookwright.app, Surfaces)
    credentials = [each for each in await walk.credentials_of(running, ada) if each.strong]
    found = []
    for operation in operations_of(running.hookwright.app):
        if operation.body is not None:
            (credential,) = [each for each in credentials if each.strong == prefixes_of(operation.path)]
            path = operation.path.format(
                name="invoice.paid", **{slot.name: ada.own(slot.kind) for slot in operation.slots}
            )
            found.append((operation, {"url": path, "headers": credential.headers, "params": credential.query}))
    assert {operation.label for operation, _ in found} == set(BODIES)
    return found


def prefixes_of(path: str) -> tuple[str, ...]:
    return next(each for each in (walk.KAJABI, walk.KIT, walk.OWN_API) if path.startswith(each))


def shape_problem(operation: Operation, answer: httpx.Response) -> str | None:
    surface = {walk.KAJABI: KAJABI, walk.KIT: KIT, walk.OWN_API: OWN}[prefixes_of(operation.path)]
    media_type = answer.headers["content-type"].partition(";")[0]
    path = f"/v4{operation.path}" if operation.path.startswith("/oauth") else operation.path
    return surface.shape_problem(path, answer.status_code, media_type, answer.json())


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body of which no header says how long it is."""
    for _ in range(size // 65_536 + 1):
        yield b" " * 65_536


@pytest.mark.parametrize("says_its_length", [True, False])
async def test_a_body_over_the_limit_is_refused_in_its_apis_words(running: Running, says_its_length: bool) -> None:
    ada = await ada_of(running)
    for operation, call in await calls(running, ada):
        size = MAX_BATCH_BYTES if operation.label == BATCH else MAX_BODY_BYTES
        content = b" " * (size + 1) if says_its_length else in_pieces(size)
        answer = await running.client.request(operation.method, content=content, **call)
        assert answer.status_code == 413, f"{operation.label}: {answer.text}"
        assert shape_problem(operation, answer) is None, f"{operation.label}: {answer.text}"


async def test_json_that_is_nested_too_deeply_is_refused_in_its_apis_words(running: Running) -> None:
    ada = await ada_of(running)
    for operation, call in await calls(running, ada):
        assert operation.body is not None
        if operation.body.form and operation.path.startswith(walk.KIT):
            continue  # a form, and nothing else
        headers = {**call["headers"], "Content-Type": "application/json"}
        for depth in (MAX_BODY_DEPTH, 100_000):
            deep = b'{"data":' + b"[" * depth + b"1" + b"]" * depth + b"}"
            answer = await running.client.request(operation.method, content=deep, **{**call, "headers": headers})
            assert 400 <= answer.status_code < 423, f"{operation.label}: {answer.status_code} {answer.text}"
            assert shape_problem(operation, answer) is None, f"{operation.label}: {answer.text}"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"in": value}
    return value


@pytest.mark.parametrize(("depth", "status"), [(MAX_DEPTH - 1, 202), (MAX_DEPTH, 400)])
async def test_the_data_of_an_event_may_be_nested_so_deeply(running: Running, depth: int, status: int) -> None:
    ada = await ada_of(running)
    body = {**ada.event, "data": {**ada.event["data"], "more": nested(depth)}}
    headers = {"Authorization": f"Bearer {running.platform_key}"}
    answer = await running.client.post("/api/v1/events", json=body, headers=headers)
    assert answer.status_code == status, answer.text


async def test_of_a_member_that_is_there_twice_the_last_counts_for_who_may_and_for_what_is_done(
    running: Running,
) -> None:
    """Two readers of one body could be told two accounts; here it is read once."""
    ada, eve = await ada_of(running), await Holdings.make(running, "wombateve", running.kit_apps[1], 20_000)
    key = (await ada.new_key("hookwright", "publish"))["secret"]
    headers = {"Authorization": f"Bearer {key}"}

    def twice(first: Holdings, last: Holdings) -> str:
        text = json.dumps({**last.event, "account": 0, "site": None})
        return text.replace('"account": 0', f'"account": {first.account_id}, "account": {last.account_id}')

    refused = await running.client.post("/api/v1/events", content=twice(ada, eve), headers=headers)
    assert refused.status_code == 422
    event_id = content_of(await running.client.post("/api/v1/events", content=twice(eve, ada), headers=headers))
    event = await running.store.event(event_id["event_id"])
    assert event is not None
    assert event.account_id == ada.account_id


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/deliveries"), ("POST", "/api/v1/events")])
async def test_each_key_may_make_so_many_requests_a_minute(database_url: str, method: str, path: str) -> None:
    async with running_on(database_url, requests_per_minute=20) as running:
        running.client.headers["Authorization"] = f"Bearer {running.platform_key}"
        statuses = [(await running.client.request(method, path, content=b"")).status_code for _ in range(20)]
        assert 429 not in statuses
        refused = await running.client.request(method, path, content=b"")
        assert refused.status_code == 429
        assert OWN.shape_problem(path, 429, "application/problem+json", refused.json()) is None
        running.clock.move(seconds=int(refused.headers["retry-after"]))
        assert (await running.client.request(method, path, content=b"")).status_code != 429


async def test_the_requests_of_one_key_do_not_count_for_another(database_url: str) -> None:
    async with running_on(database_url, requests_per_minute=20) as running:
        manage = {"Authorization": f"Bearer {running.platform_key}"}
        account = content_of(await running.client.post("/api/v1/accounts", json={"name": "Ada"}, headers=manage))
        body = {"kind": "hookwright", "account": account["id"], "name": "Ada", "scopes": ["read"]}
        keys = [
            content_of(await running.client.post("/api/v1/keys", json=body, headers=manage))["secret"] for _ in "ab"
        ]
        for key in keys:
            headers = {"Authorization": f"Bearer {key}"}
            answers = [await running.client.get("/api/v1/replays", headers=headers) for _ in range(21)]
            assert [answer.status_code for answer in answers] == [200] * 20 + [429]


async def test_an_account_has_no_more_endpoints_than_it_may(database_url: str) -> None:
    async with running_on(database_url) as running:
        ada = await ada_of(running)
        held = len(
            content_of(
                await running.client.get(
                    "/api/v1/endpoints",
                    params={"account": ada.account_id},
                    headers={"Authorization": f"Bearer {running.platform_key}"},
                )
            )["data"]
        )
        makers = creations(running, ada)
    async with running_on(database_url, endpoints_per_account=held) as running:
        for label, call in makers:
            answer = await running.client.post(**call)
            assert answer.status_code == 409, f"{label}: {answer.text}"
            (operation,) = [each for each in _operations(running) if each.label == label]
            assert shape_problem(operation, answer) is None, answer.text
    async with running_on(database_url, endpoints_per_account=held + 4) as running:
        for label, call in makers:
            assert (await running.client.post(**call)).is_success, label


def creations(running: Running, ada: Holdings) -> list[tuple[str, dict[str, Any]]]:
    manage = {"Authorization": f"Bearer {running.platform_key}"}
    owner = {"Authorization": f"Bearer {ada.own('kajabi token')}"}
    own = {"account": ada.account_id, "url": ada.target, "events": ["contact.*"]}
    return [
        ("POST /api/v1/endpoints", {"url": "/api/v1/endpoints", "json": own, "headers": manage}),
        ("POST /v1/hooks", {"url": "/v1/hooks", "json": ada.hook, "headers": owner}),
        ("POST /v4/webhooks", {"url": "/v4/webhooks", "json": ada.webhook, "headers": ada.kit_headers}),
        (
            "POST /v4/webhook_endpoints",
            {"url": "/v4/webhook_endpoints", "json": ada.webhook_endpoint, "headers": ada.kit_headers},
        ),
    ]


def _operations(running: Running) -> list[Operation]:
    assert isinstance(running.hookwright.app, Surfaces)
    return operations_of(running.hookwright.app)


@pytest.mark.parametrize(
    "path", ["/api/v1/events", "/api/v1/keys", "/v1/oauth/token", "/v3/automations/hooks", "/v4/oauth/token"]
)
async def test_a_body_that_ends_early_is_no_fault_of_ours(running: Running, path: str) -> None:
    """uvicorn would log one, with its traceback, for whoever hangs up."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {running.platform_key}".encode()), (b"host", b"localhost")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    await running.hookwright.app(
        {**scope, "headers": headers, "scheme": "http", "http_version": "1.1"}, receive, send
    )
    assert sent[0]["status"] == 400
