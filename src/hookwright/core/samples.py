"""One realistic sample of data for each event type: for documentation, for first steps and for tests.

The people, courses and sums are made up and belong together: one contact, who finds a form and ends up buying.
"""

from typing import Any

Sample = dict[str, Any]

_CONTACT: Sample = {
    "id": 78901,
    "email": "grace@example.com",
    "name": "Grace Hopper",
    "first_name": "Grace",
    "last_name": "Hopper",
    "state": "active",
    "subscribed": True,
    "address_city": "Arlington",
    "address_country": "US",
    "phone_number": "+1 555 010 0199",
    "fields": {"company": "Compilers Ltd", "role": None},
    "created_at": "2026-01-10T09:00:00Z",
    "updated_at": "2026-01-31T18:20:00Z",
}
_TAG: Sample = {"id": 41, "name": "Course waiting list", "created_at": "2025-11-03T08:30:00Z"}
_CUSTOM_FIELD: Sample = {"id": 7, "name": "ck_field_7_company", "key": "company", "label": "Company"}
_FORM: Sample = {
    "id": 512,
    "name": "Free chapter",
    "url": "https://courses.example.com/forms/512",
    "type": "embed",
    "created_at": "2025-10-01T12:00:00Z",
}
_SUBMISSION: Sample = {"id": 90031, "name": "Grace Hopper", "email": "grace@example.com"}
_SEQUENCE: Sample = {"id": 63, "name": "Five days of compilers", "created_at": "2025-12-01T07:00:00Z"}
_LINK: Sample = {"url": "https://courses.example.com/compilers", "id": 3302}
_OFFER: Sample = {
    "id": 205,
    "title": "Compilers from scratch",
    "currency": "USD",
    "price_in_cents": 14900,
    "payment_type": "single",
    "one_time": True,
    "product_ids": [310],
}
_PURCHASE: Sample = {
    "id": 66012,
    "transaction_id": "ch_1001",
    "status": "paid",
    "currency": "USD",
    "amount_in_cents": 14900,
    "subtotal_in_cents": 14900,
    "total_in_cents": 14900,
    "transaction_time": "2026-01-31T18:20:00Z",
    "payment_type": "single",
    "quantity": 1,
    "created_at": "2026-01-31T18:20:00Z",
}
_PRODUCT: Sample = {
    "id": 310,
    "name": "Compilers from scratch",
    "sku": "COMP-1",
    "quantity": 1,
    "unit_price_in_cents": 14900,
}
_TRANSACTION: Sample = {
    "id": 88120,
    "action": "charge",
    "state": "succeeded",
    "payment_type": "single",
    "amount_in_cents": 14900,
    "currency": "USD",
    "currency_symbol": "$",
    "formatted_amount": "$149.00 USD",
    "created_at": "2026-01-31T18:20:00Z",
}
_ORDER: Sample = {
    "id": 5120,
    "order_number": 1042,
    "currency": "USD",
    "total_price_in_cents": 14900,
    "subtotal_in_cents": 14900,
    "created_at": "2026-01-31T18:20:00Z",
}
_ORDER_ITEM: Sample = {
    "id": 7733,
    "item_type": "Offer",
    "item_id": 205,
    "title": "Compilers from scratch",
    "quantity": 1,
    "total_price_in_cents": 14900,
    "subtotal_in_cents": 14900,
    "created_at": "2026-01-31T18:20:00Z",
}
_BROADCAST: Sample = {
    "id": 9910,
    "publication_id": 4410,
    "subject": "The course opens on Monday",
    "preview_text": "Ten seats, five days",
    "public": True,
    "created_at": "2026-01-28T10:00:00Z",
}
_POST: Sample = {
    "id": 1204,
    "publication_id": 4411,
    "title": "Why compilers are friendly",
    "slug": "why-compilers-are-friendly",
    "is_paid": False,
    "public_url": "https://courses.example.com/posts/why-compilers-are-friendly",
    "published_at": "2026-01-29T07:00:00Z",
}


def _contact_in_state(state: str) -> Sample:
    return {"contact": {**_CONTACT, "state": state, "subscribed": state == "active"}}


SAMPLES: dict[str, Sample] = {
    "contact.created": {"contact": _CONTACT},
    "contact.activated": {"contact": _CONTACT},
    "contact.unsubscribed": _contact_in_state("cancelled"),
    "contact.bounced": _contact_in_state("bounced"),
    "contact.complained": _contact_in_state("complained"),
    "contact.tag_added": {"contact": _CONTACT, "tag": _TAG},
    "contact.tag_removed": {"contact": _CONTACT, "tag": _TAG},
    "contact.custom_field_updated": {
        "contact": _CONTACT,
        "custom_field": {**_CUSTOM_FIELD, "value": "Compilers Ltd"},
    },
    "form.submitted": {"contact": _CONTACT, "form": _FORM, "submission": _SUBMISSION},
    "sequence.subscribed": {"contact": _CONTACT, "sequence": _SEQUENCE},
    "sequence.completed": {"contact": _CONTACT, "sequence": _SEQUENCE},
    "link.clicked": {"contact": _CONTACT, "link": _LINK},
    "purchase.created": {"contact": _CONTACT, "purchase": _PURCHASE, "offer": _OFFER, "products": [_PRODUCT]},
    "payment.succeeded": {"contact": _CONTACT, "transaction": _TRANSACTION, "offer": _OFFER},
    "order.created": {
        "contact": _CONTACT,
        "transaction": _TRANSACTION,
        "order": _ORDER,
        "items": [_ORDER_ITEM],
    },
    "custom_field.created": {"custom_field": _CUSTOM_FIELD},
    "custom_field.deleted": {"custom_field": _CUSTOM_FIELD},
    "tag.created": {"tag": _TAG},
    "tag.deleted": {"tag": _TAG},
    "sequence.created": {"sequence": {**_SEQUENCE, "active": False}},
    "sequence.deleted": {"sequence": _SEQUENCE},
    "sequence.published": {"sequence": _SEQUENCE},
    "sequence.disabled": {"sequence": {**_SEQUENCE, "active": False}},
    "broadcast.created": {"broadcast": {**_BROADCAST, "status": "draft"}},
    "broadcast.sent": {
        "broadcast": {**_BROADCAST, "status": "completed", "published_at": "2026-01-30T10:00:00Z"},
    },
    "broadcast.deleted": {"broadcast": _BROADCAST},
    "post.published": {"post": _POST},
}

_FAILING_ENDPOINT: Sample = {"id": 1408, "url": "https://receiver.example.com/events", "dialect": "hookwright"}


def _failing(reason: str | None, progress_percent: int) -> Sample:
    return {
        "endpoint": _FAILING_ENDPOINT,
        "reason": reason,
        "failing_since": "2026-01-29T06:20:00.000000Z",
        "progress_percent": progress_percent,
        "last_status_code": 503,
        "last_error": None,
    }


# What only Hookwright publishes.
OPERATIONAL_SAMPLES: dict[str, Sample] = {
    "endpoint.warned": _failing(None, 50),
    "endpoint.disabled": _failing("failing", 100),
    "endpoint.recovered": {
        **_failing(None, 0),
        "failing_since": None,
        "last_status_code": 200,
    },
    "delivery.dead": {
        "delivery": {
            "id": 20544,
            "event_id": "019c15f0-2a31-7c8e-9b1d-5f1e3c7a8840",
            "event_type": "contact.tag_added",
            "attempts": 10,
            "last_status_code": 503,
            "last_error": None,
        },
        "endpoint": _FAILING_ENDPOINT,
    },
}
