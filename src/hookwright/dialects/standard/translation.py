"""Every event is one notice under its own type; its body is `{"type", "timestamp", "data"}`.

Source of the body: the Standard Webhooks specification, "Payload structure". `data` is what the platform published,
to the byte.
"""

from collections.abc import Iterable

import msgspec

from hookwright.core.event_names import families_of
from hookwright.core.model import OWN_DIALECT, Event, Notice
from hookwright.core.resources import resources_of
from hookwright.core.times import iso_micros
from hookwright.core.vocabulary import Data


def translate(event: Event, data: Data | None) -> Iterable[Notice]:
    """The own notice of an event. A type that the platform declared has no resources."""
    return (
        Notice(
            dialect=OWN_DIALECT,
            event=event.type,
            families=families_of(event.type),
            resources=() if data is None else resources_of(data),
            render=lambda: render(event),
        ),
    )


def render(event: Event) -> bytes:
    """The body of a delivery. `timestamp` is when the event occurred, in UTC, with microseconds."""
    body = {"type": event.type, "timestamp": iso_micros(event.occurred_at), "data": msgspec.Raw(event.data)}
    return msgspec.json.encode(body)
