"""An integration written for Kit, pointed at Hookwright: webhooks of API v4 and, by their old name, of v3."""

from __future__ import annotations

import httpx
import pytest

from e2e.vendors.kit_client import (
    CONTACT,
    DOCUMENTED,
    PAYLOADS,
    check_errors,
    create,
    create_many,
    page_of,
)
from e2e.vendors.platform import Platform
from hookwright.testing.receiver import Receiver

RULES = "/v3/automations/hooks"


async def test_the_documented_example_with_its_nulls_creates_a_webhook(
    kit: httpx.AsyncClient, platform: Platform
) -> None:
    answer = await kit.post("/v4/webhooks", json=DOCUMENTED["request_example"])
    webhook = answer.json()["webhook"]
    changed = {"id": webhook["id"], "account_id": platform.account_id}
    assert (answer.status_code, webhook) == (201, DOCUMENTED["created_example"]["webhook"] | changed)


async def test_a_list_is_walked_by_its_cursors_in_both_directions(kit: httpx.AsyncClient) -> None:
    ids = await create_many(kit, 5)
    first = await page_of(kit, per_page=2)
    second = await page_of(kit, per_page=2, after=first.end)
    third = await page_of(kit, per_page=2, after=second.end)
    assert [first.ids, second.ids, third.ids] == [ids[:2], ids[2:4], ids[4:]]
    assert [page.neighbours for page in (first, second, third)] == [(False, True), (True, True), (True, False)]
    assert (await page_of(kit, per_page=2, before=second.start)).ids == ids[:2]


async def test_an_empty_list_has_null_cursors(kit: httpx.AsyncClient) -> None:
    # Source: linyiru/kit-rb, spec/cassettes/integration/tags.yml.
    pagination = {"has_previous_page": False, "has_next_page": False, "start_cursor": None, "end_cursor": None}
    answer = await kit.get("/v4/webhooks")
    assert answer.json() == {"webhooks": [], "pagination": {**pagination, "per_page": 500}}


@pytest.mark.parametrize(("sent", "counted"), [("1", True), ("true", True), ("0", False), ("false", False)])
async def test_the_total_is_counted_for_those_who_ask(kit: httpx.AsyncClient, sent: str, counted: bool) -> None:
    await create_many(kit, 2)
    answer = await kit.get("/v4/webhooks", params={"include_total_count": sent, "per_page": 100})
    pagination = answer.json()["pagination"]
    assert (pagination["per_page"], pagination.get("total_count")) == (100, 2 if counted else None)


async def test_a_deleted_webhook_gets_nothing_more(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    webhook = await create(kit, "subscriber.subscriber_activate", receiver.url)
    assert await platform.publish("contact.activated", {"contact": CONTACT}) == 1
    await receiver.wait_for(1)
    # The PHP SDK sends an empty list as the body of every DELETE.
    deleted = await kit.request("DELETE", f"/v4/webhooks/{webhook['id']}", content=b"[]")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert await platform.publish("contact.activated", {"contact": CONTACT}) == 0
    check_errors(await kit.request("DELETE", f"/v4/webhooks/{webhook['id']}", content=b"[]"), 404, "Not Found")


async def test_a_webhook_without_event_or_target_is_refused_in_the_documented_words(kit: httpx.AsyncClient) -> None:
    for body in ({}, {"target_url": "https://example.com/"}, {"event": {"name": "purchase.purchase_create"}}):
        answer = await kit.post("/v4/webhooks", json=body)
        assert (answer.status_code, answer.json()) == (422, DOCUMENTED["unprocessable_example"])


@pytest.mark.parametrize("target_url", ["example.com", f"https://example.com/{'a' * 10_000}", "https://", 5])
async def test_a_target_that_is_no_url_is_refused(kit: httpx.AsyncClient, target_url: object) -> None:
    body = {"target_url": target_url, "event": {"name": "purchase.purchase_create"}}
    check_errors(await kit.post("/v4/webhooks", json=body), 422)


@pytest.mark.parametrize("name", ["tag_add", "subscriber.tag_added", "x" * 10_000, None])
async def test_an_unknown_event_is_refused(kit: httpx.AsyncClient, name: object) -> None:
    body = {"target_url": "https://example.com/", "event": {"name": name, "tag_id": 1}}
    check_errors(await kit.post("/v4/webhooks", json=body), 422)


@pytest.mark.parametrize(
    "headers", [{"X-Kit-Api-Key": "bogus"}, {"Authorization": "Bearer bogus"}], ids=["key", "token"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v4/webhooks"), ("POST", "/v4/webhooks"), ("DELETE", "/v4/webhooks/1")]
)
async def test_a_wrong_credential_is_refused_in_the_documented_words(
    outside: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await outside.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()) == (401, DOCUMENTED["unauthorized_example"])
    check_errors(await outside.request(method, path), 401, "Authentication Failed")


async def test_version_3_creates_lists_and_deletes_the_same_webhooks(
    kit: httpx.AsyncClient, outside: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    secret = {"api_secret": kit.headers["X-Kit-Api-Key"]}
    event = {"name": "subscriber.course_complete", "course_id": 18}
    created = await outside.post(RULES, json={**secret, "target_url": receiver.url, "event": event})
    rule = created.json()["rule"]
    assert (created.status_code, rule) == (
        200,
        {
            "id": rule["id"],
            "account_id": platform.account_id,
            "event": {"name": "course_complete", "sequence_id": 18},
            "target_url": receiver.url,
        },
    )
    assert (await page_of(kit)).ids == [rule["id"]]
    listed = await outside.get(RULES, params=secret)
    assert listed.json() == [{"rule": {**rule, "status": "enabled"}}]
    data = {"contact": CONTACT, "sequence": {"id": 18}}
    assert await platform.publish("sequence.completed", data) == 1
    assert [request.json() for request in await receiver.wait_for(1)] == [PAYLOADS["subscriber"]]
    deleted = await outside.request("DELETE", f"{RULES}/{rule['id']}", json=secret)
    assert (deleted.status_code, deleted.json()) == (200, {"success": True})
    assert await platform.publish("sequence.completed", data) == 0


@pytest.mark.parametrize(
    ("query", "message"), [({}, "API Key not present"), ({"api_secret": "bogus"}, "API Secret not valid")]
)
async def test_version_3_refuses_in_its_own_shape(
    outside: httpx.AsyncClient, query: dict[str, str], message: str
) -> None:
    answer = await outside.get(RULES, params=query)
    assert (answer.status_code, answer.json()) == (401, {"error": "Authorization Failed", "message": message})
