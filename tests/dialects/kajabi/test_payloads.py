"""What becomes of a published event: its notice, its resources and the resources it prints."""

import json
from typing import Any

import pytest

from hookwright.core.model import Event, Notice
from hookwright.core.vocabulary import EVENT_TYPES, typed_data
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kajabi.money import currency_symbol, formatted_amount

CONTACT = {"id": 7, "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}
CUSTOMER = {"id": 70, "offer_ids": [5, 6], "product_ids": [8], "created_at": "2026-01-31T23:59:59.123456+01:00"}
OFFER = {"id": 5, "title": "Course", "payment_type": "single", "product_ids": [8], "form_ids": [9]}


def event(type: str, data: object, site_id: int | None = 2) -> Event:
    return Event(
        id="01993f6e-0000-7000-8000-000000000000",
        account_id=1,
        site_id=site_id,
        type=type,
        occurred_at=0,
        accepted_at=0,
        data=json.dumps(data).encode(),
    )


def notice_of(type: str, data: object) -> Notice:
    published = event(type, data)
    (notice,) = KAJABI.translate(published, typed_data(type, published.data))
    return notice


def payload_of(type: str, data: object) -> list[dict[str, Any]]:
    body = json.loads(notice_of(type, data).render())
    payload: list[dict[str, Any]] = body["payload"]
    return payload


@pytest.mark.parametrize(
    ("type", "data", "expected", "resources", "types"),
    [
        ("contact.tag_added", {"tag": {"id": 3}}, "tag_added", ("3",), ["contacts", "contact_tags"]),
        ("contact.tag_removed", {"tag": {"id": 3}}, "tag_removed", ("3",), ["contacts", "contact_tags"]),
        ("form.submitted", {"form": {"id": 4}}, "form_submission", ("4",), ["form_submissions", "forms"]),
        (
            "purchase.created",
            {"purchase": {"id": 1}, "offer": {"id": 5}},
            "purchase",
            ("5",),
            ["purchases", "offers", "customers"],
        ),
        ("purchase.created", {"purchase": {"id": 1}}, "purchase", (), ["purchases", "customers"]),
        (
            "payment.succeeded",
            {"transaction": {"id": 1}, "offer": {"id": 5}},
            "payment_succeeded",
            ("5",),
            ["transactions", "customers", "offers"],
        ),
        ("payment.succeeded", {"transaction": {"id": 1}}, "payment_succeeded", (), ["transactions", "customers"]),
        (
            "order.created",
            {
                "transaction": {"id": 1},
                "order": {"id": 2},
                "items": [
                    {"id": 1, "item_id": 5},
                    {"id": 2, "item_id": 6, "item_type": "Shipping"},
                    {"id": 3, "item_id": 5},
                    {"id": 4},
                    {"id": 5, "item_id": 7},
                ],
            },
            "order_created",
            ("5", "7"),
            ["transactions", "customers", "orders", *["order_items"] * 5],
        ),
    ],
)
def test_an_event_becomes_one_notice_with_its_resources(
    type: str, data: dict[str, object], expected: str, resources: tuple[str, ...], types: list[str]
) -> None:
    notice = notice_of(type, {"contact": CONTACT, **data})
    assert (notice.dialect, notice.event, notice.resources) == ("kajabi", expected, resources)
    assert (notice.site_id, notice.ordinal) == (2, 0)
    body = json.loads(notice.render())
    assert list(body) == ["id", "event", "payload"]
    assert (body["id"], body["event"]) == ("01993f6e-0000-7000-8000-000000000000", expected)
    assert [resource["type"] for resource in body["payload"]] == types
    assert notice.render() == notice.render()


SPOKEN = {
    "contact.tag_added",
    "contact.tag_removed",
    "form.submitted",
    "purchase.created",
    "payment.succeeded",
    "order.created",
}


@pytest.mark.parametrize("type", [*sorted(EVENT_TYPES.keys() - SPOKEN), "invoice.paid"])
def test_what_kajabi_has_no_event_for_gives_no_notice(type: str) -> None:
    assert list(KAJABI.translate(event(type, {}), None)) == []


@pytest.mark.parametrize("type", sorted(SPOKEN))
def test_an_event_without_a_site_gives_no_notice(type: str) -> None:
    assert list(KAJABI.translate(event(type, {}, site_id=None), None)) == []


def test_two_names_are_joined_to_kajabi_s_one() -> None:
    (contact, _) = payload_of("contact.tag_added", {"contact": CONTACT, "tag": {"id": 3}})
    assert contact["attributes"]["name"] == "Ada Lovelace"


def test_a_contact_links_to_its_customer_if_it_has_one() -> None:
    plain, _ = payload_of("contact.tag_added", {"contact": CONTACT, "tag": {"id": 3}})
    buyer, _ = payload_of("contact.tag_added", {"contact": CONTACT | {"customer": CUSTOMER}, "tag": {"id": 3}})
    assert plain["links"] == {"customer": ""}
    assert buyer["links"] == {"customer": "https://api.kajabi.com/api/v1/customers/70"}


def test_a_purchase_names_its_customer_offer_and_products() -> None:
    data = {
        "contact": CONTACT | {"customer": CUSTOMER},
        "purchase": {"id": 1, "total_in_cents": 2500, "transaction_time": "2026-01-31T12:00:00Z"},
        "offer": OFFER,
        "products": [{"id": 8}, {"id": 11}],
    }
    purchase, offer, customer = payload_of("purchase.created", data)
    assert purchase["relationships"] == {
        "customer": {"data": {"id": "70", "type": "customers"}},
        "offer": {"data": {"id": "5", "type": "offers"}},
        "products": {"data": [{"id": "8", "type": "products"}, {"id": "11", "type": "products"}]},
    }
    assert purchase["attributes"]["amount_in_cents"] == 2500
    assert purchase["attributes"]["payment_type"] == "single"
    assert purchase["attributes"]["created_at"] == "2026-01-31T12:00:00.000Z"
    assert offer["relationships"]["forms"] == {"data": [{"id": "9", "type": "forms"}]}
    assert customer["attributes"]["created_at"] == "2026-01-31T22:59:59.123Z"
    assert customer["relationships"]["offers"] == {
        "data": [{"id": "5", "type": "offers"}, {"id": "6", "type": "offers"}],
        "links": {"self": "https://api.kajabi.com/api/v1/customers/70/relationships/offers"},
    }
    assert customer["links"] == {"contact": "https://api.kajabi.com/api/v1/contacts/7"}


def test_without_a_customer_the_contact_stands_in_for_it() -> None:
    transaction, customer = payload_of("payment.succeeded", {"contact": CONTACT, "transaction": {"id": 1}})
    assert transaction["relationships"]["customer"]["data"] == {"id": "7", "type": "customers"}
    assert transaction["relationships"]["offer"] == {"data": None}
    assert customer["id"] == "7"


def test_what_kajabi_always_prints_is_taken_from_the_event_where_the_platform_left_it_out() -> None:
    data = {"contact": CONTACT, "transaction": {"id": 1}, "order": {"id": 2}, "items": [{"id": 3}]}
    happened = "1970-01-01T00:00:00.000Z"
    transaction, customer, order, item = (each["attributes"] for each in payload_of("order.created", data))
    assert [each["created_at"] for each in (transaction, customer, order, item)] == [happened] * 4
    assert (customer["updated_at"], order["order_number"]) == (happened, 2)
    purchase, buyer = (
        each["attributes"] for each in payload_of("purchase.created", {"contact": CONTACT, "purchase": {"id": 1}})
    )
    assert [each[name] for each in (purchase, buyer) for name in ("created_at", "updated_at")] == [happened] * 4
    contact, _ = payload_of("contact.tag_added", {"contact": CONTACT, "tag": {"id": 3}})
    assert [contact["attributes"][name] for name in ("created_at", "updated_at")] == [happened] * 2


def test_what_has_not_happened_stays_null() -> None:
    data = {"contact": CONTACT, "transaction": {"id": 1}, "order": {"id": 2, "order_number": 0}, "items": [{"id": 3}]}
    _, customer, order, item = (each["attributes"] for each in payload_of("order.created", data))
    assert (order["fulfilled_at"], item["fulfilled_at"], customer["last_request_at"]) == (None, None, None)
    assert order["order_number"] == 0


def test_a_time_that_is_known_goes_before_that_of_the_event() -> None:
    known = "2026-01-31T12:00:00.000Z"
    data = {"contact": CONTACT | {"created_at": known}, "transaction": {"id": 1}}
    _, customer = payload_of("payment.succeeded", data)
    assert [customer["attributes"][name] for name in ("created_at", "updated_at")] == [known] * 2
    ordered = data | {"order": {"id": 2, "created_at": known}, "items": [{"id": 3}]}
    assert payload_of("order.created", ordered)[3]["attributes"]["created_at"] == known


def test_a_submission_without_content_says_what_the_contact_says() -> None:
    contact = CONTACT | {"phone_number": "555", "mobile_phone_number": "556"}
    submission, form = payload_of("form.submitted", {"contact": contact, "form": {"id": 4, "tag_ids": [3]}})
    assert submission["id"] == "01993f6e-0000-7000-8000-000000000000"
    assert submission["attributes"]["name"] == "Ada Lovelace"
    assert submission["attributes"]["email"] == "ada@example.com"
    assert submission["attributes"]["phone_number"] == "555"
    assert submission["attributes"]["mobile_phone_number"] == "556"
    assert form["relationships"]["contact_tags"] == {"data": [{"id": "3", "type": "contact_tags"}]}


def test_a_submission_says_what_was_filled_in() -> None:
    filled = {"id": 12, "name": "Countess", "email": "countess@example.com"}
    contact = CONTACT | {"phone_number": "555"}
    submission, _ = payload_of("form.submitted", {"contact": contact, "form": {"id": 4}, "submission": filled})
    assert submission["id"] == "12"
    assert submission["attributes"]["email"] == "countess@example.com"
    assert submission["attributes"]["phone_number"] is None


def test_amounts_are_formatted_unless_the_platform_did_it() -> None:
    data = {"contact": CONTACT, "transaction": {"id": 1, "amount_in_cents": 123456, "currency": "EUR"}}
    assert payload_of("payment.succeeded", data)[0]["attributes"]["formatted_amount"] == "€1,234.56"
    data["transaction"] = {"id": 1, "amount_in_cents": 123456, "formatted_amount": "1.234,56"}
    assert payload_of("payment.succeeded", data)[0]["attributes"]["formatted_amount"] == "1.234,56"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1000, "USD", "$10.00"),
        (5, "USD", "$0.05"),
        (0, "usd", "$0.00"),
        (-1050, "GBP", "-£10.50"),
        (1000, "JPY", "¥1,000"),
        (1234, "KWD", "KWD1.234"),
        (1000, "CHF", "CHF10.00"),
    ],
)
def test_an_amount_is_in_the_minor_unit_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert formatted_amount(amount, currency) == text


def test_a_currency_without_a_symbol_is_its_code() -> None:
    assert (currency_symbol("CAD"), currency_symbol("CHF")) == ("$", "CHF")
