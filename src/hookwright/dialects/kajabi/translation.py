"""Events into Kajabi's notices: which hooks an event matches, and the body that they are sent.

Source of the body `{"id", "event", "payload": […]}`: Kajabi openapi.yaml 1.1.0, "Create hook", "Actual Payloads".
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from hookwright.core.model import Event, Notice
from hookwright.core.vocabulary import (
    ContactTagData,
    Data,
    FormSubmittedData,
    OrderCreatedData,
    PaymentSucceededData,
    PurchaseCreatedData,
)
from hookwright.dialects.kajabi.documents import Occasion
from hookwright.dialects.kajabi.payloads import (
    Payload,
    form_submission_payload,
    order_created_payload,
    payment_succeeded_payload,
    purchase_payload,
    tag_payload,
)

NAME = "kajabi"


class Rendering(NamedTuple):
    """How one of our event types reads in Kajabi's words; the data's type follows from the event type."""

    event: str
    resource_ids: Callable[[Any], Iterable[int]]
    payload: Callable[[Any, Occasion], Payload]


def translate(event: Event, data: Data | None) -> Iterable[Notice]:
    """The Kajabi notice of an event: one, or none for a type that Kajabi has no event for.

    Kajabi's hooks belong to a site, so an event without a site has no notice either.
    """
    rendering = RENDERINGS.get(event.type)
    if rendering is None or event.site_id is None:
        return ()
    return (_notice(event, data, event.site_id, rendering),)


def envelope(event_id: str, event: str, payload: Payload) -> bytes:
    """The body of a delivery. Its `id` is unique for each event and the same in every retry."""
    return msgspec.json.encode({"id": event_id, "event": event, "payload": payload})


def _notice(event: Event, data: Data | None, site_id: int, rendering: Rendering) -> Notice:
    return Notice(
        dialect=NAME,
        event=rendering.event,
        resources=tuple(dict.fromkeys(str(id) for id in rendering.resource_ids(data))),
        site_id=site_id,
        render=lambda: _rendered(event, data, site_id, rendering),
    )


def _rendered(event: Event, data: Data | None, site_id: int, rendering: Rendering) -> bytes:
    occasion = Occasion(site_id, event.id, event.occurred_at)
    return envelope(event.id, rendering.event, rendering.payload(data, occasion))


def _tag(data: ContactTagData) -> tuple[int, ...]:
    return (data.tag.id,)


def _form(data: FormSubmittedData) -> tuple[int, ...]:
    return (data.form.id,)


def _offer(data: PurchaseCreatedData | PaymentSucceededData) -> tuple[int, ...]:
    return (data.offer.id,) if data.offer else ()


def _ordered_offers(data: OrderCreatedData) -> Iterable[int]:
    return (item.item_id for item in data.items if item.item_type == "Offer" and item.item_id is not None)


RENDERINGS = {
    "contact.tag_added": Rendering("tag_added", _tag, tag_payload),
    "contact.tag_removed": Rendering("tag_removed", _tag, tag_payload),
    "form.submitted": Rendering("form_submission", _form, form_submission_payload),
    "purchase.created": Rendering("purchase", _offer, purchase_payload),
    "payment.succeeded": Rendering("payment_succeeded", _offer, payment_succeeded_payload),
    "order.created": Rendering("order_created", _ordered_offers, order_created_payload),
}
