"""What Kit's older webhooks POST: events in, notices with Kit's bodies out.

Shapes: ConvertKit/developers-documentation `source/includes/_webhooks.md` (v3), which v4's older webhooks still
send. The bodies of the `custom_field.*` events are published nowhere; ours follow the v4 REST objects.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec

from hookwright.core.model import Event, Instant, Notice
from hookwright.core.times import from_datetime, iso_millis, iso_seconds
from hookwright.core.vocabulary import (
    Contact,
    CustomField,
    Data,
    Product,
    Purchase,
    PurchaseCreatedData,
)

DIALECT = "kit"

JsonObject = dict[str, Any]

# ISO 4217 currencies whose minor unit is not a hundredth.
_WHOLE_UNITS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_MINOR_UNIT_DIGITS = {**dict.fromkeys(_WHOLE_UNITS, 0), **dict.fromkeys(_THOUSANDTHS, 3), "CLF": 4, "UYW": 4}

# What a subscriber has become by these events, for platforms that do not say so in `contact.state`.
_STATE_AFTER: Mapping[str, str] = {
    "contact.unsubscribed": "cancelled",
    "contact.bounced": "bounced",
    "contact.complained": "complained",
}


class _Rule(NamedTuple):
    """How one event type becomes one notice: its name, the resource to filter on, the body."""

    event: str
    resource: Callable[[Any], object] | None
    body: Callable[[Event, Any], JsonObject]


def translate_for_webhooks(event: Event, data: Data | None) -> Iterable[Notice]:
    """The notices of an event: none for a type that Kit has no words for."""
    if isinstance(data, PurchaseCreatedData):
        return _purchase_notices(event, data)
    rule = _RULES.get(event.type)
    if rule is None:
        return ()
    resource = str(rule.resource(data)) if rule.resource else ""
    return (_notice(rule.event, resource, partial(_encoded, rule.body, event, data)),)


def _purchase_notices(event: Event, data: PurchaseCreatedData) -> Iterable[Notice]:
    yield _notice("purchase.purchase_create", "", partial(_encoded, _purchase_body, event, data))
    for product_id in dict.fromkeys(product.id for product in data.products):
        render = partial(_encoded, _subscriber_body, event, data)
        yield _notice("subscriber.product_purchase", str(product_id), render)


def _notice(event: str, resource: str, render: Callable[[], bytes]) -> Notice:
    # No subscription can name a resource with a NUL, and PostgreSQL cannot compare one.
    resources = (resource,) if resource and "\0" not in resource else ()
    return Notice(dialect=DIALECT, event=event, resources=resources, render=render)


def _encoded(body: Callable[[Event, Any], JsonObject], event: Event, data: object) -> bytes:
    return msgspec.json.encode(body(event, data))


def _subscriber_body(event: Event, data: Any) -> JsonObject:
    return {"subscriber": subscriber_object(event, data.contact)}


def _field_body(event: Event, data: Any) -> JsonObject:
    return {"custom_field": _custom_field(data.custom_field)}


def _field_value_body(event: Event, data: Any) -> JsonObject:
    field: CustomField = data.custom_field
    return {
        "subscriber": subscriber_object(event, data.contact),
        "custom_field": {**_custom_field(field), "value": field.value},
    }


def subscriber_object(event: Event, contact: Contact) -> JsonObject:
    """Kit's subscriber, in the state that the event has left it in."""
    return {
        "id": contact.id,
        "first_name": _first_name(contact),
        "email_address": contact.email,
        "state": _STATE_AFTER.get(event.type, "active") if contact.state == "active" else contact.state,
        "created_at": iso_millis(instant_of(contact.created_at, event)),
        "fields": contact.fields,
    }


def _first_name(contact: Contact) -> str | None:
    words = (contact.name or "").split()
    return contact.first_name if contact.first_name is not None else next(iter(words), None)


def _custom_field(field: CustomField) -> JsonObject:
    return {"id": field.id, "name": field.name, "key": field.key, "label": field.label}


def _purchase_body(event: Event, data: PurchaseCreatedData) -> JsonObject:
    purchase = data.purchase
    major = partial(_major_units, purchase.currency)
    subtotal = _subtotal_in_cents(purchase, data.products)
    return {
        "id": purchase.id,
        "transaction_id": purchase.transaction_id,
        "status": purchase.status,
        "email_address": data.contact.email,
        "currency": purchase.currency,
        "transaction_time": iso_seconds(instant_of(purchase.transaction_time, event)),
        "subtotal": major(subtotal),
        "shipping": major(purchase.shipping_in_cents),
        "discount": major(purchase.discount_in_cents),
        "tax": major(purchase.tax_in_cents),
        "total": major(_total_in_cents(purchase, subtotal)),
        "products": [
            {
                "unit_price": major(product.unit_price_in_cents),
                "quantity": product.quantity,
                "sku": product.sku,
                "name": product.name,
            }
            for product in data.products
        ],
    }


def _subtotal_in_cents(purchase: Purchase, products: Iterable[Product]) -> int:
    if purchase.subtotal_in_cents is not None:
        return purchase.subtotal_in_cents
    lines = [product.quantity * product.unit_price_in_cents for product in products]
    return sum(lines) if lines else purchase.amount_in_cents or 0


def _total_in_cents(purchase: Purchase, subtotal: int) -> int:
    if purchase.total_in_cents is not None:
        return purchase.total_in_cents
    if purchase.amount_in_cents is not None:
        return purchase.amount_in_cents
    return subtotal + purchase.shipping_in_cents + purchase.tax_in_cents - purchase.discount_in_cents


def _major_units(currency: str, minor_units: int) -> float:
    """7866 cents are 78.66 dollars, 20 yen are 20.0 yen."""
    return float(minor_units / 10 ** _MINOR_UNIT_DIGITS.get(currency.upper(), 2))


def instant_of(moment: datetime | None, event: Event) -> Instant:
    """The instant of a moment, or that of the event for one that the platform did not tell."""
    return event.occurred_at if moment is None else from_datetime(moment)


_RULES: Mapping[str, _Rule] = {
    "contact.activated": _Rule("subscriber.subscriber_activate", None, _subscriber_body),
    "contact.unsubscribed": _Rule("subscriber.subscriber_unsubscribe", None, _subscriber_body),
    "contact.bounced": _Rule("subscriber.subscriber_bounce", None, _subscriber_body),
    "contact.complained": _Rule("subscriber.subscriber_complain", None, _subscriber_body),
    "contact.tag_added": _Rule("subscriber.tag_add", lambda data: data.tag.id, _subscriber_body),
    "contact.tag_removed": _Rule("subscriber.tag_remove", lambda data: data.tag.id, _subscriber_body),
    "contact.custom_field_updated": _Rule(
        "custom_field.field_value_updated", lambda data: data.custom_field.id, _field_value_body
    ),
    "form.submitted": _Rule("subscriber.form_subscribe", lambda data: data.form.id, _subscriber_body),
    "sequence.subscribed": _Rule("subscriber.course_subscribe", lambda data: data.sequence.id, _subscriber_body),
    "sequence.completed": _Rule("subscriber.course_complete", lambda data: data.sequence.id, _subscriber_body),
    # The exact string of the URL: neither case nor a trailing slash is forgiven.
    "link.clicked": _Rule("subscriber.link_click", lambda data: data.link.url, _subscriber_body),
    "custom_field.created": _Rule("custom_field.field_created", None, _field_body),
    "custom_field.deleted": _Rule("custom_field.field_deleted", None, _field_body),
}
