"""Deliveries: lists, filters, cursors, every attempt, replays."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import httpx
import msgspec
import pytest

from api.conftest import TARGET, CallerWith
from api.failures import claim_one, fail_once
from api.requests import get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.model import Account, Endpoint
from hookwright.core.times import iso_micros
from hookwright.operations.endpoints import delete_endpoint
from hookwright.operations.services import Services


async def only_delivery(client: httpx.AsyncClient) -> dict[str, Any]:
    (delivery,) = (await get(client, "/deliveries"))["data"]
    shown: dict[str, Any] = delivery
    return shown


async def test_a_delivery_is_listed_with_its_event_and_endpoint(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    answer = await publish(admin, account)
    delivery = await only_delivery(admin)
    assert delivery.pop("id") % 64 == account.id % 64
    assert delivery.pop("message_id").startswith(answer["event_id"])
    assert delivery == {
        "account": account.id,
        "event": {"id": answer["event_id"], "type": "contact.tag_added"},
        "endpoint": {"id": endpoint.id},
        "dialect": "kit",
        "dialect_event": "subscriber.tag_add",
        "status": "pending",
        "attempt_count": 0,
        "next_attempt_at": iso_micros(clock.now()),
        "created_at": iso_micros(clock.now()),
        "expires_at": None,
        "finished_at": None,
        "last_status_code": None,
        "last_error": None,
    }


async def test_a_delivery_shows_its_payload_and_every_attempt(
    admin: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await publish(admin, account)
    await fail_once(services, clock)
    delivery = await get(admin, f"/deliveries/{(await only_delivery(admin))['id']}")
    assert (delivery["status"], delivery["last_status_code"], delivery["attempt_count"]) == ("dead", 500, 1)
    assert delivery["endpoint"] == {"id": endpoint.id, "url": TARGET, "status": "active"}
    assert json.loads(delivery["payload"])["subscriber"]["email_address"] == "grace@example.com"
    assert delivery["attempts"] == [
        {
            "number": 1,
            "started_at": iso_micros(clock.now()),
            "duration_ms": 1.5,
            "status_code": 500,
            "error": None,
            "detail": None,
            "response_body": "no \N{REPLACEMENT CHARACTER}",
            "response_headers": [
                {"name": "Server", "value": "nginx", "cut_bytes": 12},
                {"name": "set-cookie", "value": None, "cut_bytes": 0},
            ],
            "response_headers_left_out": 3,
            "next_attempt_at": None,
        }
    ]


async def test_a_replay_makes_a_delivery_due_at_once(
    admin: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await publish(admin, account)
    await fail_once(services, clock)
    dead = await only_delivery(admin)
    clock.move(hours=1)
    response = await admin.post(f"/api/v1/deliveries/{dead['id']}/replay")
    assert response.status_code == 202
    assert (response.json()["status"], response.json()["next_attempt_at"]) == ("pending", iso_micros(clock.now()))
    assert response.json()["message_id"] == dead["message_id"]
    assert (await claim_one(services, clock)).attempt == 2


async def test_what_is_being_sent_cannot_be_replayed(
    admin: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await publish(admin, account)
    claim = await claim_one(services, clock)
    response = await admin.post(f"/api/v1/deliveries/{claim.delivery_id}/replay")
    assert response.status_code == 409


async def test_deliveries_to_a_deleted_endpoint_stay_visible(
    admin: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint
) -> None:
    await publish(admin, account)
    await delete_endpoint(services, account.id, endpoint.id, None)
    delivery = await only_delivery(admin)
    assert delivery["status"] == "cancelled"
    shown = await get(admin, f"/deliveries/{delivery['id']}")
    assert shown["endpoint"] == {"id": endpoint.id, "url": None, "status": "deleted"}
    assert (await admin.post(f"/api/v1/deliveries/{delivery['id']}/replay")).status_code == 409


async def test_pages_hold_every_delivery_once(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    for number in range(5):
        await publish(admin, account)
        clock.move(seconds=number % 2)  # some share their time
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(admin, "/deliveries", limit=2, **cursor)
        seen += [delivery["id"] for delivery in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5


async def test_filters_narrow_the_list(
    admin: httpx.AsyncClient, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    start = iso_micros(clock.now())
    answer = await publish(admin, account)
    clock.move(seconds=1)
    matching = {
        "account": account.id,
        "endpoint": endpoint.id,
        "event": answer["event_id"],
        "status": "pending",
        "event_type": "contact.tag_added",
        "created_from": start,
        "created_to": iso_micros(clock.now()),
    }
    assert len((await get(admin, "/deliveries", **matching))["data"]) == 1
    missing = {
        "account": account.id + 64,
        "endpoint": endpoint.id + 64,
        "event": "0199c0de-0000-7000-8000-000000000000",
        "status": "dead",
        "event_type": "form.submitted",
        "created_from": iso_micros(clock.now()),
        "created_to": start,
    }
    for name, value in missing.items():
        assert (await get(admin, "/deliveries", **matching | {name: value}))["data"] == [], name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account", "ada"),
        ("account", "5.0"),
        ("account", str(2**53)),
        ("endpoint", "-1"),
        ("event", "5"),
        ("status", "asleep"),
        ("event_type", "contact.exploded"),
        ("created_from", "yesterday"),
        ("created_from", "1767225600"),
        ("limit", "0"),
        ("limit", "101"),
        ("cursor", "!"),
        ("cursor", ""),
        ("cursor", "é"),
        ("cursor", urlsafe_b64encode(b"[1]").decode()),
        ("cursor", urlsafe_b64encode(msgspec.json.encode([1, 2**60])).decode()),
        ("statsu", "dead"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(admin: httpx.AsyncClient, name: str, value: str) -> None:
    response = await admin.get("/api/v1/deliveries", params={name: value})
    assert response.status_code == 422
    assert pointers(response) == [f"/{name}"]


async def test_a_typo_in_a_filter_is_answered_with_the_known_ones(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/deliveries", params={"statsu": "dead"})
    (error,) = response.json()["errors"]
    assert "use limit, cursor, account, endpoint, event, status, event_type, created_from" in error["message"]


async def test_a_key_sees_only_the_deliveries_of_its_account(
    caller_with: CallerWith, admin: httpx.AsyncClient, account: Account, other_account: Account, endpoint: Endpoint
) -> None:
    await publish(admin, account)
    delivery = await only_delivery(admin)
    stranger = await caller_with("read", "manage", of=other_account)
    assert (await get(stranger, "/deliveries"))["data"] == []
    assert (await get(stranger, "/deliveries", account=account.id))["data"] == []
    assert (await get(stranger, "/deliveries", endpoint=endpoint.id))["data"] == []
    assert (await stranger.get(f"/api/v1/deliveries/{delivery['id']}")).status_code == 404
    assert (await stranger.post(f"/api/v1/deliveries/{delivery['id']}/replay")).status_code == 404
    owner = await caller_with("read", of=account)
    assert await only_delivery(owner) == delivery
    assert (await get(owner, "/deliveries", account=account.id))["data"] == [delivery]
