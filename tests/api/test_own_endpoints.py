"""Hookwright's own endpoints: made, changed and given new secrets through our own API."""

from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.requests import get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.model import Account, Endpoint
from hookwright.core.times import iso_micros

PATH = "/api/v1/endpoints"
URL = "https://receiver.example.com/events"
WANTED: dict[str, Any] = {"url": URL, "events": ["contact.*"]}


@pytest.fixture
async def tenant(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    return await caller_with("manage", of=account)


async def create(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    response = await client.post(PATH, json={**WANTED, **more})
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    shown: dict[str, Any] = response.json()
    return shown


async def test_a_new_endpoint_is_shown_with_its_secret_once(
    tenant: httpx.AsyncClient, account: Account, clock: MovableClock
) -> None:
    asked: dict[str, Any] = {
        "events": ["contact.*", "purchase.created", {"event": "contact.tag_added", "resource": 123}],
        "name": "Warehouse",
        "description": "Everything about contacts",
        "headers": {"Authorization": "Bearer abc", "X-Tenant": "ada"},
        "retry_schedule": [0, 60],
        "max_in_flight": 4,
        "rate_per_second": 20,
        "ordering": "key",
    }
    made = await create(tenant, **asked)
    assert made.pop("signing_secret").startswith("whsec_")
    assert made.pop("verification_key") is None
    now = iso_micros(clock.now())
    assert made == {
        "id": made["id"],
        "account": account.id,
        "site": None,
        "dialect": "hookwright",
        "url": URL,
        "subscriptions": [
            {"event": "contact.*", "resource": None},
            {"event": "purchase.created", "resource": None},
            {"event": "contact.tag_added", "resource": "123"},
        ],
        "name": "Warehouse",
        "description": "Everything about contacts",
        "headers": {"authorization": "…", "x-tenant": "…"},
        "signature": "v1",
        "status": "active",
        "status_reason": None,
        "status_changed_at": now,
        "health": {
            "failing_since": None,
            "failures": 0,
            "progress_percent": 0,
            "breaker": "closed",
            "breaker_open_until": None,
        },
        "retry_schedule": [0, 60],
        "max_in_flight": 4,
        "rate_per_second": 20,
        "ordering": "key",
        "created_at": now,
        "updated_at": now,
    }
    shown = await get(tenant, f"/endpoints/{made['id']}")
    # The order in which subscriptions come back is nobody's promise.
    for each in (shown, made):
        each["subscriptions"].sort(key=lambda subscription: subscription["event"])
    assert shown == made
    assert (await get(tenant, "/endpoints"))["data"][0]["headers"] == made["headers"]


async def test_a_v1a_endpoint_shows_its_public_key_and_never_the_private_one(tenant: httpx.AsyncClient) -> None:
    made = await create(tenant, signature="v1a")
    assert made["verification_key"].startswith("whpk_")
    assert (made["signing_secret"], made["signature"]) == (None, "v1a")
    revealed = await get(tenant, f"/endpoints/{made['id']}/signing-secrets")
    assert revealed == {"signing_secrets": [], "verification_keys": [made["verification_key"]]}


@pytest.mark.parametrize(
    ("signature", "shown", "revealed"),
    [("v1", "signing_secret", "signing_secrets"), ("v1a", "verification_key", "verification_keys")],
)
async def test_after_a_rotation_the_old_secret_lives_for_a_day(
    tenant: httpx.AsyncClient, clock: MovableClock, signature: str, shown: str, revealed: str
) -> None:
    made = await create(tenant, signature=signature)
    path = f"/endpoints/{made['id']}/signing-secrets"
    clock.move(seconds=1)
    rotated = await tenant.post(f"/api/v1{path}/rotate")
    assert rotated.status_code == 200
    assert rotated.headers["cache-control"] == "no-store"
    assert (await get(tenant, path))[revealed] == [rotated.json()[shown], made[shown]]
    clock.move(days=1)
    assert (await get(tenant, path))[revealed] == [rotated.json()[shown]]


async def test_the_secret_of_a_dialects_endpoint_is_not_here(tenant: httpx.AsyncClient, endpoint: Endpoint) -> None:
    path = f"{PATH}/{endpoint.id}/signing-secrets"
    assert (await tenant.get(path)).status_code == 404
    assert (await tenant.post(f"{path}/rotate")).status_code == 404


async def test_a_reader_sees_no_secret_and_makes_no_endpoint(
    caller_with: CallerWith, tenant: httpx.AsyncClient, account: Account
) -> None:
    made = await create(tenant)
    reader = await caller_with("read", of=account)
    assert (await reader.post(PATH, json=WANTED)).status_code == 403
    assert (await reader.get(f"{PATH}/{made['id']}/signing-secrets")).status_code == 403
    assert (await reader.get(f"{PATH}/{made['id']}")).status_code == 200


async def test_a_platforms_key_names_the_account(admin: httpx.AsyncClient, account: Account) -> None:
    assert pointers(await admin.post(PATH, json=WANTED)) == ["/account"]
    assert (await create(admin, account=account.id))["account"] == account.id
    assert (await admin.post(PATH, json={**WANTED, "account": account.id + 64})).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "ftp://example.com"}, "/url"),
        ({"url": None}, "/url"),
        ({"url": "https://example.com/" + "x" * 2048}, "/url"),
        ({"events": []}, "/events"),
        ({"events": "contact.created"}, "/events"),
        ({"events": ["contact.created"] * 101}, "/events"),
        ({"events": ["contact.created", "contact.exploded"]}, "/events/1"),
        ({"events": ["invoice.*"]}, "/events/0"),
        ({"events": [5]}, "/events/0"),
        ({"events": [{}]}, "/events/0/event"),
        ({"events": [{"event": "contact.tag_added", "resource": ""}]}, "/events/0/resource"),
        ({"events": [{"event": "contact.tag_added", "resource": "x" * 2001}]}, "/events/0/resource"),
        ({"events": [{"event": "contact.tag_added", "resource": "a\0b"}]}, "/events/0/resource"),
        ({"events": [{"event": "contact.created", "resource": "5"}]}, "/events/0/resource"),
        ({"headers": {"Host": "example.com"}}, "/headers/Host"),
        ({"headers": {"X-A": "a\r\nb"}}, "/headers/X-A"),
        ({"headers": None}, "/headers"),
        ({"name": "x" * 201}, "/name"),
        ({"description": "a\0b"}, "/description"),
        ({"retry_schedule": []}, "/retry_schedule"),
        ({"retry_schedule": [False]}, "/retry_schedule/0"),
        ({"max_in_flight": 0}, "/max_in_flight"),
        ({"max_in_flight": True}, "/max_in_flight"),
        ({"rate_per_second": 10_001}, "/rate_per_second"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    tenant: httpx.AsyncClient, change: Any, pointer: str
) -> None:
    refused = await tenant.post(PATH, json={**WANTED, **change})
    assert (refused.status_code, pointers(refused)) == (422, [pointer])
    made = await create(tenant)
    refused = await tenant.patch(f"{PATH}/{made['id']}", json={"status": "paused", **change})
    assert (refused.status_code, pointers(refused)) == (422, [pointer])
    shown = await get(tenant, f"/endpoints/{made['id']}")
    assert shown == {name: value for name, value in made.items() if name in shown}


async def test_the_signature_is_decided_once(tenant: httpx.AsyncClient) -> None:
    assert pointers(await tenant.post(PATH, json={**WANTED, "signature": "v2"})) == ["/signature"]
    made = await create(tenant)
    assert pointers(await tenant.patch(f"{PATH}/{made['id']}", json={"signature": "v1a"})) == ["/signature"]


async def test_an_unknown_event_is_answered_with_the_known_ones(
    tenant: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await admin.put("/api/v1/event-types/invoice.paid", json={})
    response = await tenant.post(PATH, json={**WANTED, "events": ["invoice.payed"]})
    (error,) = response.json()["errors"]
    for known in ("contact.created", "invoice.paid", "invoice.*", "contact.*"):
        assert known in error["message"]
    assert error["code"] == "unknown"


async def test_everything_of_an_endpoint_can_be_changed_at_once(tenant: httpx.AsyncClient) -> None:
    made = await create(tenant, headers={"X-Old": "1"})
    change = {
        "url": "https://receiver.example.com/moved",
        "events": [{"event": "form.submitted", "resource": "512"}],
        "name": "Moved",
        "description": "To the new warehouse",
        "headers": {"X-New": "2"},
        "retry_schedule": [5],
        "status": "paused",
    }
    changed = (await tenant.patch(f"{PATH}/{made['id']}", json=change)).json()
    assert changed == await get(tenant, f"/endpoints/{made['id']}")
    assert changed["subscriptions"] == [{"event": "form.submitted", "resource": "512"}]
    assert changed["headers"] == {"x-new": "…"}
    for name in ("url", "name", "description", "retry_schedule", "status"):
        assert changed[name] == change[name]


async def test_what_is_shown_of_subscriptions_can_be_sent_back(tenant: httpx.AsyncClient) -> None:
    made = await create(tenant, events=["*", {"event": "contact.*", "resource": "7"}, "*"])
    assert len(made["subscriptions"]) == 2, "one that is there twice counts once"
    changed = await tenant.patch(f"{PATH}/{made['id']}", json={"events": made["subscriptions"]})
    assert sorted(map(str, changed.json()["subscriptions"])) == sorted(map(str, made["subscriptions"]))


async def test_what_only_hookwright_publishes_can_be_subscribed_to(
    tenant: httpx.AsyncClient, admin: httpx.AsyncClient, account: Account
) -> None:
    made = await create(tenant, events=["endpoint.*", "delivery.dead"])
    assert len(made["subscriptions"]) == 2
    refused = await admin.post("/api/v1/events", json={"type": "delivery.dead", "account": account.id, "data": {}})
    assert (refused.status_code, pointers(refused)) == (422, ["/type"])


async def test_headers_stay_until_they_are_replaced(tenant: httpx.AsyncClient) -> None:
    made = await create(tenant, headers={"X-A": "1"})
    path = f"{PATH}/{made['id']}"
    assert (await tenant.patch(path, json={"name": "B"})).json()["headers"] == {"x-a": "…"}
    assert (await tenant.patch(path, json={"headers": {}})).json()["headers"] == {}


async def test_changed_events_count_for_what_is_published_next(
    tenant: httpx.AsyncClient, admin: httpx.AsyncClient, account: Account
) -> None:
    made = await create(tenant)
    assert (await publish(admin, account))["deliveries"] == 1
    await tenant.patch(f"{PATH}/{made['id']}", json={"events": ["purchase.*"]})
    assert (await publish(admin, account))["deliveries"] == 0


@pytest.mark.parametrize(
    ("events", "deliveries"),
    [
        (["contact.tag_added"], 1),
        (["contact.*"], 1),
        (["*"], 1),
        (["contact.*", "*", "contact.tag_added"], 1),
        (["tag.*"], 0),
        (["contact.tag_removed"], 0),
        ([{"event": "contact.tag_added", "resource": 41}], 1),
        ([{"event": "contact.*", "resource": "41"}], 1),
        ([{"event": "*", "resource": "41"}], 1),
        ([{"event": "contact.tag_added", "resource": "42"}], 0),
        ([{"event": "contact.tag_added", "resource": "78901"}], 0),
    ],
)
async def test_an_added_tag_reaches_who_wants_it_once(
    tenant: httpx.AsyncClient, admin: httpx.AsyncClient, account: Account, events: Any, deliveries: int
) -> None:
    """The sample adds tag 41 to contact 78901."""
    await create(tenant, events=events)
    assert (await publish(admin, account))["deliveries"] == deliveries


async def test_the_message_id_of_our_own_form_is_the_event_id(
    tenant: httpx.AsyncClient, admin: httpx.AsyncClient, account: Account, endpoint: Endpoint
) -> None:
    await create(tenant)
    event_id = (await publish(admin, account))["event_id"]
    found = (await get(admin, "/deliveries", event=event_id))["data"]
    assert {each["dialect"]: each["message_id"] for each in found} == {
        "hookwright": event_id,
        "kit": f"{event_id}-1",
    }
