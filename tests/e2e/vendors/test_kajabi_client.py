"""An integration written for Kajabi, pointed at Hookwright: hooks, tokens, keys and refusals."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from e2e.vendors.kajabi_client import EVENTS, Kajabi, check_shape
from e2e.vendors.platform import Platform
from hookwright.testing.receiver import Receiver

TAGGED = {"contact": {"id": 7, "email": "grace@example.com"}, "tag": {"id": 123, "name": "VIP"}}


async def test_hooks_are_created_shown_listed_filtered_and_deleted(
    kajabi: Kajabi, platform: Platform, receiver: Receiver
) -> None:
    answer = await kajabi.create("tag_added", f"{receiver.url}/tags", resource_id="123")
    check_shape(answer, "hooks_show_response", 201)
    hook = answer.json()["data"]
    assert hook["attributes"] | {"created_at": "", "updated_at": ""} == {
        "event": "tag_added",
        "target_url": f"{receiver.url}/tags",
        "created_at": "",
        "updated_at": "",
        "resource_id": 123,
    }
    assert hook["relationships"] == {"site": {"data": {"id": platform.site_id, "type": "sites"}}}
    shown = await kajabi.ask("GET", f"/v1/hooks/{hook['id']}")
    check_shape(shown, "hooks_show_response", 200)
    assert shown.json() == answer.json()
    purchases = await kajabi.created("purchase", f"{receiver.url}/purchases")
    assert await kajabi.listed() == [hook["id"], purchases]
    assert await kajabi.listed(**{"filter[event_eq]": "purchase"}) == [purchases]
    assert await kajabi.listed(**{"page[size]": 1, "page[number]": 2}) == [purchases]

    assert await platform.publish("contact.tag_added", TAGGED) == 1
    await receiver.wait_for(1)
    deleted = await kajabi.ask("DELETE", f"/v1/hooks/{hook['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert await platform.publish("contact.tag_added", TAGGED) == 0
    for method in ("GET", "DELETE"):
        gone = await kajabi.ask(method, f"/v1/hooks/{hook['id']}")
        check_shape(gone, "errors_unauthorized", 404)  # the vendor declares one shape of errors
    assert await kajabi.listed() == [purchases]
    await platform.finished_deliveries(1)
    assert receiver.count == 1


async def test_pages_are_walked_by_their_links(kajabi: Kajabi) -> None:
    created = [await kajabi.created("tag_added", f"https://example.com/{number}") for number in range(5)]
    page = (await kajabi.ask("GET", "/v1/hooks", params={"page[size]": 2})).json()
    walked = [hook["id"] for hook in page["data"]]
    while following := page["links"].get("next"):
        page = (await kajabi.ask("GET", following)).json()
        walked += [hook["id"] for hook in page["data"]]
    assert walked == created
    assert page["meta"].items() >= {"total_pages": 3, "total_count": 5, "current_page": 3}.items()


async def test_the_older_prefix_and_a_request_without_a_site_work_as_well(kajabi: Kajabi, platform: Platform) -> None:
    document = kajabi.document("tag_added", "https://example.com/webhook")
    del document["data"]["relationships"]
    answer = await kajabi.ask("POST", "/api/v1/hooks", document)
    assert answer.status_code == 201
    assert answer.json()["data"]["relationships"]["site"]["data"]["id"] == platform.site_id
    assert len((await kajabi.ask("GET", "/api/v1/hooks")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event": "tag_renamed"}, "/data/attributes/event"),
        ({"event": None}, "/data/attributes/event"),
        ({"target_url": ""}, "/data/attributes/target_url"),
        ({"target_url": "example.com"}, "/data/attributes/target_url"),
        ({"target_url": f"https://example.com/{'a' * 10_000}"}, "/data/attributes/target_url"),
        ({"resource_id": "VIP"}, "/data/attributes/resource_id"),
    ],
)
async def test_a_hook_with_invalid_parameters_is_refused(
    kajabi: Kajabi, change: dict[str, Any], pointer: str
) -> None:
    document = kajabi.document("tag_added", "https://example.com/webhook")
    document["data"]["attributes"] |= change
    answer = await kajabi.ask("POST", "/v1/hooks", document)
    check_shape(answer, "errors_unprocessable", 422)
    assert [error["source"]["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("document", [{}, {"data": None}, {"data": {"type": "hooks"}}, []])
async def test_a_request_without_its_parts_is_refused(kajabi: Kajabi, document: object) -> None:
    check_shape(await kajabi.ask("POST", "/v1/hooks", document), "errors_unprocessable", 422)


async def test_another_accounts_site_is_refused(kajabi: Kajabi, platform: Platform) -> None:
    document = kajabi.document("tag_added", "https://example.com/webhook")
    document["data"]["relationships"]["site"]["data"]["id"] = platform.given["kajabi"]["site_id"]
    check_shape(await kajabi.ask("POST", "/v1/hooks", document), "errors_unprocessable", 422)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/hooks"), ("POST", "/v1/hooks"), ("GET", "/v1/hooks/1"), ("DELETE", "/v1/hooks/1")]
    + [("GET", f"/v1/hooks/{event}_sample") for event in EVENTS],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer bogus"}])
async def test_nothing_about_hooks_is_answered_without_a_token(
    outside: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    check_shape(await outside.request(method, path, headers=headers), "errors_unauthorized", 401)


async def test_tokens_are_granted_refreshed_and_revoked(kajabi: Kajabi, outside: httpx.AsyncClient) -> None:
    answer = await kajabi.ask_for_tokens()
    assert list(answer.json()) == ["access_token", "refresh_token", "token_type", "expires_in"]
    assert (answer.json()["token_type"], type(answer.json()["expires_in"])) == ("Bearer", int)
    await kajabi.ask_for_tokens(grant_type="refresh_token", refresh_token=answer.json()["refresh_token"])
    assert (await kajabi.ask("GET", "/v1/me")).status_code == 200
    revoked = await kajabi.ask("POST", "/v1/oauth/revoke", data={"token": kajabi.tokens["access_token"]})
    assert (revoked.status_code, revoked.content) == (200, b"")
    assert (await kajabi.ask("GET", "/v1/me")).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": kajabi.tokens["refresh_token"]}
    assert (await outside.post("/v1/oauth/token", data=refresh)).status_code == 401


async def test_wrong_credentials_are_refused_in_the_flat_shape(outside: httpx.AsyncClient) -> None:
    wrong = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "nothing"}
    answer = await outside.post("/v1/oauth/token", data=wrong)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid client credentials"})
    assert (await outside.post("/v1/oauth/token")).status_code == 400


@pytest.mark.parametrize(("method", "path"), [("POST", "/keys/{}/rotate"), ("DELETE", "/keys/{}")])
async def test_a_key_that_is_rotated_or_deleted_takes_its_tokens_with_it(
    platform: Platform, method: str, path: str
) -> None:
    key = await platform.new_key("kajabi", "owner")
    client = Kajabi(platform.http, key, platform.site_id)
    await client.ask_for_tokens()
    tokens = client.tokens
    hook = await client.created("tag_added", "https://example.com/")
    rotated = await platform.manage(method, path.format(key["id"]))
    check_shape(await client.ask("GET", "/v1/hooks"), "errors_unauthorized", 401)
    assert (await client.ask_for_tokens()).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await client.ask_for_tokens(**refresh)).status_code == 401
    if rotated:
        renewed = Kajabi(platform.http, rotated, platform.site_id)
        await renewed.ask_for_tokens()
        assert await renewed.listed() == [hook]
