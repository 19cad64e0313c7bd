import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hookwright.ambient import MovableClock
from hookwright.core.model import SECOND, Account
from hookwright.dialects.kit import KIT
from hookwright.dialects.kit.events import PARAMETERS
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.keys import create_key
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services

from .clients import check_against, vendors

TARGET = "https://example.convertkit.dev/"
LINK = "https://example.com/Offer?utm_source=kit"
SAMPLE_VALUES = {"initiator_value": LINK}


def event_named(name: str) -> dict[str, Any]:
    """A request's `event` with the parameter that it requires."""
    parameter = PARAMETERS[name]
    return {"name": name, parameter: SAMPLE_VALUES.get(parameter, 44)} if parameter else {"name": name}


async def create(client: httpx.AsyncClient, event: object, target_url: str = TARGET) -> httpx.Response:
    return await client.post("/v4/webhooks", json={"target_url": target_url, "event": event})


async def created_ids(client: httpx.AsyncClient, count: int) -> list[int]:
    """The ids of new webhooks, newest first."""
    answers = [await create(client, event_named("subscriber.tag_add")) for _ in range(count)]
    return [answer.json()["webhook"]["id"] for answer in answers][::-1]


async def listed(client: httpx.AsyncClient, **query: str) -> tuple[list[int], dict[str, Any]]:
    """The ids and the pagination of a page."""
    answer = await client.get("/v4/webhooks", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [webhook["id"] for webhook in body["webhooks"]], body["pagination"]


async def test_the_vendors_example_is_accepted_and_answered_as_published(
    kit: httpx.AsyncClient, account: Account
) -> None:
    published = vendors("create_webhook")
    answer = await kit.post("/v4/webhooks", json=published["request_example"])
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    check_against(published["created_schema"], answer.json())
    webhook = answer.json()["webhook"]
    assert webhook == {**published["created_example"]["webhook"], "id": webhook["id"], "account_id": account.id}
    assert list(webhook) == list(published["created_example"]["webhook"])


@pytest.mark.parametrize("name", PARAMETERS)
async def test_each_of_the_fifteen_events_can_be_created_and_listed(kit: httpx.AsyncClient, name: str) -> None:
    event = event_named(name)
    short = {**event, "name": name.partition(".")[2]}
    answer = await create(kit, event)
    assert answer.status_code == 201
    check_against(vendors("create_webhook")["created_schema"], answer.json())
    assert answer.json()["webhook"]["event"] == {"initiator_value": None, **short}
    (webhook,) = (await kit.get("/v4/webhooks")).json()["webhooks"]
    assert webhook["event"] == (short if PARAMETERS[name] else {**short, "initiator_value": None})


async def test_a_webhook_is_an_endpoint_of_the_account(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    target = "https://example.com/in?secret=a%20b"
    answer = await create(kit, {"name": "subscriber.course_complete", "course_id": "18"}, target)
    endpoint = await services.store.endpoint(account.id, answer.json()["webhook"]["id"])
    assert endpoint is not None
    assert (endpoint.dialect, endpoint.url, endpoint.site_id) == ("kit", target, None)
    (subscription,) = endpoint.subscriptions
    assert (subscription.event, subscription.resource) == ("subscriber.course_complete", "18")


async def test_the_same_request_twice_makes_two_webhooks(kit: httpx.AsyncClient) -> None:
    first, second = await created_ids(kit, 2)
    assert first > second


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b'{"target_url":"https://example.com/"}',
        b'{"event":{"name":"subscriber.subscriber_activate"}}',
        b'{"target_url":"","event":{"name":"subscriber.subscriber_activate"}}',
        b'{"target_url":"https://example.com/","event":null}',
    ],
)
async def test_a_missing_parameter_gets_the_vendors_text(kit: httpx.AsyncClient, body: bytes) -> None:
    answer = await kit.post("/v4/webhooks", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 422
    assert answer.json() == vendors("create_webhook")["unprocessable_example"]


@pytest.mark.parametrize(
    ("target_url", "event", "text"),
    [
        (TARGET, {"name": "subscriber.tag_add"}, "`tag_id` must be provided for the event `subscriber.tag_add`"),
        (TARGET, {"name": "subscriber.tag_add", "tag_id": "x"}, "`tag_id` must be an integer"),
        (TARGET, "subscriber.tag_add", "`event` must be an object with a `name`"),
        (4, {"name": "purchase.purchase_create"}, "`target_url` must be a string"),
        (
            "https://a.example/\0",
            {"name": "purchase.purchase_create"},
            "`target_url` must not contain NUL characters",
        ),
    ],
)
async def test_a_wrong_parameter_is_named(kit: httpx.AsyncClient, target_url: Any, event: object, text: str) -> None:
    answer = await create(kit, event, target_url)
    assert (answer.status_code, answer.json()) == (422, {"errors": [text]})


@pytest.mark.parametrize("target_url", ["ftp://example.com/", "example.com", "https://", "mailto:a@example.com"])
async def test_a_target_that_we_cannot_call_is_refused(kit: httpx.AsyncClient, target_url: str) -> None:
    answer = await create(kit, {"name": "purchase.purchase_create"}, target_url)
    assert answer.status_code == 422
    (text,) = answer.json()["errors"]
    assert text.startswith("Target url is invalid: ")
    assert (await kit.get("/v4/webhooks")).json()["webhooks"] == []


async def test_a_body_that_is_no_json_is_a_bad_request(kit: httpx.AsyncClient) -> None:
    answer = await kit.post("/v4/webhooks", content=b'{"target_url":')
    assert answer.status_code == 400
    check_against(vendors("create_webhook")["errors_schema"], answer.json())


@pytest.mark.parametrize("as_parts", [False, True])
async def test_a_form_creates_a_webhook_as_rails_reads_one(kit: httpx.AsyncClient, as_parts: bool) -> None:
    form = {"target_url": "https://example.com/ü", "event[name]": "subscriber.tag_add", "event[tag_id]": "44"}
    parts = {name: (None, value) for name, value in form.items()}
    answer = await (kit.post("/v4/webhooks", files=parts) if as_parts else kit.post("/v4/webhooks", data=form))
    assert answer.status_code == 201, answer.text
    webhook = answer.json()["webhook"]
    assert webhook["target_url"] == "https://example.com/ü"
    assert webhook["event"] == {"name": "tag_add", "tag_id": 44, "initiator_value": None}


async def test_json_that_curl_calls_a_form_is_json(kit: httpx.AsyncClient) -> None:
    body = {"target_url": "https://example.com/", "event": {"name": "subscriber.subscriber_activate"}}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await kit.post("/v4/webhooks", content=json.dumps(body), headers=headers)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("content", [b"target_url=a&event=b", b"event[]=b&event[name]=c", b"%ff=1", b"a&" * 100])
async def test_a_form_that_makes_no_sense_is_refused(kit: httpx.AsyncClient, content: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await kit.post("/v4/webhooks", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert list(answer.json()) == ["errors"]


async def test_an_empty_list_has_null_cursors(kit: httpx.AsyncClient) -> None:
    # linyiru/kit-rb, spec/cassettes/integration/tags.yml, recorded from the vendor's API
    assert (await kit.get("/v4/webhooks")).json() == {
        "webhooks": [],
        "pagination": {
            "has_previous_page": False,
            "has_next_page": False,
            "start_cursor": None,
            "end_cursor": None,
            "per_page": 500,
        },
    }


async def test_webhooks_are_listed_newest_first(kit: httpx.AsyncClient) -> None:
    ids = await created_ids(kit, 3)
    found, pagination = await listed(kit)
    assert found == ids
    assert (pagination["has_previous_page"], pagination["has_next_page"]) == (False, False)
    assert list(pagination) == ["has_previous_page", "has_next_page", "start_cursor", "end_cursor", "per_page"]


async def test_after_walks_to_older_pages_and_before_back_to_newer_ones(kit: httpx.AsyncClient) -> None:
    ids = await created_ids(kit, 5)
    first, first_page = await listed(kit, per_page="2")
    second, second_page = await listed(kit, per_page="2", after=first_page["end_cursor"])
    third, third_page = await listed(kit, per_page="2", after=second_page["end_cursor"])
    assert [first, second, third] == [ids[:2], ids[2:4], ids[4:]]
    pages = (first_page, second_page, third_page)
    assert [page["has_previous_page"] for page in pages] == [False, True, True]
    assert [page["has_next_page"] for page in pages] == [True, True, False]
    back, back_page = await listed(kit, per_page="2", before=third_page["start_cursor"])
    assert (back, back_page) == (second, second_page)
    again, again_page = await listed(kit, per_page="2", before=second_page["start_cursor"])
    assert (again, again_page) == (first, first_page)


async def test_a_page_beyond_the_end_is_empty_and_says_what_lies_behind(kit: httpx.AsyncClient) -> None:
    await created_ids(kit, 2)
    _, page = await listed(kit)
    found, beyond = await listed(kit, after=page["end_cursor"])
    assert (found, beyond["has_previous_page"], beyond["has_next_page"]) == ([], True, False)
    found, beyond = await listed(kit, before=page["start_cursor"])
    assert (found, beyond["has_previous_page"], beyond["has_next_page"]) == ([], False, True)


async def test_both_cursors_together_give_what_lies_between(kit: httpx.AsyncClient) -> None:
    ids = await created_ids(kit, 4)
    cursors = [(await listed(kit, per_page="1", **query))[1]["start_cursor"] for query in ({}, {"after": ""})]
    assert cursors[0] == cursors[1]
    last = (await listed(kit))[1]["end_cursor"]
    found, page = await listed(kit, after=cursors[0], before=last)
    assert found == ids[1:3]
    assert (page["has_previous_page"], page["has_next_page"]) == (True, True)


@pytest.mark.parametrize(
    ("asked", "given"), [("1", 1), ("1000", 1000), ("9999", 1000), ("0", 1), ("-5", 1), ("", 500)]
)
async def test_the_page_size_is_kept_in_bounds_and_echoed(kit: httpx.AsyncClient, asked: str, given: int) -> None:
    assert (await listed(kit, per_page=asked))[1]["per_page"] == given


@pytest.mark.parametrize(
    ("asked", "counted"), [("true", True), ("1", True), ("false", False), ("0", False), ("", False)]
)
async def test_the_total_is_counted_on_demand_and_comes_last(
    kit: httpx.AsyncClient, asked: str, counted: bool
) -> None:
    await created_ids(kit, 2)
    _, pagination = await listed(kit, include_total_count=asked, per_page="1")
    assert ("total_count" in pagination) is counted
    if counted:
        assert list(pagination.items())[-1] == ("total_count", 2)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("after", "nonsense"),
        ("after", "WzJd\0"),
        ("before", "W10="),  # []
        ("before", "WyIyIl0="),  # ["2"]
        ("after", "Wy0xXQ=="),  # [-1]
        ("after", "é"),
        ("per_page", "many"),
        ("per_page", "1.5"),
        ("include_total_count", "yes"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_by_name(
    kit: httpx.AsyncClient, parameter: str, value: str
) -> None:
    answer = await kit.get("/v4/webhooks", params={parameter: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0].startswith(f"`{parameter}` ")


@pytest.mark.parametrize("content", [None, b"[]", b"{}", b"not even json"])
async def test_a_deletion_ignores_its_body(kit: httpx.AsyncClient, content: bytes | None) -> None:
    (id,) = await created_ids(kit, 1)
    answer = await kit.request("DELETE", f"/v4/webhooks/{id}", content=content)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await listed(kit))[0] == []


@pytest.mark.parametrize("id", ["1", "0", "-1", "abc", "1.5", "9" * 30, "9007199254740993", "٣", "%00"])
async def test_an_unknown_webhook_is_not_found(kit: httpx.AsyncClient, id: str) -> None:
    answer = await kit.delete(f"/v4/webhooks/{id}")
    assert (answer.status_code, answer.json()) == (404, {"errors": ["Not Found"]})


async def test_a_webhook_is_deleted_once(kit: httpx.AsyncClient) -> None:
    (id,) = await created_ids(kit, 1)
    assert [(await kit.delete(f"/v4/webhooks/{id}")).status_code for _ in range(2)] == [204, 404]


async def test_nobody_sees_another_accounts_webhooks_or_other_dialects_endpoints(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    stranger = (await create_account(services, "Bob")).account
    others = [
        await create_endpoint(services, stranger.id, "kit", TARGET, []),
        await create_endpoint(services, account.id, "kajabi", TARGET, []),
    ]
    assert (await listed(kit, include_total_count="1"))[1]["total_count"] == 0
    assert [(await kit.delete(f"/v4/webhooks/{other.id}")).status_code for other in others] == [404, 404]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v4/webhooks/1"),
        ("HEAD", "/v4/webhooks/1"),
        ("PUT", "/v4/webhooks/1"),
        ("PATCH", "/v4/webhooks"),
        ("OPTIONS", "/v4/webhooks"),
    ],
)
async def test_to_rails_there_are_no_other_operations(kit: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await kit.request(method, path)
    assert answer.status_code == 404
    assert "allow" not in answer.headers
    if method != "HEAD":
        assert answer.json() == {"errors": ["Not Found"]}


async def test_head_is_get_without_the_content(kit: httpx.AsyncClient) -> None:
    full, head = await kit.get("/v4/webhooks"), await kit.head("/v4/webhooks")
    assert (head.status_code, head.headers, head.content) == (200, full.headers, b"")


async def test_an_event_reaches_the_webhooks_that_wait_for_its_resource(
    kit: httpx.AsyncClient, services: Services, account: Account, clock: MovableClock
) -> None:
    wanted = (await create(kit, {"name": "subscriber.tag_add", "tag_id": "44"})).json()["webhook"]["id"]
    await create(kit, {"name": "subscriber.tag_add", "tag_id": 45})
    await create(kit, {"name": "subscriber.tag_remove", "tag_id": 44})
    speaking = replace(services, translations={"kit": KIT.translate})
    data = b'{"contact":{"id":1,"email":"ada@example.com"},"tag":{"id":44}}'
    await publish(speaking, [Publish(type="contact.tag_added", account=account.id, data=data)])  # type: ignore[arg-type]
    (claim,) = await services.store.claim(10, clock.now(), clock.now() + 60 * SECOND)
    assert (claim.endpoint_id, claim.dialect_event) == (wanted, "subscriber.tag_add")
    assert claim.body.startswith(b'{"subscriber":{"id":1,')


async def test_the_account_answers_with_everything_that_the_vendors_does(
    kit: httpx.AsyncClient, account: Account
) -> None:
    answer = await kit.get("/v4/account")
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["user", "account"]
    assert (body["account"]["id"], body["account"]["name"]) == (account.id, "Ada's courses")
    assert body["account"]["created_at"] == "2026-09-21T14:13:20Z"
    assert set(body["account"]) == {
        *("id", "name", "plan_type", "primary_email_address", "created_at"),
        *("timezone", "sending_addresses", "plan"),
    }


async def test_a_second_account_is_another_one(services: Services, kit: httpx.AsyncClient) -> None:
    other = (await create_account(services, "Bob")).account
    secret = (await create_key(services, "kit", other.id, "integration", [])).secret
    answer = await kit.get("/v4/account", headers={"X-Kit-Api-Key": secret})
    assert answer.json()["account"]["id"] == other.id
