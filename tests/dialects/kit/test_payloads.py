import json
from typing import Any

import msgspec
import pytest

from hookwright.core.errors import Invalid
from hookwright.core.model import Event, Notice
from hookwright.core.vocabulary import typed_data
from hookwright.dialects.kit.events import PARAMETERS
from hookwright.dialects.kit.payloads import translate_for_webhooks

from .clients import vendors

OCCURRED_AT = 1_790_000_000_123_456  # 2026-09-21T14:13:20.123456Z

CONTACT = {
    "id": 1,
    "email": "John@example.com",
    "first_name": "John",
    "created_at": "2018-02-15T19:40:24.913Z",
    "fields": {"My Custom Field": "Value"},
}
PURCHASE = {
    "contact": {"id": 5, "email": "crashoverride@hackers.com"},
    "purchase": {
        "id": 8,
        "transaction_id": "123-abcd-456-efgh",
        "currency": "JPY",
        "transaction_time": "2018-03-17T11:28:04Z",
        "shipping_in_cents": 2,
        "discount_in_cents": 3,
        "tax_in_cents": 2,
    },
    "products": [
        {"id": 31, "name": "Floppy Disk (512k)", "sku": "7890-ijkl", "quantity": 2, "unit_price_in_cents": 5},
        {"id": 32, "name": "Telephone Cord (data)", "sku": "mnop-1234", "unit_price_in_cents": 10},
    ],
}
LINK = "https://example.com/Offer?utm_source=kit"
FIELD = {"id": 6, "name": "ck_field_6_interests", "key": "interests", "label": "Interests"}


def event_of(type: str, data: dict[str, Any]) -> Event:
    return Event(
        id="019a0000-0000-7000-8000-000000000000",
        account_id=64,
        site_id=None,
        type=type,
        occurred_at=OCCURRED_AT,
        accepted_at=OCCURRED_AT,
        data=msgspec.json.encode(data),
    )


def notices_of(type: str, data: dict[str, Any]) -> list[Notice]:
    event = event_of(type, data)
    return list(translate_for_webhooks(event, typed_data(type, event.data)))


def subscriber_of(type: str = "contact.activated", **contact: Any) -> dict[str, Any]:
    (notice,) = notices_of(type, {"contact": {"id": 1, "email": "john@example.com", **contact}})
    subscriber: dict[str, Any] = json.loads(notice.render())["subscriber"]
    return subscriber


@pytest.mark.parametrize(
    ("type", "object", "name", "resources"),
    [
        ("contact.activated", {}, "subscriber.subscriber_activate", ()),
        ("contact.unsubscribed", {}, "subscriber.subscriber_unsubscribe", ()),
        ("contact.bounced", {}, "subscriber.subscriber_bounce", ()),
        ("contact.complained", {}, "subscriber.subscriber_complain", ()),
        ("contact.tag_added", {"tag": {"id": 44}}, "subscriber.tag_add", ("44",)),
        ("contact.tag_removed", {"tag": {"id": "44"}}, "subscriber.tag_remove", ("44",)),
        ("form.submitted", {"form": {"id": 10}}, "subscriber.form_subscribe", ("10",)),
        ("sequence.subscribed", {"sequence": {"id": 18}}, "subscriber.course_subscribe", ("18",)),
        ("sequence.completed", {"sequence": {"id": 18}}, "subscriber.course_complete", ("18",)),
        ("link.clicked", {"link": {"url": LINK}}, "subscriber.link_click", (LINK,)),
    ],
)
def test_a_subscribers_event_prints_the_subscriber_and_nothing_else(
    type: str, object: dict[str, Any], name: str, resources: tuple[str, ...]
) -> None:
    (notice,) = notices_of(type, {"contact": {**CONTACT, "state": "inactive"}, **object})
    assert (notice.dialect, notice.event, notice.resources) == ("kit", name, resources)
    expected = vendors("payloads")["subscriber"]
    expected["subscriber"]["state"] = "inactive"
    assert json.loads(notice.render()) == expected


def test_a_subscriber_is_printed_in_the_vendors_order() -> None:
    (notice,) = notices_of("contact.activated", {"contact": CONTACT})
    assert notice.render() == json.dumps(vendors("payloads")["subscriber"], separators=(",", ":")).encode()


def test_a_purchase_is_printed_bare_and_in_major_units() -> None:
    notice = notices_of("purchase.created", PURCHASE)[0]
    assert (notice.event, notice.resources) == ("purchase.purchase_create", ())
    assert notice.render() == json.dumps(vendors("payloads")["purchase"], separators=(",", ":")).encode()


def test_a_purchase_is_also_one_notice_for_each_distinct_product() -> None:
    data = {**PURCHASE, "products": [{"id": 31}, {"id": 32}, {"id": 31}]}
    notices = notices_of("purchase.created", data)[1:]
    assert [notice.resources for notice in notices] == [("31",), ("32",)]
    assert {notice.event for notice in notices} == {"subscriber.product_purchase"}
    assert json.loads(notices[0].render())["subscriber"]["email_address"] == "crashoverride@hackers.com"


@pytest.mark.parametrize(
    ("currency", "minor_units", "printed"),
    [("USD", 7866, 78.66), ("eur", 1, 0.01), ("JPY", 7866, 7866.0), ("KWD", 7866, 7.866), ("CLF", 5, 0.0005)],
)
def test_amounts_follow_the_minor_unit_of_their_currency(currency: str, minor_units: int, printed: float) -> None:
    purchase = {"id": 8, "currency": currency, "subtotal_in_cents": minor_units, "total_in_cents": minor_units}
    notice = notices_of("purchase.created", {"contact": CONTACT, "purchase": purchase})[0]
    body = json.loads(notice.render())
    assert (body["subtotal"], body["total"], body["products"]) == (printed, printed, [])


def test_amounts_that_a_platform_does_not_send_are_worked_out() -> None:
    data = {"contact": CONTACT, "purchase": {"id": 8, "amount_in_cents": 500}}
    body = json.loads(notices_of("purchase.created", data)[0].render())
    assert (body["subtotal"], body["total"], body["shipping"]) == (5.0, 5.0, 0.0)
    assert body["transaction_time"] == "2026-09-21T14:13:20Z"
    assert body["transaction_id"] is None


def test_an_amount_that_no_float_can_hold_is_refused_before_it_is_accepted() -> None:
    event = event_of("purchase.created", PURCHASE)
    huge = event.data.replace(b'"tax_in_cents":2', b'"tax_in_cents":' + b"9" * 400)
    with pytest.raises(Invalid) as refused:
        typed_data("purchase.created", huge)
    assert refused.value.problems[0].pointer == "/data/purchase/tax_in_cents"


@pytest.mark.parametrize(
    ("type", "name"),
    [("custom_field.created", "custom_field.field_created"), ("custom_field.deleted", "custom_field.field_deleted")],
)
def test_a_custom_field_is_printed_as_the_rest_api_does(type: str, name: str) -> None:
    (notice,) = notices_of(type, {"custom_field": FIELD})
    assert (notice.event, notice.resources) == (name, ())
    assert json.loads(notice.render()) == {"custom_field": FIELD}


@pytest.mark.parametrize("value", ["chess", None])
def test_a_custom_fields_new_value_is_printed_with_its_subscriber(value: str | None) -> None:
    data = {"contact": CONTACT, "custom_field": {**FIELD, "value": value}}
    (notice,) = notices_of("contact.custom_field_updated", data)
    assert (notice.event, notice.resources) == ("custom_field.field_value_updated", ("6",))
    body = json.loads(notice.render())
    assert body == {**vendors("payloads")["subscriber"], "custom_field": {**FIELD, "value": value}}


def test_every_event_of_kit_has_something_that_is_published() -> None:
    examples: dict[str, dict[str, Any]] = {
        "contact.activated": {},
        "contact.unsubscribed": {},
        "contact.bounced": {},
        "contact.complained": {},
        "contact.tag_added": {"tag": {"id": 1}},
        "contact.tag_removed": {"tag": {"id": 1}},
        "contact.custom_field_updated": {"custom_field": FIELD},
        "form.submitted": {"form": {"id": 1}},
        "sequence.subscribed": {"sequence": {"id": 1}},
        "sequence.completed": {"sequence": {"id": 1}},
        "link.clicked": {"link": {"url": LINK}},
        "purchase.created": PURCHASE,
        "custom_field.created": {"custom_field": FIELD},
        "custom_field.deleted": {"custom_field": FIELD},
    }
    published = {
        notice.event for type, data in examples.items() for notice in notices_of(type, {"contact": CONTACT, **data})
    }
    assert published == set(PARAMETERS)


@pytest.mark.parametrize("type", ["contact.created", "payment.succeeded", "tag.created", "post.published"])
def test_an_event_that_the_older_webhooks_do_not_know_becomes_nothing(type: str) -> None:
    assert list(translate_for_webhooks(event_of(type, {}), None)) == []


def test_a_contact_without_a_birthday_was_born_with_the_event() -> None:
    assert subscriber_of()["created_at"] == "2026-09-21T14:13:20.123Z"


@pytest.mark.parametrize(
    ("contact", "first_name"),
    [
        ({}, None),
        ({"name": "  "}, None),
        ({"name": "John Ronald Reuel"}, "John"),
        ({"name": "John Ronald", "first_name": "Jack"}, "Jack"),
    ],
)
def test_a_first_name_may_come_from_the_name(contact: dict[str, str], first_name: str | None) -> None:
    assert subscriber_of(**contact)["first_name"] == first_name


@pytest.mark.parametrize(
    ("type", "state"),
    [
        ("contact.activated", "active"),
        ("contact.unsubscribed", "cancelled"),
        ("contact.bounced", "bounced"),
        ("contact.complained", "complained"),
    ],
)
def test_a_subscriber_has_the_state_that_the_event_brought(type: str, state: str) -> None:
    assert subscriber_of(type)["state"] == state


def test_a_link_that_no_subscription_can_name_has_no_resource() -> None:
    for url in ("", "https://example.com/\0"):
        (notice,) = notices_of("link.clicked", {"contact": CONTACT, "link": {"url": url}})
        assert notice.resources == ()
