from typing import Any

import httpx
import pytest

from hookwright.core.model import Account
from hookwright.operations.endpoints import set_status
from hookwright.operations.services import Services

TARGET = "http://example.com/"
RULES = "/v3/automations/hooks"


async def create(client: httpx.AsyncClient, api_key: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(RULES, json={"api_secret": api_key, "target_url": TARGET, "event": event})
    assert answer.status_code == 200, answer.text
    rule: dict[str, Any] = answer.json()["rule"]
    return rule


async def test_a_rule_is_answered_as_the_old_documentation_shows(
    anyone: httpx.AsyncClient, api_key: str, account: Account
) -> None:
    rule = await create(anyone, api_key, {"name": "subscriber.course_complete", "sequence_id": 18})
    # ConvertKit/developers-documentation, _webhooks.md
    assert rule == {
        "id": rule["id"],
        "account_id": account.id,
        "event": {"name": "course_complete", "sequence_id": 18},
        "target_url": "http://example.com/",
    }


async def test_rules_and_webhooks_are_the_same_things(
    anyone: httpx.AsyncClient, kit: httpx.AsyncClient, api_key: str
) -> None:
    rule = await create(anyone, api_key, {"name": "subscriber.course_subscribe", "course_id": "18"})
    (webhook,) = (await kit.get("/v4/webhooks")).json()["webhooks"]
    assert webhook == rule


async def test_the_list_is_an_array_of_rules_with_their_status(
    anyone: httpx.AsyncClient, api_key: str, services: Services, account: Account
) -> None:
    first = await create(anyone, api_key, {"name": "subscriber.subscriber_activate"})
    second = await create(anyone, api_key, {"name": "subscriber.tag_add", "tag_id": 44})
    await set_status(services, account.id, second["id"], "paused")
    answer = await anyone.get(RULES, params={"api_secret": api_key})
    # webhookdb/webhookdb, spec/webhookdb/replicator/convertkit_subscriber_v1_spec.rb
    assert answer.json() == [
        {"rule": {**second, "status": "disabled"}},
        {"rule": {**first, "status": "enabled"}},
    ]


async def test_a_list_longer_than_a_page_is_whole(
    anyone: httpx.AsyncClient, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.dialects.kit.automations.CHUNK", 2)
    ids = [(await create(anyone, api_key, {"name": "purchase.purchase_create"}))["id"] for _ in range(5)]
    answer = await anyone.get(RULES, params={"api_secret": api_key})
    assert [entry["rule"]["id"] for entry in answer.json()] == ids[::-1]


async def test_the_secret_may_come_in_a_json_body_a_form_or_the_query(
    anyone: httpx.AsyncClient, api_key: str
) -> None:
    form = {"api_secret": api_key, "target_url": TARGET, "event[name]": "subscriber.tag_add", "event[tag_id]": "44"}
    answer = await anyone.post(RULES, data=form)
    assert answer.json()["rule"]["event"] == {"name": "tag_add", "tag_id": 44}
    body = {"target_url": TARGET, "event": {"name": "purchase.purchase_create"}}
    assert (await anyone.post(RULES, params={"api_secret": api_key}, json=body)).status_code == 200
    ids = [entry["rule"]["id"] for entry in (await anyone.get(RULES, params={"api_secret": api_key})).json()]
    deletions = [
        await anyone.request("DELETE", f"{RULES}/{ids[0]}", json={"api_secret": api_key}),
        await anyone.delete(f"{RULES}/{ids[1]}", params={"api_secret": api_key}),
    ]
    assert [answer.json() for answer in deletions] == [{"success": True}] * 2


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "API Key not present"),
        ({"api_secret": "wrong"}, "API Secret not valid"),
        ({"api_secret": "kit_1_00"}, "API Secret not valid"),
    ],
)
async def test_a_missing_and_a_wrong_secret_are_told_apart(
    anyone: httpx.AsyncClient, query: dict[str, str], message: str
) -> None:
    answer = await anyone.get(RULES, params=query)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Authorization Failed", "message": message}


async def test_the_api_key_alone_is_not_enough(anyone: httpx.AsyncClient, api_key: str) -> None:
    answer = await anyone.get(RULES, params={"api_key": api_key})
    assert (answer.status_code, answer.json()["message"]) == (401, "API Secret not valid")


async def test_a_secret_that_is_no_text_is_not_valid(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.post(RULES, json={"api_secret": {"$ne": None}})
    assert (answer.status_code, answer.json()["message"]) == (401, "API Secret not valid")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 422, "`event` and `target` parameters must be provided"),
        ({"target_url": TARGET, "event": {"name": "subscriber.tag_add"}}, 422, "`tag_id` must be provided"),
        ({"target_url": "nowhere", "event": {"name": "purchase.purchase_create"}}, 422, "Target url is invalid: "),
    ],
)
async def test_refusals_have_an_error_and_a_message(
    anyone: httpx.AsyncClient, api_key: str, body: dict[str, Any], status: int, message: str
) -> None:
    answer = await anyone.post(RULES, json={"api_secret": api_key, **body})
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["message"].startswith(message)


async def test_an_unknown_rule_is_not_found(anyone: httpx.AsyncClient, api_key: str) -> None:
    answer = await anyone.delete(f"{RULES}/1", params={"api_secret": api_key})
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found", "message": "Not Found"})


async def test_a_body_that_is_no_json_is_a_bad_request(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.post(RULES, content=b"{")
    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
