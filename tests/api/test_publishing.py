"""Publishing over HTTP: what is answered, what is refused and where, what an idempotency key means."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.conftest import BASE_URL, CallerWith
from api.requests import EVENTS, event, get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.api import build_api
from hookwright.core.errors import Conflict, Unavailable
from hookwright.core.misfits import MOST
from hookwright.core.model import SECOND, Accepted, Account, Draft, Endpoint
from hookwright.core.samples import SAMPLES
from hookwright.core.times import iso_micros
from hookwright.operations.accounts import create_site
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

BATCH = f"{EVENTS}/batch"


async def test_an_event_is_accepted_with_its_deliveries(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint
) -> None:
    answer = await publish(admin, account)
    assert (answer["deliveries"], answer["duplicate"]) == (1, False)
    listed = await get(admin, "/deliveries", event=answer["event_id"])
    assert [delivery["endpoint"]["id"] for delivery in listed["data"]] == [endpoint.id]


@pytest.mark.parametrize("type", SAMPLES)
async def test_the_sample_of_every_event_type_is_accepted(
    admin: httpx.AsyncClient, account: Account, type: str
) -> None:
    assert (await admin.post(EVENTS, json=event(account, type))).status_code == 202


async def test_ids_may_be_numeric_strings(admin: httpx.AsyncClient, services: Services, account: Account) -> None:
    site = await create_site(services, account.id, "Ada's site")
    body = event(account, site=str(site.id)) | {"account": str(account.id)}
    answer = (await admin.post(EVENTS, json=body)).json()
    assert (await get(admin, f"/events/{answer['event_id']}"))["site"] == site.id


async def test_the_same_key_and_event_answer_the_first_result_again(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint
) -> None:
    first = await publish(admin, account, idempotency_key="a")
    again = await publish(admin, account, idempotency_key="a")
    assert again == {**first, "duplicate": True}


async def test_the_same_key_with_another_event_is_a_conflict(admin: httpx.AsyncClient, account: Account) -> None:
    await publish(admin, account, idempotency_key="a")
    response = await admin.post(EVENTS, json=event(account, "form.submitted", idempotency_key="a"))
    assert response.status_code == 409
    assert pointers(response) == []
    assert response.json()["detail"] == "This idempotency key was used for another event."


async def test_the_key_may_come_in_a_header(admin: httpx.AsyncClient, account: Account) -> None:
    headers = {"Idempotency-Key": "a"}
    first = await admin.post(EVENTS, json=event(account), headers=headers)
    assert (await publish(admin, account, idempotency_key="a"))["event_id"] == first.json()["event_id"]
    same = await admin.post(EVENTS, json=event(account, idempotency_key="a"), headers=headers)
    assert same.json()["duplicate"] is True


@pytest.mark.parametrize(("body", "header"), [({"idempotency_key": "a"}, "b"), ({}, "é"), ({}, ""), ({}, "a" * 256)])
async def test_a_key_that_makes_no_sense_is_refused(
    admin: httpx.AsyncClient, account: Account, body: dict[str, str], header: str
) -> None:
    headers = {b"Idempotency-Key": header.encode()}
    response = await admin.post(EVENTS, json=event(account, **body), headers=headers)
    assert response.status_code == 422
    assert pointers(response) == ["/idempotency_key"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": "contact.exploded"}, "/type"),
        ({"type": 5}, "/type"),
        ({"account": 999_999_999}, "/account"),
        ({"account": -64}, "/account"),
        ({"account": 2**70}, "/account"),
        ({"account": "ada"}, "/account"),
        ({"site": 5}, "/site"),
        ({"occurred_at": "yesterday"}, "/occurred_at"),
        ({"occurred_at": 1_769_883_600}, "/occurred_at"),
        ({"occurred_at": "1769883600.5"}, "/occurred_at"),
        ({"expires_at": 32_503_680_000}, "/expires_at"),
        ({"idempotency_key": ""}, "/idempotency_key"),
        ({"idempotency_key": "a\0"}, "/idempotency_key"),
        ({"data": []}, "/data"),
        ({"data": {"tag": {"id": 1}}}, "/data/contact"),
        ({"data": {"contact": {"id": 1}, "tag": {"id": 1}}}, "/data/contact/email"),
        ({"data": {"contact": {"id": "x", "email": "a@example.com"}, "tag": {"id": 1}}}, "/data/contact/id"),
        (
            {"data": {"contact": {"id": 1, "email": "a@example.com", "fields": {"a": 5}}, "tag": {"id": 1}}},
            "/data/contact/fields",
        ),
    ],
)
async def test_a_refusal_points_to_what_is_wrong(
    admin: httpx.AsyncClient, account: Account, changes: dict[str, Any], pointer: str
) -> None:
    response = await admin.post(EVENTS, json=event(account) | changes)
    assert response.status_code == 422
    assert pointers(response) == [pointer]
    assert (await get(admin, "/deliveries"))["data"] == []


@pytest.mark.parametrize("missing", ["type", "account", "data"])
async def test_what_is_missing_is_pointed_to(admin: httpx.AsyncClient, account: Account, missing: str) -> None:
    body = {name: value for name, value in event(account).items() if name != missing}
    response = await admin.post(EVENTS, json=body)
    assert pointers(response) == [f"/{missing}"]
    assert response.json()["errors"][0] == {"pointer": f"/{missing}", "message": "is required", "code": "blank"}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"type":"\xff"}', b'{"a":' * 50_000, b'"\\ud800"'],
)
async def test_a_body_that_is_not_json_is_a_400(admin: httpx.AsyncClient, body: bytes) -> None:
    for path in (EVENTS, BATCH):
        response = await admin.post(path, content=body)
        assert response.status_code in (400, 422)
        assert pointers(response) == [""]


@pytest.mark.parametrize(
    "value", [b'"\xff"', b"1e999", b"1" * 400, b"[" * 900 + b"]" * 900, b'"\\ud83d\\ude00\\u0000"']
)
async def test_odd_values_beside_the_typed_data_are_no_fault(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint, value: bytes
) -> None:
    data = b'{"contact":{"id":1,"email":"a@example.com"},"tag":{"id":1},"more":%b}' % value
    body = b'{"type":"contact.tag_added","account":%d,"data":%b}' % (account.id, data)
    response = await admin.post(EVENTS, content=body)
    assert response.status_code in (202, 400, 422)
    if response.status_code != 202:
        assert pointers(response)[0].startswith("/data")


async def test_data_that_is_nested_as_deep_as_can_be_read_is_no_fault(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint
) -> None:
    # Somewhere in here is the depth at which one reader of the data gives up and another one does not.
    for depth in range(900, 1000):
        data = b'{"tag":{"id":1},"more":%b}' % (b"[" * depth + b"]" * depth)
        body = b'{"type":"tag.created","account":%d,"idempotency_key":"%d","data":%b}' % (account.id, depth, data)
        for path, content in ((EVENTS, body), (BATCH, b'{"events":[%b]}' % body)):
            assert (await admin.post(path, content=content)).status_code in (202, 400), depth


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-07-20T20:17:40Z"])
async def test_times_at_the_edge_of_the_calendar_are_no_fault(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint, time: str
) -> None:
    data = {"contact": {"id": 1, "email": "a@example.com", "created_at": time}, "tag": {"id": 1, "created_at": time}}
    answer = await publish(admin, account, occurred_at=time, data=data)
    assert (await admin.get(f"{EVENTS}/{answer['event_id']}")).status_code == 200


async def test_a_body_over_the_limit_is_a_413(admin: httpx.AsyncClient, account: Account) -> None:
    padded = event(account, idempotency_key="a" * 256 * 1024)
    response = await admin.post(EVENTS, json=padded)
    assert response.status_code == 413
    assert pointers(response) == []
    assert (await admin.post(BATCH, content=b" " * (16 * 1024 * 1024 + 1))).status_code == 413


async def test_a_batch_answers_in_the_order_of_its_events(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint
) -> None:
    events = [
        event(account, idempotency_key="a"),
        event(account, "form.submitted"),
        event(account, idempotency_key="a"),
        event(account, "form.submitted", idempotency_key="a"),
    ]
    response = await admin.post(BATCH, json={"events": events})
    assert response.status_code == 202
    first, form, again, conflict = response.json()["results"]
    assert (first["deliveries"], form["deliveries"]) == (1, 0)
    assert again == {**first, "duplicate": True}
    assert conflict == {"status": 409, "error": "this idempotency key was used for another event"}


async def test_one_invalid_event_refuses_the_whole_batch(admin: httpx.AsyncClient, account: Account) -> None:
    events = [
        event(account),
        event(account) | {"type": "contact.exploded"},
        event(account, data={"contact": {"id": 1, "email": "a@example.com"}}),
    ]
    response = await admin.post(BATCH, json={"events": events})
    assert response.status_code == 422
    assert pointers(response) == ["/events/1/type", "/events/2/data/tag"]
    assert (await get(admin, "/deliveries"))["data"] == []


async def test_a_malformed_event_in_a_batch_is_pointed_to(admin: httpx.AsyncClient, account: Account) -> None:
    response = await admin.post(BATCH, json={"events": [event(account), event(account) | {"account": []}]})
    assert pointers(response) == ["/events/1/account"]


async def test_a_batch_holds_1_to_1000_events(admin: httpx.AsyncClient, account: Account) -> None:
    full = await admin.post(BATCH, json={"events": [event(account)] * 1000})
    assert full.status_code == 202
    assert len({result["event_id"] for result in full.json()["results"]}) == 1000
    for events in ([], [event(account)] * 1001):
        response = await admin.post(BATCH, json={"events": events})
        assert response.status_code == 422
        assert pointers(response) == ["/events"]


async def test_a_batch_that_is_too_long_is_not_looked_into(admin: httpx.AsyncClient) -> None:
    """Thirty thousand events that are nothing once took seconds, in which nobody else was answered."""
    response = await admin.post(BATCH, json={"events": [{}] * 30_000})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"pointer": "/events", "message": "has more than 1000 events", "code": "too_long"}
    ]


async def test_a_full_batch_of_nothing_is_told_so_many_problems_and_no_more(admin: httpx.AsyncClient) -> None:
    assert len(pointers(await admin.post(BATCH, json={"events": [{}] * 1000}))) == MOST


async def test_a_full_batch_of_bad_data_is_told_so_many_problems_and_no_more(
    admin: httpx.AsyncClient, account: Account
) -> None:
    bad = event(account, data={"contact": {}})
    told = pointers(await admin.post(BATCH, json={"events": [bad] * 1000}))
    assert MOST <= len(told) < MOST + 5


async def test_a_batch_has_no_key_of_its_own(admin: httpx.AsyncClient, account: Account) -> None:
    response = await admin.post(BATCH, json={"events": [event(account)]}, headers={"Idempotency-Key": "a"})
    assert pointers(response) == ["/idempotency_key"]


async def test_another_accounts_id_looks_like_one_that_does_not_exist(
    caller_with: CallerWith, account: Account, other_account: Account
) -> None:
    tenant = await caller_with("publish", of=account)
    assert (await tenant.post(EVENTS, json=event(account))).status_code == 202
    foreign = await tenant.post(EVENTS, json=event(other_account))
    unknown = await tenant.post(EVENTS, json=event(account) | {"account": other_account.id + 64})
    assert (pointers(foreign), pointers(unknown)) == (["/account"], ["/account"])
    assert foreign.json()["detail"].replace(str(other_account.id), "…") == unknown.json()["detail"].replace(
        str(other_account.id + 64), "…"
    )
    batch = await tenant.post(BATCH, json={"events": [event(account), event(other_account)]})
    assert pointers(batch) == ["/events/1/account"]


class LostIntake:
    """An intake whose store does not answer."""

    async def accept(self, drafts: Sequence[Draft]) -> list[Accepted | Conflict]:
        raise Unavailable("the disk is full at /var/lib/secret")


@pytest.fixture
async def caller_of_lost_store(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    key = await create_key(services, "hookwright", None, "Test", ["publish"])
    app = build_api(replace(services, intake=LostIntake()))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {key.secret}"},
    ) as client:
        yield client


async def test_nothing_is_answered_2xx_that_is_not_on_disk(
    caller_of_lost_store: httpx.AsyncClient, account: Account
) -> None:
    response = await caller_of_lost_store.post(EVENTS, json=event(account))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert pointers(response) == []
    assert "secret" not in response.text


async def test_an_event_may_expire_and_its_deliveries_say_when(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    later = iso_micros(clock.now() + SECOND)
    answer = await publish(admin, account, expires_at=later)
    (delivery,) = (await get(admin, "/deliveries", event=answer["event_id"]))["data"]
    assert delivery["expires_at"] == later
    assert (await get(admin, f"/deliveries/{delivery['id']}"))["expires_at"] == later


async def test_what_has_expired_already_is_refused(
    admin: httpx.AsyncClient, account: Account, clock: MovableClock
) -> None:
    expired = event(account, expires_at=iso_micros(clock.now()))
    for path, body, pointer in (
        (EVENTS, expired, "/expires_at"),
        (BATCH, {"events": [expired]}, "/events/0/expires_at"),
    ):
        refused = await admin.post(path, json=body)
        assert (refused.status_code, pointers(refused)) == (422, [pointer])
    assert pointers(await admin.post(EVENTS, json={**expired, "expires_at": "soon"})) == ["/expires_at"]


async def test_a_mistyped_type_and_what_its_data_lacks_are_refused_together(
    admin: httpx.AsyncClient, account: Account
) -> None:
    body = {"type": "contact.tag_aded", "account": account.id, "data": {"contact": {"id": 1}}, "ordering_key": ""}
    response = await admin.post(EVENTS, json=body)
    assert response.status_code == 422
    problems = {problem["pointer"]: problem["message"] for problem in response.json()["errors"]}
    assert list(problems) == ["/ordering_key", "/type", "/data/contact/email", "/data/tag"]
    assert problems["/type"].startswith(
        "unknown event type; did you mean contact.tag_added? One of contact.created, "
    )


async def test_a_type_like_no_other_is_refused_with_what_can_be_said_of_the_rest(
    admin: httpx.AsyncClient, account: Account
) -> None:
    body = {"type": "x", "account": account.id + 1, "site": 5, "data": {}, "expires_at": "2001-01-01T00:00:00Z"}
    response = await admin.post(EVENTS, json=body)
    assert pointers(response) == ["/account", "/expires_at", "/type"]
    assert "did you mean" not in response.text


async def test_what_is_wrong_around_the_data_does_not_hide_what_is_wrong_in_it(
    admin: httpx.AsyncClient, account: Account
) -> None:
    one = {"type": "contact.created", "data": {"contact": {"email": 5}}}
    answer = await admin.post(EVENTS, json=one)
    assert pointers(answer) == ["/account", "/data/contact/id", "/data/contact/email"]
    batch = await admin.post(BATCH, json={"events": [event(account), one, {}]})
    assert pointers(batch) == [
        "/events/1/account",
        "/events/2/type",
        "/events/2/account",
        "/events/2/data",
        "/events/1/data/contact/id",
        "/events/1/data/contact/email",
    ]
