"""Kit's fifteen events, published once and delivered to the webhooks of an integration written for Kit."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx
import pytest

from e2e.vendors.kit_client import CONTACT, PAYLOADS, check_errors, create
from e2e.vendors.platform import Platform
from hookwright.testing.receiver import Receiver

LINK = "https://courses.example.com/compilers?ref=grüße#start"

# The purchase of which the documented payload speaks.
PURCHASE_DATA = {
    "contact": {"id": 9, "email": "crashoverride@hackers.com"},
    "purchase": {
        "id": 8,
        "transaction_id": "123-abcd-456-efgh",
        "currency": "JPY",
        "transaction_time": "2018-03-17T11:28:04Z",
        "subtotal_in_cents": 20,
        "shipping_in_cents": 2,
        "discount_in_cents": 3,
        "tax_in_cents": 2,
        "total_in_cents": 21,
    },
    "products": [
        {"id": 5, "unit_price_in_cents": 5, "quantity": 2, "sku": "7890-ijkl", "name": "Floppy Disk (512k)"},
        {"id": 6, "unit_price_in_cents": 10, "sku": "mnop-1234", "name": "Telephone Cord (data)"},
    ],
}
FIELD = {"id": 6, "name": "ck_field_6_interests", "key": "interests", "label": "Interests"}


class Case(NamedTuple):
    """One of Kit's events: the parameter that it requires, and what is published for it."""

    event: str
    parameter: dict[str, Any]
    another: dict[str, Any]
    event_type: str
    data: dict[str, Any]


def about_contact(name: str, event_type: str) -> Case:
    return Case(f"subscriber.{name}", {}, {}, event_type, {"contact": CONTACT})


def about_resource(name: str, parameter: str, event_type: str, data: dict[str, Any]) -> Case:
    [resource] = (value["id"] for key, value in data.items() if key != "contact")
    return Case(name, {parameter: resource}, {parameter: resource + 1}, event_type, {"contact": CONTACT, **data})


CASES = (
    about_contact("subscriber_activate", "contact.activated"),
    about_contact("subscriber_unsubscribe", "contact.unsubscribed"),
    about_contact("subscriber_bounce", "contact.bounced"),
    about_contact("subscriber_complain", "contact.complained"),
    about_resource("subscriber.form_subscribe", "form_id", "form.submitted", {"form": {"id": 10}}),
    about_resource("subscriber.course_subscribe", "sequence_id", "sequence.subscribed", {"sequence": {"id": 18}}),
    about_resource("subscriber.course_complete", "sequence_id", "sequence.completed", {"sequence": {"id": 18}}),
    Case(
        "subscriber.link_click",
        {"initiator_value": LINK},
        {"initiator_value": "https://courses.example.com/"},
        "link.clicked",
        {"contact": CONTACT, "link": {"url": LINK}},
    ),
    Case(
        "subscriber.product_purchase",
        {"product_id": 6},
        {"product_id": 7},
        "purchase.created",
        {**PURCHASE_DATA, "contact": CONTACT},
    ),
    about_resource("subscriber.tag_add", "tag_id", "contact.tag_added", {"tag": {"id": 44}}),
    about_resource("subscriber.tag_remove", "tag_id", "contact.tag_removed", {"tag": {"id": 44}}),
    Case("purchase.purchase_create", {}, {}, "purchase.created", PURCHASE_DATA),
    Case("custom_field.field_created", {}, {}, "custom_field.created", {"custom_field": FIELD}),
    Case("custom_field.field_deleted", {}, {}, "custom_field.deleted", {"custom_field": FIELD}),
    about_resource(
        "custom_field.field_value_updated",
        "custom_field_id",
        "contact.custom_field_updated",
        {"custom_field": {**FIELD, "value": "Compilers"}},
    ),
)
STATES = {"subscriber_unsubscribe": "cancelled", "subscriber_bounce": "bounced", "subscriber_complain": "complained"}
WITH_PARAMETER = [case for case in CASES if case.parameter]


def payload_of(case: Case) -> dict[str, Any]:
    """What Kit documents to be delivered; nothing is documented for custom fields, which look as in its REST API."""
    kind, name = case.event.split(".")
    subscriber = {"subscriber": {**PAYLOADS["subscriber"]["subscriber"], "state": STATES.get(name, "active")}}
    if kind == "subscriber":
        return subscriber
    if kind == "purchase":
        return dict(PAYLOADS["purchase"])
    return {**(subscriber if "contact" in case.data else {}), "custom_field": case.data["custom_field"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.event)
async def test_an_event_reaches_its_webhooks_in_the_vendors_words(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver, case: Case
) -> None:
    await create(kit, case.event, f"{receiver.url}/this?secret=%2Fs", **case.parameter)
    if case.another:
        await create(kit, case.event, f"{receiver.url}/another", **case.another)
    assert await platform.publish(case.event_type, case.data) == 1
    [request] = await receiver.wait_for(1)
    assert (request.method, request.path) == ("POST", "/this?secret=%2Fs")
    assert request.headers["content-type"] == "application/json"
    assert request.body == json.dumps(payload_of(case), separators=(",", ":")).encode()
    await platform.verify(request)


async def test_of_all_fifteen_webhooks_each_gets_its_own_event_alone(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    for case in CASES:
        await create(kit, case.event, f"{receiver.url}/{case.event}", **case.parameter)
    # One purchase is news for two of them.
    published = {case.event_type: case.data for case in CASES}
    counts = [await platform.publish(event_type, data) for event_type, data in published.items()]
    assert (sum(counts), max(counts)) == (15, 2)
    requests = await receiver.wait_for(15)
    assert sorted(request.path for request in requests) == sorted(f"/{case.event}" for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.event)
async def test_the_answer_shows_the_webhook_as_documented(
    kit: httpx.AsyncClient, platform: Platform, case: Case
) -> None:
    webhook = await create(kit, case.event, "https://example.com/", **case.parameter)
    shown = {"name": case.event.split(".")[1], **case.parameter}
    assert webhook == {
        "id": webhook["id"],
        "account_id": platform.account_id,
        "event": {"initiator_value": None, **shown},
        "target_url": "https://example.com/",
    }


@pytest.mark.parametrize("case", WITH_PARAMETER, ids=lambda case: case.event)
async def test_a_required_parameter_may_be_a_string_but_not_missing(kit: httpx.AsyncClient, case: Case) -> None:
    [(name, value)] = case.parameter.items()
    webhook = await create(kit, case.event, "https://example.com/", **{name: str(value)})
    assert webhook["event"][name] == value
    body = {"target_url": "https://example.com/", "event": {"name": case.event, name: None}}
    check_errors(await kit.post("/v4/webhooks", json=body), 422)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", "/"),
        ("/a%20b//c/../d?secret=%2F&empty=&list[]=1", "/a%20b//c/../d?secret=%2F&empty=&list[]=1"),
        ("/grüße?an=漢字", "/gr%C3%BC%C3%9Fe?an=%E6%BC%A2%E5%AD%97"),
    ],
)
async def test_a_target_is_called_as_it_was_given_but_for_what_http_cannot_carry(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver, given: str, sent: str
) -> None:
    webhook = await create(kit, "subscriber.subscriber_activate", f"{receiver.url}{given}")
    assert webhook["target_url"] == f"{receiver.url}{given}"
    await platform.publish("contact.activated", {"contact": CONTACT})
    assert [request.path for request in await receiver.wait_for(1)] == [sent]


@pytest.mark.parametrize("event", ["subscriber.course_subscribe", "subscriber.course_complete"])
async def test_the_old_name_of_a_sequence_works_as_well(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver, event: str
) -> None:
    webhook = await create(kit, event, receiver.url, course_id="18")
    assert webhook["event"]["sequence_id"] == 18
    [case] = [case for case in CASES if case.event == event]
    assert await platform.publish(case.event_type, case.data) == 1
    await receiver.wait_for(1)


async def test_one_purchase_reaches_the_webhooks_of_each_product_once(
    kit: httpx.AsyncClient, platform: Platform, receiver: Receiver
) -> None:
    await create(kit, "purchase.purchase_create", f"{receiver.url}/purchase")
    for product_id in (5, 6, 7):
        await create(kit, "subscriber.product_purchase", f"{receiver.url}/{product_id}", product_id=product_id)
    assert await platform.publish("purchase.created", PURCHASE_DATA) == 3
    requests = await receiver.wait_for(3)
    assert {request.path: list(request.json()) for request in requests} == {
        "/purchase": list(PAYLOADS["purchase"]),
        "/5": ["subscriber"],
        "/6": ["subscriber"],
    }
