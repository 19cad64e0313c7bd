"""The fixture `hookwright`: what a test can do with it, and that tests do not disturb one another."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from hookwright.core.errors import Invalid
from hookwright.testing.receiver import Receiver
from hookwright.testing.stand_in import StandIn


def test_what_is_published_arrives_verified_and_in_the_vendors_words(hookwright: StandIn) -> None:
    hookwright.subscribe("kajabi:tag_added", resource=123)
    published = hookwright.publish("contact.tag_added", contact={"email": "ada@example.com"}, tag={"id": 123})
    request = hookwright.receiver.wait_for("tag_added")
    assert "ada@example.com" in str(request.json()["payload"])
    assert (request.dialect, request.event_type, request.attempt) == ("kajabi", "contact.tag_added", 1)
    assert request.event_id == published.event_id
    assert [delivery.status for delivery in published.deliveries] == ["delivered"]


def test_another_resource_does_not_arrive(hookwright: StandIn) -> None:
    hookwright.subscribe("kit:subscriber.tag_add", resource=123)
    assert hookwright.publish("kit:subscriber.tag_add", tag={"id": 124}).deliveries == []


def test_a_failure_is_tried_again_when_the_time_has_come_and_not_before(hookwright: StandIn) -> None:
    hookwright.subscribe("contact.created")
    hookwright.receiver.fail_next(2)
    hookwright.publish("contact.created")
    assert state_of(hookwright) == [("pending", 1, 500)]
    hookwright.travel(seconds=4)
    assert state_of(hookwright) == [("pending", 1, 500)]
    hookwright.travel(seconds=1)
    assert state_of(hookwright) == [("pending", 2, 500)]
    hookwright.travel(minutes=5)
    assert state_of(hookwright) == [("delivered", 3, 200)]
    assert [hookwright.receiver.wait_for().attempt for _ in range(3)] == [1, 2, 3]


def test_a_long_way_makes_every_attempt_on_it_each_at_its_own_moment(hookwright: StandIn) -> None:
    hookwright.subscribe("contact.created")
    hookwright.receiver.answer(503)
    before = hookwright.now
    hookwright.publish("contact.created")
    hookwright.travel(hours=2)  # 5 s, 5 min, 30 min; the fourth retry is 2 h after that
    assert state_of(hookwright) == [("pending", 4, 503)]
    assert (hookwright.now - before).total_seconds() == 7200
    hookwright.travel(days=4)
    [delivery] = hookwright.deliveries
    assert (delivery.status, delivery.attempts) == ("dead", 10)


def test_a_signature_is_of_the_present_time_wherever_one_has_travelled(hookwright: StandIn) -> None:
    endpoint = hookwright.subscribe("contact.created")
    hookwright.receiver.fail_next()
    hookwright.publish("contact.created")
    hookwright.travel(hours=1)
    hookwright.receiver.wait_for()
    request = hookwright.receiver.wait_for()
    assert Webhook(endpoint.signing_secret).verify(request.body, request.headers)["type"] == "contact.created"


def test_what_did_not_come_is_explained(hookwright: StandIn) -> None:
    with pytest.raises(AssertionError, match="nobody has subscribed"):
        hookwright.receiver.wait_for("tag_added", timeout=0.01)
    hookwright.subscribe("kajabi:tag_added")
    with pytest.raises(AssertionError, match="nothing was published that an endpoint wants; they want:\n  kajabi"):
        hookwright.receiver.wait_for("tag_added", timeout=0.01)
    hookwright.receiver.fail_next(status=418)
    hookwright.publish("kajabi:tag_added")
    httpx.post(f"{hookwright.receiver.url}/mine", content=b"x", trust_env=False)
    with pytest.raises(AssertionError) as failed:
        hookwright.receiver.wait_for("tag_removed", timeout=0.01)
    assert "no tag_removed came within 0.01 s" in str(failed.value)
    assert "POST /: kajabi:tag_added contact.tag_added" in str(failed.value)
    assert "POST /mine: not sent by Hookwright" in str(failed.value)
    assert "pending after 1 attempts, the last came to 418" in str(failed.value)


def test_the_credentials_work_against_each_api(hookwright: StandIn) -> None:
    kajabi, kit, api = hookwright.kajabi, hookwright.kit, hookwright.api
    with httpx.Client(trust_env=False) as http:
        form = {
            "grant_type": "client_credentials",
            "client_id": kajabi.client_id,
            "client_secret": kajabi.client_secret,
        }
        token = http.post(f"{kajabi.base_url}/v1/oauth/token", data=form).json()["access_token"]
        sites = http.get(f"{kajabi.base_url}/v1/sites", headers={"Authorization": f"Bearer {token}"}).json()
        assert [site["id"] for site in sites["data"]] == [kajabi.site_id]
        assert http.get(f"{kit.base_url}/v4/account", headers={"X-Kit-Api-Key": kit.api_key}).status_code == 200
        publish = {"type": "contact.created", "account": hookwright.account_id, "data": {"contact": CONTACT}}
        headers = {"Authorization": f"Bearer {api.publish_key}"}
        hookwright.subscribe("contact.created")
        assert http.post(f"{api.base_url}/events", headers=headers, json=publish).status_code == 202
    hookwright.settle()
    assert state_of(hookwright) == [("delivered", 1, 200)]


async def test_it_works_in_a_test_with_a_loop_too(hookwright: StandIn) -> None:
    async with Receiver() as mine, asyncio.timeout(20):
        hookwright.subscribe("contact.created", url=mine.url)
        await asyncio.to_thread(hookwright.publish, "contact.created")
        [request] = await mine.wait_for(1)
        assert request.json()["type"] == "contact.created"


def test_a_declared_type_is_published_with_data_of_ones_own(hookwright: StandIn) -> None:
    hookwright.declare("invoice.paid")
    hookwright.subscribe("invoice.*")
    hookwright.publish("invoice.paid", {"amount": 5}, currency="EUR")
    assert hookwright.receiver.wait_for("invoice.paid").json()["data"] == {"amount": 5, "currency": "EUR"}


def test_what_one_test_declared_another_does_not_know(hookwright: StandIn) -> None:
    with pytest.raises(Invalid, match="unknown event"):
        hookwright.subscribe("invoice.paid")
    assert hookwright.deliveries == []


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "at least one"),
        (("contact.created", "kajabi:tag_added"), "of one dialect"),
        (("kajabi:tag_lost",), "kajabi:tag_added"),
        (("kit_endpoints:subscriber.created",), "through its API"),
    ],
)
def test_what_cannot_be_subscribed_to_is_named(hookwright: StandIn, events: tuple[str, ...], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        hookwright.subscribe(*events)


def test_time_only_goes_forward(hookwright: StandIn) -> None:
    with pytest.raises(ValueError, match="forward"):
        hookwright.travel(hours=-1)


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_begins_in_the_present_with_nothing_delivered(hookwright: StandIn, time: str) -> None:
    assert abs(hookwright.now - datetime.now(UTC)) < timedelta(minutes=5)
    assert hookwright.deliveries == []
    assert hookwright.receiver.requests == []
    hookwright.travel(days=1)  # of which the second knows nothing


class TestOtherSettings:
    """A schedule of its own, as a test module would set it."""

    @pytest.fixture
    def hookwright_settings(self) -> Mapping[str, Any]:
        return {"retry_schedule": (0, 60)}

    def test_deliveries_keep_to_them(self, hookwright: StandIn) -> None:
        hookwright.subscribe("contact.created")
        hookwright.receiver.answer(500)
        hookwright.publish("contact.created")
        hookwright.travel(minutes=1)
        assert state_of(hookwright) == [("dead", 2, 500)]


def test_the_one_for_all_tests_is_another_server(hookwright_session: StandIn, hookwright: StandIn) -> None:
    assert hookwright_session.url != hookwright.url
    hookwright_session.subscribe("contact.created")
    assert len(hookwright_session.publish("contact.created").deliveries) == 1
    assert hookwright.deliveries == []


def test_the_plugin_costs_nothing_until_a_test_asks() -> None:
    check = """
import sys, json, pytest
before = set(sys.modules)
import hookwright.testing.pytest_plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == ["hookwright", "hookwright.testing", "hookwright.testing.pytest_plugin"]


CONTACT = {"id": 1, "email": "ada@example.com"}


def state_of(hookwright: StandIn) -> list[tuple[str, int, int | None]]:
    return [(each.status, each.attempts, each.last_status_code) for each in hookwright.deliveries]
