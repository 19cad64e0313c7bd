"""`/v4/webhook_endpoints`: create, list, get, update, delete."""

from typing import Any

import httpx
import pytest

from hookwright.ambient import MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.errors import Invalid
from hookwright.core.model import Account
from hookwright.dialects.kit.endpoint_events import EVENT_TYPES, PLANNED
from hookwright.dialects.kit.endpoint_requests import parse_change, parse_new_endpoint
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import set_status
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

from .clients import vendors

PATH = "/v4/webhook_endpoints"
PUBLISHED = vendors("webhook_endpoints")
WANTED = PUBLISHED["request_example"]


async def created(client: httpx.AsyncClient, **changes: object) -> dict[str, Any]:
    answer = await client.post(PATH, json={**WANTED, **changes})
    assert answer.status_code == 201, answer.text
    endpoint: dict[str, Any] = answer.json()["webhook_endpoint"]
    return endpoint


async def listed(client: httpx.AsyncClient, **query: str) -> tuple[list[int], dict[str, Any]]:
    """The ids and the pagination of a page."""
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [endpoint["id"] for endpoint in body["webhook_endpoints"]], body["pagination"]


async def updated(client: httpx.AsyncClient, id: int, **changes: object) -> dict[str, Any]:
    answer = await client.patch(f"{PATH}/{id}", json=changes)
    assert answer.status_code == 200, answer.text
    endpoint: dict[str, Any] = answer.json()["webhook_endpoint"]
    return endpoint


def refusal_of(body: object) -> str:
    with pytest.raises(Invalid) as refused:
        parse_new_endpoint(body, TargetPolicy())
    return refused.value.problems[0].message


async def test_the_vendors_example_is_answered_as_published_with_a_secret(
    kit: httpx.AsyncClient, clock: MovableClock
) -> None:
    clock.move(seconds=1_676_634_235 - clock.now() // 1_000_000)  # 2023-02-17T11:43:55Z, as in the example
    endpoint = await created(kit)
    assert endpoint.pop("secret").startswith("whsec_")
    assert endpoint == {**PUBLISHED["endpoint_example"], "id": endpoint["id"]}
    assert list(endpoint) == list(PUBLISHED["endpoint_example"])


async def test_a_form_creates_an_endpoint_as_rails_reads_one(kit: httpx.AsyncClient) -> None:
    form = {"url": WANTED["url"], "events[]": WANTED["events"], "name": "My webhook"}
    answer = await kit.post(PATH, data=form)
    assert answer.status_code == 201, answer.text
    assert answer.json()["webhook_endpoint"]["events"] == sorted(WANTED["events"])


async def test_only_the_creation_shows_the_secret(kit: httpx.AsyncClient) -> None:
    endpoint = await created(kit)
    shown = {name: value for name, value in endpoint.items() if name != "secret"}
    assert (await kit.get(f"{PATH}/{endpoint['id']}")).json() == {"webhook_endpoint": shown}
    assert (await kit.get(PATH)).json()["webhook_endpoints"] == [shown]
    assert await updated(kit, endpoint["id"]) == shown


async def test_an_endpoint_of_kits_is_one_of_ours_with_kits_schedule_and_batches(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    id = (await created(kit))["id"]
    endpoint = await services.store.endpoint(account.id, id)
    assert endpoint is not None
    assert (endpoint.dialect, endpoint.batch_limit, endpoint.app_id) == ("kit_endpoints", 100, None)
    assert endpoint.retry_schedule == (0, 30, 120, 900, 3600, 14400, 43200, 86400)


async def test_all_23_event_types_can_be_had_and_come_back_sorted_and_once(kit: httpx.AsyncClient) -> None:
    assert len(EVENT_TYPES) == 23
    endpoint = await created(kit, events=[*sorted(EVENT_TYPES, reverse=True), "tag.created"])
    assert endpoint["events"] == sorted(EVENT_TYPES)


async def test_what_is_left_out_gets_the_hosts_name_and_an_empty_description(kit: httpx.AsyncClient) -> None:
    for given in ({}, {"name": None, "description": None}, {"name": " "}):
        body = {"url": "https://Hooks.Example.com:8443/in?a=b", "events": ["tag.created"], **given}
        endpoint = (await kit.post(PATH, json=body)).json()["webhook_endpoint"]
        assert (endpoint["name"], endpoint["description"]) == ("hooks.example.com", "")


@pytest.mark.parametrize("event", PLANNED)
async def test_an_announced_event_type_cannot_be_had_yet(kit: httpx.AsyncClient, event: str) -> None:
    answer = await kit.post(PATH, json={**WANTED, "events": ["tag.created", event]})
    assert answer.status_code == 422
    assert answer.json() == {
        "errors": [f"`events` must not name event types that are not available yet: {event}"],
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": None}, "`url` must be provided"),
        ({"events": None}, "`events` must be provided"),
        ({"events": []}, "`events` must name at least one event type"),
        ({"events": "tag.created"}, "`events` must be a list of event types"),
        ({"events": [1]}, "`events` must be a list of event types"),
        ({"events": ["b", "tag.created", "a"]}, "`events` must not name unknown event types: a, b"),
        ({"events": ["subscriber.tag_add"]}, "`events` must not name unknown event types: subscriber.tag_add"),
        ({"events": ["tag.created\0"]}, "`events` must not name unknown event types: tag.created\0"),
        ({"url": 4}, "`url` must be a string"),
        ({"url": ""}, "`url` is invalid: must be a whole URL, such as https://example.com/hooks"),
        ({"url": "https://a.example/\0"}, "`url` is invalid: must not contain control characters"),
        ({"name": 4}, "`name` must be a string"),
        ({"name": "a\0"}, "`name` must not contain NUL characters"),
        ({"name": "a" * 256}, "`name` is too long (at most 255 characters)"),
        ({"description": ["a"]}, "`description` must be a string"),
        ({"description": "\0"}, "`description` must not contain NUL characters"),
        ({"description": "a" * 5001}, "`description` is too long (at most 5000 characters)"),
    ],
)
def test_a_bad_value_is_refused_by_name(changes: dict[str, object], message: str) -> None:
    assert refusal_of({**WANTED, **changes}) == message


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://localhost/", "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/"],
)
def test_in_production_a_target_must_be_public_and_https(url: str) -> None:
    assert refusal_of({**WANTED, "url": url}).startswith("`url` is invalid: ")
    with pytest.raises(Invalid):
        parse_change({"url": url}, TargetPolicy())


async def test_a_refusal_is_one_text(kit: httpx.AsyncClient) -> None:
    for body, text in (({}, "`url` must be provided"), ({"url": "example.com", "events": []}, "`url` is invalid: ")):
        answer = await kit.post(PATH, json=body)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error.startswith(text)


@pytest.mark.parametrize(("body", "status"), [(b"", 422), (b"[]", 422), (b'"a"', 422), (b"{", 400)])
async def test_a_body_that_is_no_object_is_refused(kit: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await kit.post(PATH, content=body)
    assert (answer.status_code, list(answer.json())) == (status, ["errors"])


async def test_the_older_webhooks_and_these_are_listed_apart(kit: httpx.AsyncClient) -> None:
    endpoint = await created(kit)
    older = {"target_url": "https://example.com/", "event": {"name": "subscriber.subscriber_activate"}}
    webhook = (await kit.post("/v4/webhooks", json=older)).json()["webhook"]
    assert (await listed(kit))[0] == [endpoint["id"]]
    assert [each["id"] for each in (await kit.get("/v4/webhooks")).json()["webhooks"]] == [webhook["id"]]
    assert (await kit.get(f"{PATH}/{webhook['id']}")).status_code == 404
    assert (await kit.delete(f"/v4/webhooks/{endpoint['id']}")).status_code == 404
    assert (await kit.delete(f"{PATH}/{webhook['id']}")).status_code == 404


async def test_an_empty_list_has_null_cursors(kit: httpx.AsyncClient) -> None:
    assert await listed(kit) == (
        [],
        {
            "has_previous_page": False,
            "has_next_page": False,
            "start_cursor": None,
            "end_cursor": None,
            "per_page": 500,
        },
    )


async def test_pages_go_forth_and_back(kit: httpx.AsyncClient) -> None:
    ids = [(await created(kit))["id"] for _ in range(5)][::-1]
    first, pagination = await listed(kit, per_page="2", include_total_count="true")
    assert (first, pagination["total_count"]) == (ids[:2], 5)
    assert (pagination["has_previous_page"], pagination["has_next_page"]) == (False, True)
    second, pagination = await listed(kit, per_page="2", after=pagination["end_cursor"])
    assert second == ids[2:4]
    assert (pagination["has_previous_page"], pagination["has_next_page"]) == (True, True)
    third, after_third = await listed(kit, per_page="2", after=pagination["end_cursor"])
    assert (third, after_third["has_next_page"]) == (ids[4:], False)
    assert "total_count" not in after_third
    again, before = await listed(kit, per_page="2", before=pagination["start_cursor"])
    assert (again, before["has_previous_page"], before["has_next_page"]) == (ids[:2], False, True)
    nearest, _ = await listed(kit, per_page="1", before=pagination["start_cursor"])
    assert nearest == ids[1:2]
    nothing, beyond = await listed(kit, after=after_third["end_cursor"])
    assert (nothing, beyond["has_previous_page"], beyond["has_next_page"]) == ([], True, False)
    nothing, beyond = await listed(kit, before=before["start_cursor"])
    assert (nothing, beyond["has_previous_page"], beyond["has_next_page"]) == ([], False, True)


async def test_a_list_can_be_of_one_status(kit: httpx.AsyncClient) -> None:
    first, second = (await created(kit))["id"], (await created(kit))["id"]
    await updated(kit, first, status="disabled")
    assert (await listed(kit, status="active", include_total_count="1"))[1]["total_count"] == 1
    assert (await listed(kit, status="active"))[0] == [second]
    assert (await listed(kit, status="disabled"))[0] == [first]
    assert (await listed(kit, status=""))[0] == [second, first]
    answer = await kit.get(PATH, params={"status": "paused"})
    assert answer.status_code == 422
    assert answer.json() == {"errors": ["`status` must be active or disabled, not paused"]}


async def test_an_update_changes_what_it_names_and_replaces_all_events(kit: httpx.AsyncClient) -> None:
    endpoint = await created(kit)
    del endpoint["secret"]
    changes = {"name": "Another", "url": "https://hooks.example.com/2", "description": ""}
    assert await updated(kit, endpoint["id"], **changes) == {**endpoint, **changes}
    await updated(kit, endpoint["id"], events=["tag.deleted", "tag.created"], name=None)
    shown = (await kit.get(f"{PATH}/{endpoint['id']}")).json()["webhook_endpoint"]
    assert shown == {**endpoint, **changes, "events": ["tag.created", "tag.deleted"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": []}, "`events` must name at least one event type"),
        (
            {"events": ["subscriber.email_opened"]},
            "`events` must not name event types that are not available yet: subscriber.email_opened",
        ),
        ({"events": ["nothing"]}, "`events` must not name unknown event types: nothing"),
        ({"name": " "}, "`name` must not be blank"),
        ({"url": "ftp://example.com/"}, "`url` is invalid: must start with https://"),
        ({"status": "paused"}, "`status` must be active or disabled, not paused"),
        ({"status": True}, "`status` must be active or disabled"),
    ],
)
async def test_a_bad_update_changes_nothing(kit: httpx.AsyncClient, changes: dict[str, object], message: str) -> None:
    endpoint = await created(kit)
    answer = await kit.patch(f"{PATH}/{endpoint['id']}", json={"description": "New", **changes})
    assert (answer.status_code, answer.json()) == (422, {"errors": [message]})
    shown = (await kit.get(f"{PATH}/{endpoint['id']}")).json()["webhook_endpoint"]
    assert shown == {name: value for name, value in endpoint.items() if name != "secret"}


async def test_its_owner_pauses_an_endpoint_by_disabling_it(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    id = (await created(kit))["id"]
    assert (await updated(kit, id, status="disabled"))["status"] == "disabled"
    endpoint = await services.store.endpoint(account.id, id)
    assert endpoint is not None
    assert (endpoint.status, endpoint.status_reason) == ("paused", "disabled by its owner")
    assert (await updated(kit, id, status="active"))["status"] == "active"


async def test_an_endpoint_that_we_disabled_keeps_our_reason_until_it_is_activated(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    id = (await created(kit))["id"]
    await set_status(services, account.id, id, "disabled", "gone")
    assert (await updated(kit, id, status="disabled"))["status"] == "disabled"
    endpoint = await services.store.endpoint(account.id, id)
    assert endpoint is not None
    assert (endpoint.status, endpoint.status_reason) == ("disabled", "gone")
    assert (await updated(kit, id, status="active"))["status"] == "active"


async def test_a_deleted_endpoint_is_gone(kit: httpx.AsyncClient) -> None:
    id = (await created(kit))["id"]
    answer = await kit.delete(f"{PATH}/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await listed(kit))[0] == []
    assert (await kit.delete(f"{PATH}/{id}")).status_code == 404


@pytest.mark.parametrize("id", ["0", "13", "-1", "x", "9223372036854775808", "1" * 40, "%00", "١"])
async def test_an_id_that_names_nothing_is_not_found(kit: httpx.AsyncClient, id: str) -> None:
    answers = [
        await kit.get(f"{PATH}/{id}"),
        await kit.patch(f"{PATH}/{id}", json={"events": []}),
        await kit.delete(f"{PATH}/{id}"),
        await kit.post(f"{PATH}/{id}/rotate_secret"),
        await kit.post(f"{PATH}/{id}/revoke_previous_secret"),
        await kit.get(f"{PATH}/{id}/deliveries"),
        await kit.get(f"{PATH}/{id}/deliveries/1"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (404, PUBLISHED["not_found_example"])


async def test_another_accounts_endpoint_is_not_found(
    kit: httpx.AsyncClient, anyone: httpx.AsyncClient, services: Services
) -> None:
    endpoint = await created(kit)
    other = (await create_account(services, "Grace's courses")).account
    headers = {"X-Kit-Api-Key": (await create_key(services, "kit", other.id, "integration", [])).secret}
    assert (await anyone.get(f"{PATH}/{endpoint['id']}", headers=headers)).status_code == 404
    assert (await anyone.delete(f"{PATH}/{endpoint['id']}", headers=headers)).status_code == 404
    assert (await anyone.get(PATH, headers=headers)).json()["webhook_endpoints"] == []


async def test_without_a_credential_nothing_is_told(anyone: httpx.AsyncClient) -> None:
    for path in (PATH, f"{PATH}/1", f"{PATH}/1/deliveries", f"{PATH}?per_page=x"):
        answer = await anyone.get(path)
        assert (answer.status_code, answer.json()) == (401, {"errors": ["Authentication Failed"]})
