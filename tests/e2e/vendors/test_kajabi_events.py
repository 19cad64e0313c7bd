"""Kajabi's six events, published once and delivered to the hooks of an integration written for Kajabi."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.vendors.kajabi_client import EVENTS, JSON_API, Kajabi, check_shape, differences, sample
from e2e.vendors.platform import Platform
from hookwright.testing.receiver import Receiver

RESOURCE, ANOTHER_RESOURCE = 123, 124

SCOPES = {
    "purchase": ["view:purchases"],
    "payment_succeeded": ["view:transactions"],
    "order_created": ["view:transactions", "view:orders"],
    "form_submission": ["view:form_submissions"],
    "tag_added": ["view:contacts"],
    "tag_removed": ["view:contacts"],
}

MOMENT = "2026-01-31T18:20:00Z"
CONTACT = {
    "id": 7,
    "name": "Grace Hopper",
    "email": "grace@example.com",
    "address_line_1": "1 Compiler Street",
    "address_line_2": "Room 2",
    "address_city": "Arlington",
    "address_state": "VA",
    "address_zip": "22201",
    "address_country": "US",
    "phone_number": "5555555555",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
OFFER = {
    "id": RESOURCE,
    "title": "Compilers from scratch",
    "price_in_cents": 14900,
    "payment_type": "single",
    "token": "n8NtoHUZ",
    "payment_method": "stripe_and_paypal",
    "price_description": "$149.00 USD",
    "checkout_url": "https://courses.example.com/offers/n8NtoHUZ",
}
TRANSACTION = {"id": 21, "payment_type": "charge", "amount_in_cents": 14900, "created_at": MOMENT}
PURCHASE = {"id": 31, "amount_in_cents": 14900, "payment_type": "single", "quantity": 1, "created_at": MOMENT}
ITEM = {"id": 51, "item_type": "Offer", "item_id": RESOURCE, "title": "Compilers", "created_at": MOMENT}

# What the platform publishes for each of Kajabi's events; its resource is RESOURCE.
PUBLISHED: dict[str, tuple[str, dict[str, Any]]] = {
    "purchase": (
        "purchase.created",
        {"contact": CONTACT, "purchase": PURCHASE | {"updated_at": MOMENT}, "offer": OFFER},
    ),
    "payment_succeeded": ("payment.succeeded", {"contact": CONTACT, "transaction": TRANSACTION, "offer": OFFER}),
    "order_created": (
        "order.created",
        {
            "contact": CONTACT,
            "transaction": TRANSACTION,
            "order": {"id": 41, "order_number": 1042, "total_price_in_cents": 14900, "created_at": MOMENT},
            "items": [ITEM],
        },
    ),
    "form_submission": (
        "form.submitted",
        {
            "contact": CONTACT,
            "form": {"id": RESOURCE, "name": "Free chapter", "url": "https://courses.example.com/forms/123"},
            "submission": {"id": 61, "name": "Grace Hopper", "email": "grace@example.com"},
        },
    ),
    "tag_added": ("contact.tag_added", {"contact": CONTACT, "tag": {"id": RESOURCE, "name": "VIP"}}),
    "tag_removed": ("contact.tag_removed", {"contact": CONTACT, "tag": {"id": RESOURCE, "name": "VIP"}}),
}


def sample_with_resource(event: str) -> Any:
    """The sample; a payment that names its offer carries it too, as the schema of that sample allows."""
    return sample(event) + ([sample("purchase")[1]] if event == "payment_succeeded" else [])


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_reaches_its_hooks_in_the_vendors_words(
    kajabi: Kajabi, platform: Platform, receiver: Receiver, event: str
) -> None:
    await kajabi.created(event, f"{receiver.url}/any")
    await kajabi.created(event, f"{receiver.url}/this", resource_id=str(RESOURCE))
    await kajabi.created(event, f"{receiver.url}/another", resource_id=ANOTHER_RESOURCE)
    for other in set(EVENTS) - {event}:
        await kajabi.created(other, f"{receiver.url}/{other}")
    assert await platform.publish(*PUBLISHED[event]) == 2
    requests = await receiver.wait_for(2)
    assert sorted(request.path for request in requests) == ["/any", "/this"]
    for request in requests:
        assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
        envelope = request.json()
        assert list(envelope) == ["id", "event", "payload"]
        assert (type(envelope["id"]), envelope["event"]) == (str, event)
        assert list(differences(sample_with_resource(event), envelope["payload"], "payload")) == []
        related = [resource["relationships"] for resource in envelope["payload"]]
        assert [each["site"] for each in related if "site" in each].count(kajabi.site) >= 1
        await platform.verify(request)
    assert len({request.body for request in requests}) == 1


async def test_a_payment_without_an_offer_is_the_sample_and_reaches_no_hook_of_an_offer(
    kajabi: Kajabi, platform: Platform, receiver: Receiver
) -> None:
    await kajabi.created("payment_succeeded", f"{receiver.url}/any")
    await kajabi.created("payment_succeeded", f"{receiver.url}/this", resource_id=RESOURCE)
    data = {"contact": CONTACT, "transaction": TRANSACTION}
    assert await platform.publish("payment.succeeded", data) == 1
    [request] = await receiver.wait_for(1)
    assert list(differences(sample("payment_succeeded"), request.json()["payload"], "payload")) == []


@pytest.mark.parametrize("event", SCOPES)
async def test_a_key_needs_the_documented_scopes_of_an_event(platform: Platform, event: str) -> None:
    client = await Kajabi.of(platform, *SCOPES[event])
    assert (await client.create(event, "https://example.com/")).status_code == 201
    client = await Kajabi.of(platform, *SCOPES[event][1:], "view:blog_posts")
    check_shape(await client.create(event, "https://example.com/"), "errors_forbidden", 403)
    check_shape(await client.ask("GET", f"/v1/hooks/{event}_sample"), "errors_forbidden", 403)


@pytest.mark.parametrize("event", EVENTS)
async def test_a_sample_is_the_published_one_to_the_byte(kajabi: Kajabi, event: str) -> None:
    answer = await kajabi.ask("GET", f"/v1/hooks/{event}_sample")
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON_API)
    assert answer.text == json.dumps(sample(event), indent=2)
