"""What a shell may complete: values that this version knows without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable


def event_types(incomplete: str) -> list[str]:
    """The event types of the vocabulary."""
    from hookwright.core.vocabulary import EVENT_TYPES

    return _beginning_with(incomplete, EVENT_TYPES)


def subscriptions(incomplete: str) -> list[str]:
    """What an endpoint of our own may subscribe to: event types, and families of them."""
    from hookwright.core.event_names import EVERYTHING, family_of
    from hookwright.core.vocabulary import EVENT_TYPES

    return _beginning_with(incomplete, [*EVENT_TYPES, *dict.fromkeys(map(family_of, EVENT_TYPES)), EVERYTHING])


def delivery_statuses(incomplete: str) -> list[str]:
    """What may become of a delivery."""
    from typing import get_args

    from hookwright.core.model import DeliveryStatus

    return _beginning_with(incomplete, get_args(DeliveryStatus))


def finished_statuses(incomplete: str) -> list[str]:
    """What may have become of a delivery that can be replayed."""
    return _beginning_with(incomplete, ("delivered", "dead", "cancelled"))


def dialects(incomplete: str) -> list[str]:
    """The names of forms in which endpoints are sent to."""
    return _beginning_with(incomplete, ("hookwright", "kajabi", "kit", "kit_endpoints"))


def scopes(incomplete: str) -> list[str]:
    """The scopes of keys for our own API, the widest last."""
    return _beginning_with(incomplete, ("publish", "read", "manage", "admin"))


def _beginning_with(incomplete: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
