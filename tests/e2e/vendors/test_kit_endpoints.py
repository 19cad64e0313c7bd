"""An integration written for Kit's webhook endpoints, the newer of its two kinds, pointed at Hookwright.

Sources: Kit openapi v4.json, tag "Webhooks"; developers.kit.com "Event types", "Delivery format", "Verifying
signatures", "Retries", "Rotating secrets" and "Delivery history" (`tests/data/kit/webhook_endpoints.json`).
"""

from __future__ import annotations

import asyncio
import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest

from e2e.vendors.kit_client import DATA, check_errors
from e2e.vendors.platform import PATIENCE_SECONDS, Platform
from hookwright.testing.receiver import Received, Receiver

PATH = "/v4/webhook_endpoints"
PUBLISHED = json.loads((DATA / "webhook_endpoints.json").read_text())
OBJECTS = {**PUBLISHED["objects"], "contact": {"id": 987654, "email": "ada@example.com", "first_name": "Ada"}}
del OBJECTS["source"]

# Kit's catalogue: each event type, what the platform publishes for it, and the members of `data`.
CATALOGUE: dict[str, tuple[str, list[str]]] = {
    "subscriber.created": ("contact.created", ["subscriber"]),
    "subscriber.activated": ("contact.activated", ["subscriber"]),
    "subscriber.unsubscribed": ("contact.unsubscribed", ["subscriber"]),
    "subscriber.bounced": ("contact.bounced", ["subscriber"]),
    "subscriber.complained": ("contact.complained", ["subscriber"]),
    "subscriber.subscribed_to_form": ("form.submitted", ["subscriber", "form"]),
    "subscriber.added_to_sequence": ("sequence.subscribed", ["subscriber", "sequence"]),
    "subscriber.sequence_completed": ("sequence.completed", ["subscriber", "sequence"]),
    "subscriber.tag_added": ("contact.tag_added", ["subscriber", "tag"]),
    "subscriber.tag_removed": ("contact.tag_removed", ["subscriber", "tag"]),
    "subscriber.custom_field_value_updated": ("contact.custom_field_updated", ["subscriber", "custom_field"]),
    "tag.created": ("tag.created", ["tag"]),
    "tag.deleted": ("tag.deleted", ["tag"]),
    "custom_field.created": ("custom_field.created", ["custom_field"]),
    "custom_field.deleted": ("custom_field.deleted", ["custom_field"]),
    "sequence.created": ("sequence.created", ["sequence"]),
    "sequence.deleted": ("sequence.deleted", ["sequence"]),
    "sequence.published": ("sequence.published", ["sequence"]),
    "sequence.disabled": ("sequence.disabled", ["sequence"]),
    "broadcast.created": ("broadcast.created", ["broadcast"]),
    "broadcast.sent": ("broadcast.sent", ["broadcast"]),
    "broadcast.deleted": ("broadcast.deleted", ["broadcast"]),
    "post.published": ("post.published", ["post"]),
}
PLANNED = [
    "subscriber.product_purchased",
    "subscriber.link_clicked",
    "subscriber.email_opened",
    "landing_page.created",
    "landing_page.deleted",
]


async def create(kit: httpx.AsyncClient, url: str, *events: str) -> dict[str, Any]:
    answer = await kit.post(PATH, json={"url": url, "events": list(events)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["webhook_endpoint"])


async def call(kit: httpx.AsyncClient, method: str, path: str, **request: Any) -> dict[str, Any]:
    """The webhook endpoint that an operation on one answers with."""
    answer = await kit.request(method, f"{PATH}/{path}", **request)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["webhook_endpoint"])


async def history(kit: httpx.AsyncClient, endpoint: dict[str, Any], **query: str | int) -> dict[str, Any]:
    """A page of an endpoint's deliveries."""
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def completed(kit: httpx.AsyncClient, endpoint: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """An endpoint's deliveries with their details, newest first, once there are so many and all are completed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed = (await history(kit, endpoint))["deliveries"]
            if len(listed) == count and all(delivery["completed_at"] for delivery in listed):
                return [await details(kit, endpoint, delivery["id"]) for delivery in listed]


async def details(kit: httpx.AsyncClient, endpoint: dict[str, Any], id: int, **query: str) -> dict[str, Any]:
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries/{id}", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["delivery"])


async def sent(platform: Platform, receiver: Receiver, event_type: str) -> Received:
    """The one request that an event becomes."""
    before = receiver.count
    assert await platform.publish(event_type, OBJECTS) == 1
    return (await receiver.wait_for(before + 1))[-1]


def is_signed_with(request: Received, *secrets: str) -> bool:
    """Whether there is a `v1` for each of these secrets and no other, as developers.kit.com has receivers verify."""
    first, *signatures = request.headers["x-kit-signature"].split(",")
    name, _, timestamp = first.partition("=")
    assert (name, timestamp.isdigit()) == ("t", True)
    signed = timestamp.encode() + b"." + request.body
    return signatures == [f"v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}" for secret in secrets]


def check_envelope(request: Received) -> list[dict[str, Any]]:
    """The events of a request, which must be as "Delivery format" says."""
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Kit-Webhooks/2.0"
    envelope = request.json()
    assert list(envelope) == ["delivery_id", "events"]
    assert request.headers["x-kit-delivery"] == str(envelope["delivery_id"])
    events: list[dict[str, Any]] = envelope["events"]
    assert 1 <= len(events) <= 100
    assert len({event["type"] for event in events}) == 1
    assert all(list(event) == ["id", "type", "created", "data"] for event in events)
    return events


# -- operations ------------------------------------------------------------------------------------------------


async def test_an_endpoint_is_created_shown_changed_and_deleted(kit: httpx.AsyncClient) -> None:
    answer = await kit.post(PATH, json=PUBLISHED["request_example"])
    endpoint = answer.json()["webhook_endpoint"]
    secret = endpoint.pop("secret")
    assert (answer.status_code, secret.startswith("whsec_")) == (201, True)
    varying = {name: endpoint[name] for name in ("id", "created_at")}
    assert endpoint == {**PUBLISHED["endpoint_example"], **varying}
    path = str(endpoint["id"])
    assert await call(kit, "GET", path) == endpoint
    changes = {"name": "Another", "url": "https://hooks.example.com/2", "description": "", "status": "disabled"}
    changed = await call(kit, "PATCH", path, json={**changes, "events": ["tag.deleted", "post.published"]})
    assert changed == {**endpoint, **changes, "events": ["post.published", "tag.deleted"]}
    assert await call(kit, "GET", path) == changed
    deleted = await kit.delete(f"{PATH}/{path}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for gone in (await kit.get(f"{PATH}/{path}"), await kit.patch(f"{PATH}/{path}", json={"name": "x"})):
        check_errors(gone, 404, "Not Found")


async def test_a_list_is_of_one_status_and_walked_by_cursors_in_both_directions(kit: httpx.AsyncClient) -> None:
    made = [await create(kit, f"https://example.com/{number}", "tag.created") for number in range(5)]
    ids = [endpoint["id"] for endpoint in made][::-1]
    await call(kit, "PATCH", str(ids[0]), json={"status": "disabled"})

    async def page_of(**query: str | int) -> tuple[list[int], dict[str, Any]]:
        answer = (await kit.get(PATH, params=query)).json()
        assert all("secret" not in endpoint for endpoint in answer["webhook_endpoints"])
        return [endpoint["id"] for endpoint in answer["webhook_endpoints"]], answer["pagination"]

    assert (await page_of())[0] == ids
    assert (await page_of(status="disabled"))[0] == ids[:1]
    first, pagination = await page_of(status="active", per_page=2, include_total_count="true")
    assert (first, pagination["total_count"], pagination["per_page"]) == (ids[1:3], 4, 2)
    assert (pagination["has_previous_page"], pagination["has_next_page"]) == (False, True)
    second, pagination = await page_of(status="active", per_page=2, after=pagination["end_cursor"])
    assert (second, pagination["has_previous_page"], pagination["has_next_page"]) == (ids[3:], True, False)
    back, pagination = await page_of(status="active", per_page=2, before=pagination["start_cursor"])
    assert (back, pagination["has_previous_page"], pagination["has_next_page"]) == (ids[1:3], False, True)
    check_errors(await kit.get(PATH, params={"status": "paused"}), 422)


@pytest.mark.parametrize("event", [*PLANNED, "subscriber.tag_add", "nothing"])
async def test_an_event_that_kit_only_plans_or_does_not_know_is_refused(kit: httpx.AsyncClient, event: str) -> None:
    check_errors(await kit.post(PATH, json={"url": "https://example.com/", "events": [event, "tag.created"]}), 422)
    endpoint = await create(kit, "https://example.com/", "tag.created")
    check_errors(await kit.patch(f"{PATH}/{endpoint['id']}", json={"events": [event]}), 422)
    assert (await call(kit, "GET", str(endpoint["id"])))["events"] == ["tag.created"]


@pytest.mark.parametrize(
    "headers",
    [{"X-Kit-Api-Key": "bogus"}, {"Authorization": "Bearer bogus"}],
    ids=["key", "token"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/1"),
        ("PATCH", "/1"),
        ("DELETE", "/1"),
        ("POST", "/1/rotate_secret"),
        ("POST", "/1/revoke_previous_secret"),
        ("GET", "/1/deliveries"),
        ("GET", "/1/deliveries/1"),
    ],
)
async def test_every_operation_wants_a_credential_and_then_an_endpoint(
    outside: httpx.AsyncClient, kit: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    check_errors(await outside.request(method, PATH + path, headers=headers), 401, "The access token is invalid")
    if path:
        check_errors(await kit.request(method, PATH + path, json={}), 404, "Not Found")


# -- secrets ---------------------------------------------------------------------------------------------------


async def test_both_secrets_sign_for_24_hours_after_a_rotation_unless_the_previous_one_is_revoked(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    first = await create(kit, receiver.url, "tag.created")
    path = str(first["id"])

    async def come_to_sign(*secrets: str) -> None:
        """Returns when just these secrets sign; whoever sends learns of a change within a second."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if is_signed_with(await sent(platform, receiver, "tag.created"), *secrets):
                    return

    await come_to_sign(first["secret"])
    second = await call(kit, "POST", f"{path}/rotate_secret")
    hours_left = datetime.fromisoformat(second["previous_secret_expires_at"]) - datetime.now().astimezone()
    assert 23.9 * 3600 < hours_left.total_seconds() <= 24 * 3600
    await come_to_sign(second["secret"], first["secret"])
    refused = await kit.post(f"{PATH}/{path}/rotate_secret")
    check_errors(refused, 409, "The previous signing secret is still within its rotation window.")
    third = await call(kit, "POST", f"{path}/rotate_secret", json={"force": True})
    await come_to_sign(third["secret"], second["secret"])
    revoked = await call(kit, "POST", f"{path}/revoke_previous_secret")
    assert (revoked["previous_secret_expires_at"], "secret" in revoked) == (None, False)
    await come_to_sign(third["secret"])


# -- deliveries ------------------------------------------------------------------------------------------------


async def test_each_of_the_23_events_arrives_with_its_documented_objects(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, f"{receiver.url}/in?secret=%2Fs", *sorted(CATALOGUE, reverse=True))
    assert (len(CATALOGUE), endpoint["events"]) == (23, sorted(CATALOGUE))
    for name, (published_as, members) in CATALOGUE.items():
        request = await sent(platform, receiver, published_as)
        assert request.path == "/in?secret=%2Fs"
        assert is_signed_with(request, endpoint["secret"])
        [event] = check_envelope(request)
        assert (event["type"], list(event["data"])) == (name, members)
        for member in set(members) - {"subscriber"}:
            assert event["data"][member].items() >= OBJECTS[member].items()


async def test_a_backlog_arrives_in_batches_of_one_type(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, receiver.url, "subscriber.created", "tag.created")
    await call(kit, "PATCH", str(endpoint["id"]), json={"status": "disabled"})
    await asyncio.gather(*(platform.publish("contact.created", OBJECTS) for _ in range(103)))
    await asyncio.gather(*(platform.publish("tag.created", OBJECTS) for _ in range(2)))
    assert receiver.count == 0
    await call(kit, "PATCH", str(endpoint["id"]), json={"status": "active"})
    requests = await receiver.wait_for(3)
    batches = sorted((check_envelope(request) for request in requests), key=len)
    assert [len(events) for events in batches] == [2, 3, 100]
    assert len({event["id"] for events in batches for event in events}) == 105
    delivered = await completed(kit, endpoint, 3)
    assert {each["id"]: each["events"] for each in delivered} == {
        request.json()["delivery_id"]: request.json()["events"] for request in requests
    }


async def test_a_batch_is_split_at_512_kilobytes(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, receiver.url, "tag.created")
    await call(kit, "PATCH", str(endpoint["id"]), json={"status": "disabled"})
    for _ in range(3):
        await platform.publish("tag.created", {"tag": {"id": 42, "name": "x" * 200_000}})
    await call(kit, "PATCH", str(endpoint["id"]), json={"status": "active"})
    assert sorted(len(check_envelope(request)) for request in await receiver.wait_for(2)) == [1, 2]


async def test_a_failed_request_is_sent_again_under_the_same_id_and_both_attempts_are_shown(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, receiver.url, "subscriber.created")
    receiver.answer(503, b"not now", {"Retry-After": "1"}, times=1)
    await platform.publish("contact.created", OBJECTS)
    first, second = await receiver.wait_for(2)
    assert (first.body, first.headers["x-kit-delivery"]) == (second.body, second.headers["x-kit-delivery"])
    assert first.headers["x-kit-signature"] != second.headers["x-kit-signature"]
    assert is_signed_with(first, endpoint["secret"])
    assert is_signed_with(second, endpoint["secret"])
    [delivery] = await completed(kit, endpoint, 1)
    assert (delivery["id"], delivery["status"], delivery["event_type"], delivery["attempt_count"]) == (
        first.json()["delivery_id"], "delivered", "subscriber.created", 2,
    )  # fmt: skip
    shown = [(attempt["response_status"], attempt["response_body"]) for attempt in delivery["attempts"]]
    assert shown == [(503, "not now"), (200, "")]
    assert delivery["events"] == first.json()["events"]
    assert (await details(kit, endpoint, delivery["id"], include_payload="true"))["payload"] == first.json()


async def test_a_first_failure_is_tried_again_after_30_seconds(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, receiver.url, "subscriber.created")
    receiver.fail_next(1)
    await platform.publish("contact.created", OBJECTS)
    await receiver.wait_for(1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (listed := (await history(kit, endpoint, status="retrying"))["deliveries"]):
            pass
    assert (listed[0]["attempt_count"], listed[0]["completed_at"]) == (1, None)
    [ours] = (await platform.manage("GET", f"/deliveries?account={platform.account_id}"))["data"]
    [attempt] = (await platform.manage("GET", f"/deliveries/{ours['id']}"))["attempts"]
    pause = datetime.fromisoformat(attempt["next_attempt_at"]) - datetime.fromisoformat(attempt["started_at"])
    # Counted from the end of the attempt, which takes a moment.
    assert 30 <= pause.total_seconds() < 33


async def test_a_410_ends_the_delivery_and_leaves_the_endpoint_active(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, receiver.url, "subscriber.created")
    receiver.answer(410, times=1)
    await platform.publish("contact.created", OBJECTS)
    [failed] = await completed(kit, endpoint, 1)
    assert (failed["status"], failed["attempt_count"]) == ("failed", 1)
    assert (await call(kit, "GET", str(endpoint["id"])))["status"] == "active"
    await platform.publish("contact.created", OBJECTS)
    delivered, _ = await completed(kit, endpoint, 2)
    assert delivered["status"] == "delivered"


async def test_the_history_is_filtered_and_walked_by_cursors(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    endpoint = await create(kit, receiver.url, "tag.created", "tag.deleted")
    for count, event_type in enumerate(["tag.created", "tag.deleted", "tag.created", "tag.created"], start=1):
        await platform.publish(event_type, OBJECTS)
        await completed(kit, endpoint, count)
    listed = (await history(kit, endpoint))["deliveries"]
    assert [each["event_type"] for each in listed] == ["tag.created", "tag.created", "tag.deleted", "tag.created"]
    assert (await history(kit, endpoint, event_type="tag.deleted"))["deliveries"] == listed[2:3]
    assert (await history(kit, endpoint, status="failed"))["deliveries"] == []
    created = [each for each in listed if each["event_type"] == "tag.created"]
    query: dict[str, str | int] = {"event_type": "tag.created", "status": "delivered", "per_page": 2}
    first = await history(kit, endpoint, **query, include_total_count="1")
    assert (first["deliveries"], first["pagination"]["total_count"]) == (created[:2], 3)
    second = await history(kit, endpoint, **query, after=first["pagination"]["end_cursor"])
    assert (second["deliveries"], second["pagination"]["has_next_page"]) == (created[2:], False)
    back = await history(kit, endpoint, **query, before=second["pagination"]["start_cursor"])
    assert (back["deliveries"], back["pagination"]["has_previous_page"]) == (created[:2], False)
    for bad in ({"status": "dead"}, {"event_type": "subscriber.link_clicked"}):
        answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries", params=bad)
        check_errors(answer, 422)
        assert next(iter(bad.values())) in answer.json()["errors"][0]
