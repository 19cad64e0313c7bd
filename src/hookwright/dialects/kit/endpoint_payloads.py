"""What Kit's webhook endpoints are sent of an event: one object, of which a request carries up to a hundred.

Shapes: developers.kit.com "Event types" and "Delivery format"; anthonyhagi/kit-node-sdk `src/webhook-delivery.ts`.
Where the platform left out what Kit never leaves out, a text is empty and a creation is as old as the event.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from hookwright.core.model import Event, Notice
from hookwright.core.times import from_datetime, iso_seconds
from hookwright.core.vocabulary import Broadcast, Contact, CustomField, Data, Form, Post, Sequence, Tag
from hookwright.dialects.kit.endpoint_events import ENDPOINT_DIALECT, EVENT_TYPES
from hookwright.dialects.kit.payloads import JsonObject, instant_of, subscriber_object

_KIT_NAMES = {ours: kits for kits, ours in EVENT_TYPES.items()}

# Kit's forms are embedded in a page, or hosted by Kit.
DEFAULT_FORM_TYPE = "embed"


def translate_for_endpoints(event: Event, data: Data | None) -> Iterable[Notice]:
    """The notice of an event: none for a type that Kit has no word for."""
    name = _KIT_NAMES.get(event.type)
    if name is None:
        return ()
    return (Notice(dialect=ENDPOINT_DIALECT, event=name, render=partial(_rendered, event, data, name)),)


def event_object(event: Event, data: Data | None, name: str) -> JsonObject:
    """`{"id", "type", "created", "data"}`. The id is the event's, so that it is the same wherever it is sent."""
    return {
        "id": event.id,
        "type": name,
        "created": iso_seconds(event.occurred_at),
        "data": _data(event, data, name),
    }


def _rendered(event: Event, data: Data | None, name: str) -> bytes:
    return msgspec.json.encode(event_object(event, data, name))


def _data(event: Event, data: Any, name: str) -> JsonObject:
    subscriber = {"subscriber": _subscriber(event, data.contact)} if name.startswith("subscriber.") else {}
    objects = {kits: show(event, getattr(data, kits)) for kits, show in _OBJECTS.items() if hasattr(data, kits)}
    if name == "subscriber.custom_field_value_updated":
        objects["custom_field"]["value"] = data.custom_field.value
    return {**subscriber, **objects}


def _subscriber(event: Event, contact: Contact) -> JsonObject:
    created_at = iso_seconds(instant_of(contact.created_at, event))
    return {**subscriber_object(event, contact), "created_at": created_at}


def _form(event: Event, form: Form) -> JsonObject:
    return {
        "id": form.id,
        "name": form.name or "",
        "created_at": iso_seconds(instant_of(form.created_at, event)),
        "type": form.type or DEFAULT_FORM_TYPE,
        "format": form.format,
        "archived": form.archived,
        "uid": form.uid or "",
    }


def _sequence(event: Event, sequence: Sequence) -> JsonObject:
    created_at = instant_of(sequence.created_at, event)
    return {
        "id": sequence.id,
        "name": sequence.name or "",
        "hold": sequence.hold,
        "repeat": sequence.repeat,
        "created_at": iso_seconds(created_at),
        "updated_at": _iso_or_none(sequence.updated_at) or iso_seconds(created_at),
        "email_template_id": sequence.email_template_id,
        "active": sequence.active,
    }


def _tag(event: Event, tag: Tag) -> JsonObject:
    return {
        "id": tag.id,
        "name": tag.name or "",
        "created_at": iso_seconds(instant_of(tag.created_at, event)),
    }


def _custom_field(event: Event, field: CustomField) -> JsonObject:
    return {"id": field.id, "name": field.name or "", "key": field.key or "", "label": field.label or ""}


def _broadcast(event: Event, broadcast: Broadcast) -> JsonObject:
    return {
        "id": broadcast.id,
        "publication_id": broadcast.publication_id,
        "created_at": iso_seconds(instant_of(broadcast.created_at, event)),
        "subject": broadcast.subject or "",
        "preview_text": broadcast.preview_text,
        "description": broadcast.description,
        "public": broadcast.public,
        "published_at": _iso_or_none(broadcast.published_at),
        "send_at": _iso_or_none(broadcast.send_at),
        "status": broadcast.status,
    }


def _post(event: Event, post: Post) -> JsonObject:
    return {
        "id": post.id,
        "publication_id": post.publication_id,
        "title": post.title or "",
        "slug": post.slug or "",
        "published_at": iso_seconds(instant_of(post.published_at, event)),
        "is_paid": post.is_paid,
        "public_url": post.public_url or "",
    }


def _iso_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else iso_seconds(from_datetime(moment))


_OBJECTS: Mapping[str, Callable[[Event, Any], JsonObject]] = {
    "form": _form,
    "sequence": _sequence,
    "tag": _tag,
    "custom_field": _custom_field,
    "broadcast": _broadcast,
    "post": _post,
}
