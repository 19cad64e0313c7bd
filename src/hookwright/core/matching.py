"""Who wants a notice: asked of one endpoint, or of all the subscriptions of an account at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hookwright.core.model import ANY_RESOURCE, Endpoint, Notice


def is_wanted(notice: Notice, endpoint: Endpoint) -> bool:
    """Whether an endpoint would get a delivery of this notice."""
    if notice.dialect != endpoint.dialect or notice.site_id not in (None, endpoint.site_id):
        return False
    events = (notice.event, *notice.families)
    resources = (ANY_RESOURCE, *notice.resources)
    return any(each.event in events and each.resource in resources for each in endpoint.subscriptions)


class Entry(NamedTuple):
    """One subscription, with what of its endpoint matters to a notice."""

    dialect: str
    event: str
    resource: str
    endpoint_id: int
    site_id: int | None


class SubscriptionBook:
    """The subscriptions of an account, by what a notice asks: a few look-ups find all who want it."""

    __slots__ = ("_by_event", "size")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_event: dict[tuple[str, str], dict[str, list[Entry]]] = {}
        self.size = 0
        for entry in entries:
            self._by_event.setdefault((entry.dialect, entry.event), {}).setdefault(entry.resource, []).append(entry)
            self.size += 1

    def endpoints_for(self, notice: Notice) -> set[int]:
        """The ids of the endpoints that want a notice; each once, however many reasons it has."""
        wanting: set[int] = set()
        for event in (notice.event, *notice.families):
            by_resource = self._by_event.get((notice.dialect, event))
            if by_resource is None:
                continue
            for resource in (ANY_RESOURCE, *notice.resources):
                for entry in by_resource.get(resource, ()):
                    if notice.site_id in (None, entry.site_id):
                        wanting.add(entry.endpoint_id)
        return wanting


NOBODY = SubscriptionBook(())
