"""What a receiver sees of a delivery that does not succeed at once; a Kajabi hook and a Kit webhook alike."""

from __future__ import annotations

import pytest
from standardwebhooks import WebhookVerificationError

from e2e.vendors.kajabi_client import Kajabi
from e2e.vendors.platform import Platform
from hookwright.testing.receiver import Receiver

DATA = {"contact": {"id": 1, "email": "grace@example.com"}, "tag": {"id": 44, "name": "VIP"}}


@pytest.fixture(params=["kajabi", "kit"])
async def subscribed(request: pytest.FixtureRequest, platform: Platform, receiver: Receiver) -> None:
    """The receiver waits for tags, in the words of one of the vendors."""
    if request.param == "kajabi":
        client = await Kajabi.of(platform, "owner")
        await client.created("tag_added", receiver.url)
        return
    headers = {"X-Kit-Api-Key": (await platform.new_key("kit"))["secret"]}
    body = {"target_url": receiver.url, "event": {"name": "subscriber.tag_add", "tag_id": 44}}
    assert (await platform.http.post("/v4/webhooks", json=body, headers=headers)).status_code == 201


@pytest.mark.usefixtures("subscribed")
async def test_a_failed_request_is_sent_again_with_the_same_id_and_bytes(
    platform: Platform, receiver: Receiver
) -> None:
    receiver.fail_next(1)
    await platform.publish("contact.tag_added", DATA)
    first, second = await receiver.wait_for(2)
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    for request in (first, second):
        await platform.verify(request)
    [delivery] = await platform.finished_deliveries(1)
    assert (delivery["status"], delivery["message_id"]) == ("delivered", first.headers["webhook-id"])
    assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 200]


@pytest.mark.usefixtures("subscribed")
async def test_a_receiver_that_always_fails_is_given_up_visibly(platform: Platform, receiver: Receiver) -> None:
    receiver.answer(503)
    await platform.publish("contact.tag_added", DATA)
    await receiver.wait_for(2)
    [delivery] = await platform.finished_deliveries(1)
    assert (delivery["status"], delivery["attempt_count"], receiver.count) == ("dead", 2, 2)


@pytest.mark.usefixtures("subscribed")
async def test_a_receiver_that_is_gone_gets_nothing_more(platform: Platform, receiver: Receiver) -> None:
    receiver.answer(410)
    await platform.publish("contact.tag_added", DATA)
    [delivery] = await platform.finished_deliveries(1)
    assert (delivery["status"], delivery["endpoint"]["status"]) == ("dead", "disabled")
    async with Receiver() as other:
        headers = {"X-Kit-Api-Key": (await platform.new_key("kit"))["secret"]}
        body = {"target_url": other.url, "event": {"name": "subscriber.tag_add", "tag_id": 44}}
        assert (await platform.http.post("/v4/webhooks", json=body, headers=headers)).status_code == 201
        # Twice: whatever the first would bring to the disabled one has come when the second is with the other.
        for count in (1, 2):
            assert await platform.publish("contact.tag_added", DATA) == 2
            await other.wait_for(count)
    assert receiver.count == 1


@pytest.mark.usefixtures("subscribed")
async def test_a_signature_does_not_fit_another_body(platform: Platform, receiver: Receiver) -> None:
    await platform.publish("contact.tag_added", DATA)
    [request] = await receiver.wait_for(1)
    await platform.verify(request)
    request.headers["webhook-id"] += "-1"
    with pytest.raises(WebhookVerificationError):
        await platform.verify(request)
