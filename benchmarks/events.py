"""What is published: events whose deliveries have exactly 1 KB, and the same bodies for the bare sender."""

from __future__ import annotations

import msgspec

from hookwright.core.model import Event
from hookwright.dialects.standard.translation import render

EVENT_TYPE = "contact.tag_added"
BODY_BYTES = 1_024
FIRST_CONTACT = 1_000_000  # contact ids have seven digits, so that every body has the same length


def event_data(number: int, tag: int = 123) -> bytes:
    """The data of one event; `number` tells it from the others, `tag` is the resource it is about."""
    bare = _data(number, tag, "")
    return _data(number, tag, "x" * (BODY_BYTES - len(_rendered(bare))))


def delivered_body(number: int) -> bytes:
    """What a receiver gets for such an event: the standard form, 1 KB."""
    return _rendered(event_data(number))


def _data(number: int, tag: int, padding: str) -> bytes:
    contact = {
        "id": FIRST_CONTACT + number,
        "email": "ada@example.com",
        "first_name": "Ada",
        "fields": {"notes": padding},
    }
    return msgspec.json.encode({"contact": contact, "tag": {"id": tag, "name": "VIP"}})


def _rendered(data: bytes) -> bytes:
    now = 1_790_000_000_123_456
    return render(
        Event(
            id="00000000-0000-7000-8000-000000000000",
            account_id=64,
            site_id=None,
            type=EVENT_TYPE,
            occurred_at=now,
            accepted_at=now,
            data=data,
            idempotency_key=None,
        )
    )
