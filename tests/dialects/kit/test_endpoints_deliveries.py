"""What is sent to a webhook endpoint, and its history: published, delivered to a receiver, looked up by a client."""

import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import msgspec
import pytest

from hookwright.ambient import Dice, MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import SECOND, Account, Attempt
from hookwright.dialects.kit import KIT
from hookwright.dialects.kit.endpoint_deliveries import attempt_object
from hookwright.engine.keyring import Keyring
from hookwright.engine.sender import Sender
from hookwright.engine.worker import Worker, WorkerSettings
from hookwright.operations.publish import Publish, publish
from hookwright.operations.sent_requests import request_of
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery
from hookwright.testing.receiver import Received, Receiver
from store.given import change_database
from store.test_batch_claims import lane_index_of

from .test_endpoints import PATH, PUBLISHED, created

CONTACT = {"id": 987654, "email": "ada@example.com", "first_name": "Ada", "fields": {"company": "Kit"}}
# developers.kit.com "Retries"
KITS_PAUSES = (30, 120, 900, 3_600, 14_400, 43_200, 86_400)
SUMMARY = ["id", "status", "event_type", "attempt_count", "created_at", "completed_at"]


@dataclass
class Line:
    """A platform, a worker that a test drives tick by tick, and a receiver that answers 200."""

    services: Services
    account: Account
    clock: MovableClock
    worker: Worker
    receiver: Receiver

    async def publish(self, event_type: str, count: int = 1, **data: object) -> None:
        events = [
            {"type": event_type, "account": self.account.id, "data": {"contact": CONTACT, **data}}
            for _ in range(count)
        ]
        await publish(self.services, msgspec.json.decode(msgspec.json.encode(events), type=list[Publish]))

    async def tick(self) -> list[Received]:
        """Send what is due; the requests that this made."""
        before = self.receiver.count
        await self.worker.tick()
        return list(self.receiver.requests)[before:]

    def iso_now(self) -> str:
        return datetime.fromtimestamp(self.clock.now() // SECOND, UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
async def line(services: Services, account: Account, clock: MovableClock) -> AsyncIterator[Line]:
    sender = Sender(clock, TargetPolicy(allow_private=True))
    worker = Worker(
        services.store,
        sender,
        Keyring(services.store, services.vault, clock),
        KIT.forms,
        clock,
        Dice(seed=2),
        WorkerSettings(),
    )
    async with Receiver() as receiver:
        yield Line(services, account, clock, worker, receiver)
        await sender.close()


async def endpoint_at(kit: httpx.AsyncClient, line: Line, *events: str) -> dict[str, Any]:
    return await created(kit, url=f"{line.receiver.url}/in?a=b", events=list(events))


async def history(kit: httpx.AsyncClient, endpoint: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    deliveries: list[dict[str, Any]] = answer.json()["deliveries"]
    return deliveries


async def page_of(
    kit: httpx.AsyncClient, endpoint: dict[str, Any], **query: str
) -> tuple[list[int], tuple[bool, bool], dict[str, Any]]:
    """The ids of a page, whether there are pages before it and after it, and its pagination."""
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    pagination = answer.json()["pagination"]
    ids = [delivery["id"] for delivery in answer.json()["deliveries"]]
    return ids, (pagination["has_previous_page"], pagination["has_next_page"]), pagination


async def details(kit: httpx.AsyncClient, endpoint: dict[str, Any], id: int, **query: str) -> dict[str, Any]:
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries/{id}", params=query)
    assert answer.status_code == 200, answer.text
    delivery: dict[str, Any] = answer.json()["delivery"]
    return delivery


def verified_with(request: Received, *secrets: str) -> bool:
    """Whether a request has one good signature for each of these secrets, in their order, and no other.

    As developers.kit.com "Verifying signatures" tells receivers to check.
    """
    first, *signatures = request.headers["x-kit-signature"].split(",")
    timestamp = first.removeprefix("t=")
    signed = timestamp.encode() + b"." + request.body
    return signatures == [f"v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}" for secret in secrets]


# -- what is sent ----------------------------------------------------------------------------------------------


async def test_an_event_arrives_in_a_signed_envelope(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created", "tag.created")
    await line.publish("contact.created")
    [request] = await line.tick()
    assert (request.method, request.path) == ("POST", "/in?a=b")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Kit-Webhooks/2.0"
    envelope = request.json()
    assert request.body == json.dumps(envelope, separators=(",", ":")).encode()
    assert request.headers["x-kit-delivery"] == str(envelope["delivery_id"])
    assert [event["type"] for event in envelope["events"]] == ["subscriber.created"]
    assert envelope["events"][0]["data"]["subscriber"]["fields"] == {"company": "Kit"}
    assert request.headers["x-kit-signature"].startswith(f"t={line.clock.now() // SECOND},v1=")
    assert verified_with(request, endpoint["secret"])


async def test_a_backlog_is_sent_in_batches_of_up_to_a_hundred_events_of_one_type(
    kit: httpx.AsyncClient, line: Line
) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created", "tag.created")
    await line.publish("contact.created", count=103)
    await line.publish("tag.created", count=2, tag={"id": 42})
    requests = await line.tick() + await line.tick()  # an endpoint that has not answered yet gets two at a time
    envelopes = sorted((request.json() for request in requests), key=lambda each: len(each["events"]))
    assert [len(each["events"]) for each in envelopes] == [2, 3, 100]
    for each in envelopes:
        assert len({event["type"] for event in each["events"]}) == 1
    assert len({event["id"] for each in envelopes for event in each["events"]}) == 105
    listed = await history(kit, endpoint)
    assert {delivery["id"] for delivery in listed} == {each["delivery_id"] for each in envelopes}


async def test_a_batch_is_split_at_512_kilobytes(kit: httpx.AsyncClient, line: Line) -> None:
    await endpoint_at(kit, line, "tag.created")
    await line.publish("tag.created", count=3, tag={"id": 42, "name": "x" * 200_000})
    await line.publish("tag.created", tag={"id": 42, "name": "x" * 600_000})
    requests = await line.tick() + await line.tick()
    assert sorted(len(request.json()["events"]) for request in requests) == [1, 1, 2]


async def test_a_retry_is_the_same_envelope_signed_anew_with_the_secrets_of_then(
    kit: httpx.AsyncClient, line: Line
) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created", count=2)
    line.receiver.fail_next(1)
    [first] = await line.tick()
    await line.publish("contact.created")  # joins no batch that was sent before
    rotated = (await kit.post(f"{PATH}/{endpoint['id']}/rotate_secret")).json()["webhook_endpoint"]
    line.clock.move(seconds=60)
    again, later = sorted(await line.tick(), key=lambda request: request.headers["x-kit-delivery"])
    assert (again.body, again.headers["x-kit-delivery"]) == (first.body, first.headers["x-kit-delivery"])
    assert again.headers["x-kit-signature"] != first.headers["x-kit-signature"]
    assert verified_with(first, endpoint["secret"])
    assert verified_with(again, rotated["secret"], endpoint["secret"])
    assert len(later.json()["events"]) == 1


async def test_what_comes_while_an_endpoint_is_disabled_is_sent_when_it_is_active_again(
    kit: httpx.AsyncClient, line: Line
) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await kit.patch(f"{PATH}/{endpoint['id']}", json={"status": "disabled"})
    await line.publish("contact.created")
    assert await line.tick() == []
    assert [delivery["status"] for delivery in await history(kit, endpoint)] == ["pending"]
    await kit.patch(f"{PATH}/{endpoint['id']}", json={"status": "active"})
    assert len(await line.tick()) == 1


async def test_new_events_follow_a_change_of_the_set(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await kit.patch(f"{PATH}/{endpoint['id']}", json={"events": ["subscriber.bounced"]})
    await line.publish("contact.created")
    await line.publish("contact.bounced")
    [request] = await line.tick()
    [event] = request.json()["events"]
    assert (event["type"], event["data"]["subscriber"]["state"]) == ("subscriber.bounced", "bounced")


# -- the history -----------------------------------------------------------------------------------------------


async def test_a_delivery_goes_from_pending_over_retrying_to_delivered(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    accepted_at = line.iso_now()
    await line.publish("contact.created")
    line.receiver.fail_next(1)
    [pending] = await history(kit, endpoint)
    assert list(pending) == SUMMARY
    assert (pending["status"], pending["attempt_count"]) == ("pending", 0)
    assert (pending["created_at"], pending["completed_at"]) == (accepted_at, None)
    await line.tick()
    [retrying] = await history(kit, endpoint)
    assert retrying == {**pending, "status": "retrying", "attempt_count": 1}
    line.clock.move(seconds=60)
    await line.tick()
    [delivered] = await history(kit, endpoint)
    assert delivered == {
        **pending,
        "status": "delivered",
        "attempt_count": 2,
        "completed_at": line.iso_now(),
    }


async def test_after_eight_attempts_a_delivery_has_failed(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    line.receiver.answer(500)
    await line.publish("contact.created")
    assert len(await line.tick()) == 1
    for seconds in KITS_PAUSES:
        [delivery] = await history(kit, endpoint)
        assert (delivery["status"], delivery["completed_at"]) == ("retrying", None)
        line.clock.move(seconds=seconds - 1)
        assert await line.tick() == []
        line.clock.move(seconds=1)
        assert len(await line.tick()) == 1
    [delivery] = await history(kit, endpoint)
    assert (delivery["status"], delivery["attempt_count"]) == ("failed", 8)
    assert delivery["completed_at"] is not None
    assert await line.tick() == []


async def test_a_receiver_that_says_410_is_not_asked_again(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    line.receiver.answer(410)
    await line.publish("contact.created")
    await line.tick()
    [delivery] = await history(kit, endpoint)
    assert (delivery["status"], delivery["attempt_count"]) == ("failed", 1)
    shown = (await kit.get(f"{PATH}/{endpoint['id']}")).json()["webhook_endpoint"]
    assert shown["status"] == "active", "Kit documents that the delivery has failed, and nothing of its endpoint"


async def test_the_details_have_every_attempt_and_the_events(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created", count=3)
    line.receiver.answer(503, b"not now \xff", {"retry-after": "60"}, times=1)
    first_at = line.iso_now()
    [request] = await line.tick()
    line.clock.move(seconds=60)
    await line.tick()
    [listed] = await history(kit, endpoint)
    shown = await details(kit, endpoint, listed["id"])
    assert list(shown) == [*SUMMARY, "attempts", "events"]
    assert {name: shown[name] for name in SUMMARY} == listed
    assert shown["events"] == request.json()["events"]
    failed, succeeded = shown["attempts"]
    assert list(failed) == ["attempted_at", "response_status", "response_body", "duration_ms", "error"]
    assert (failed["attempted_at"], succeeded["attempted_at"]) == (first_at, line.iso_now())
    assert (failed["response_status"], failed["response_body"]) == (503, "not now \N{REPLACEMENT CHARACTER}")
    assert (succeeded["response_status"], succeeded["response_body"], succeeded["error"]) == (200, "", None)


async def test_the_payload_is_what_was_posted_and_comes_when_it_is_asked_for(
    kit: httpx.AsyncClient, line: Line
) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created", count=2)
    [request] = await line.tick()
    id = int(request.headers["x-kit-delivery"])
    for yes in ("true", "1"):
        assert (await details(kit, endpoint, id, include_payload=yes))["payload"] == request.json()
    for no in ("false", "0", ""):
        assert "payload" not in await details(kit, endpoint, id, include_payload=no)
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries/{id}", params={"include_payload": "maybe"})
    assert (answer.status_code, answer.json()) == (422, {"errors": ["`include_payload` must be true or false"]})


@pytest.mark.parametrize("pruned", ["payloads", "events"])
async def test_a_payload_of_which_a_part_is_not_kept_any_more_is_null(
    kit: httpx.AsyncClient, line: Line, pruned: str
) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created")
    line.clock.move(seconds=2)
    await line.publish("contact.created")
    [request] = await line.tick()
    id, events = request.json()["delivery_id"], request.json()["events"]
    store = line.services.store
    # They ended together and go together, but for a prune that is between two of its steps.
    first_ended_at = line.clock.now() - 2 * SECOND
    await change_database(store, f"UPDATE deliveries SET finished_at = {first_ended_at} WHERE id = {id}")
    prune = store.prune_payloads if pruned == "payloads" else store.prune_events
    assert await prune(lane_index_of(store, line.account), line.clock.now() - SECOND, 100) == 1
    shown = await details(kit, endpoint, id, include_payload="true")
    assert (shown["id"], shown["events"], shown["payload"]) == (id, events[1:], None)
    [delivery] = await store.deliveries(DeliveryQuery(batch_id=id, limit=1))
    owner = await store.endpoint(line.account.id, delivery.endpoint_id)
    event = await store.event(delivery.event_id)
    assert owner is not None
    assert event is not None
    assert await request_of(line.services, KIT.forms, delivery, owner, event, line.clock.now()) is None


async def test_whichever_delivery_of_a_batch_is_named_the_batch_is_shown(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created", count=3)
    before = [delivery["id"] for delivery in await history(kit, endpoint)]
    assert len(before) == 3  # nothing is put together before it is sent
    await line.tick()
    shown = [await details(kit, endpoint, id) for id in before]
    assert shown[0]["id"] == min(before)
    assert shown == [shown[0]] * 3


async def test_what_is_left_of_a_broken_batch_is_in_the_history_under_its_new_id(
    kit: httpx.AsyncClient, line: Line
) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created", count=3)
    line.receiver.answer(503, times=1)
    [first] = await line.tick()
    id = first.json()["delivery_id"]
    await change_database(
        line.services.store, f"UPDATE deliveries SET status = 'dead', due_at = NULL WHERE id = {id}"
    )
    line.clock.move(seconds=60)
    [second] = await line.tick()
    assert second.json()["delivery_id"] != id
    assert second.json()["events"] == first.json()["events"][1:]
    assert {each["id"] for each in await history(kit, endpoint)} == {id, second.json()["delivery_id"]}
    for request, status in ((first, "failed"), (second, "delivered")):
        shown = await details(kit, endpoint, int(request.headers["x-kit-delivery"]))
        assert (shown["id"], shown["status"]) == (request.json()["delivery_id"], status)


def test_an_attempt_that_nobody_answered_has_no_response() -> None:
    attempt = Attempt(
        number=1,
        started_at=1_790_000_000 * SECOND,
        duration_us=30_000_400,
        status_code=None,
        error="timeout",
        detail="no answer within 30 s",
        response_body=b"",
        next_attempt_at=None,
    )
    assert attempt_object(attempt) == {
        "attempted_at": "2026-09-21T14:13:20Z",
        "response_status": None,
        "response_body": None,
        "duration_ms": 30_000,
        "error": "timeout",
    }


async def test_the_history_can_be_of_one_status_and_one_event_type(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created", "tag.created", "tag.deleted", "subscriber.bounced")
    await line.publish("contact.created")
    await line.tick()
    line.receiver.answer(500)
    await line.publish("tag.created", tag={"id": 42})
    await line.tick()
    line.clock.move(seconds=1)
    await line.publish("contact.bounced")

    async def types(**query: str) -> list[str]:
        return [delivery["event_type"] for delivery in await history(kit, endpoint, **query)]

    assert await types() == ["subscriber.bounced", "tag.created", "subscriber.created"]
    assert await types(status="pending") == ["subscriber.bounced"]
    assert await types(status="retrying") == ["tag.created"]
    assert await types(status="delivered") == ["subscriber.created"]
    assert await types(status="failed") == []
    assert await types(event_type="subscriber.created") == ["subscriber.created"]
    assert await types(event_type="tag.deleted") == []
    assert await types(event_type="tag.created", status="retrying") == ["tag.created"]
    assert await types(event_type="tag.created", status="delivered") == []
    assert len(await types(event_type="", status="")) == 3


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"status": "dead"}, "`status` must be one of pending, retrying, delivered, failed, not dead"),
        ({"event_type": "contact.created"}, "`event_type` must be one of subscriber.created, "),
        ({"event_type": "subscriber.link_clicked"}, "`event_type` must be one of subscriber.created, "),
        ({"after": "WzFd"}, "`after` is not a cursor of this list"),
        ({"before": "x"}, "`before` is not a cursor of this list"),
        ({"per_page": "x"}, "`per_page` must be an integer"),
    ],
)
async def test_a_bad_filter_is_named(kit: httpx.AsyncClient, line: Line, query: dict[str, str], text: str) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries", params=query)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error.startswith(text)
    assert error.endswith(f"not {query['event_type']}" if "event_type" in query else text[-5:])


async def test_pages_of_the_history_go_forth_and_back(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    for _ in range(5):
        await line.publish("contact.created")
        await line.tick()
        line.clock.move(seconds=1)
    ids = [delivery["id"] for delivery in await history(kit, endpoint)]
    first, neighbours, pagination = await page_of(kit, endpoint, per_page="2", include_total_count="true")
    assert (first, neighbours, pagination["total_count"]) == (ids[:2], (False, True), 5)
    second, neighbours, pagination = await page_of(kit, endpoint, per_page="2", after=pagination["end_cursor"])
    assert (second, neighbours) == (ids[2:4], (True, True))
    third, neighbours, last = await page_of(kit, endpoint, per_page="2", after=pagination["end_cursor"])
    assert (third, neighbours) == (ids[4:], (True, False))
    back, neighbours, _ = await page_of(kit, endpoint, per_page="2", before=pagination["start_cursor"])
    assert (back, neighbours) == (ids[:2], (False, True))
    nearest, neighbours, _ = await page_of(kit, endpoint, per_page="1", before=pagination["start_cursor"])
    assert (nearest, neighbours) == (ids[1:2], (True, True))
    between, neighbours, _ = await page_of(
        kit, endpoint, per_page="1", after=pagination["start_cursor"], before=last["end_cursor"]
    )
    assert (between, neighbours) == (ids[3:4], (True, True))
    nothing, neighbours, _ = await page_of(kit, endpoint, after=last["end_cursor"])
    assert (nothing, neighbours) == ([], (True, False))
    newest = (await page_of(kit, endpoint))[2]["start_cursor"]
    nothing, neighbours, _ = await page_of(kit, endpoint, before=newest)
    assert (nothing, neighbours) == ([], (False, True))


async def test_the_history_reaches_back_30_days(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created")
    await line.tick()
    [delivery] = await history(kit, endpoint)
    line.clock.move(days=30)
    assert await history(kit, endpoint) == [delivery]
    await details(kit, endpoint, delivery["id"])
    line.clock.move(seconds=1)
    assert await history(kit, endpoint) == []
    answer = await kit.get(f"{PATH}/{endpoint['id']}/deliveries/{delivery['id']}")
    assert (answer.status_code, answer.json()) == (404, PUBLISHED["not_found_example"])


async def test_each_endpoint_has_a_history_of_its_own(kit: httpx.AsyncClient, line: Line) -> None:
    one, other = [await endpoint_at(kit, line, "subscriber.created") for _ in range(2)]
    await line.publish("contact.created")
    await line.tick()
    [delivery] = await history(kit, one)
    assert [each["id"] for each in await history(kit, other)] != [delivery["id"]]
    answer = await kit.get(f"{PATH}/{other['id']}/deliveries/{delivery['id']}")
    assert answer.status_code == 404
    cursor = (await page_of(kit, one))[2]["end_cursor"]
    answer = await kit.get(f"{PATH}/{other['id']}/deliveries", params={"after": cursor})
    assert (answer.status_code, answer.json()) == (422, {"errors": ["`after` is not a cursor of this list"]})


async def test_a_deleted_endpoints_history_is_gone(kit: httpx.AsyncClient, line: Line) -> None:
    endpoint = await endpoint_at(kit, line, "subscriber.created")
    await line.publish("contact.created")
    [delivery] = await history(kit, endpoint)
    await kit.delete(f"{PATH}/{endpoint['id']}")
    for path in ("", f"/{delivery['id']}"):
        assert (await kit.get(f"{PATH}/{endpoint['id']}/deliveries{path}")).status_code == 404
    assert await line.tick() == []
