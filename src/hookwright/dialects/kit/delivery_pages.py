"""Pages of an endpoint's deliveries: newest first, with the same cursors as every other list of Kit's.

A cursor names a delivery by its id; its place in the list is also its time, which is looked up. Going back, and
counting, read every delivery in between: clients go forward, and seldom count.
"""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from msgspec.structs import replace

from hookwright.core.model import Delivery, Instant
from hookwright.dialects.kit.paging import PageRequest, pagination_of, refused
from hookwright.store.base import DeliveryQuery, Store

# How many deliveries are read at a time.
CHUNK = 1_000

Place = tuple[Instant, int]


class DeliveryPage(NamedTuple):
    """Deliveries, newest first, and the `pagination` object that goes with them."""

    deliveries: list[Delivery]
    pagination: dict[str, Any]


async def read_delivery_page(store: Store, filters: DeliveryQuery, page: PageRequest) -> DeliveryPage:
    """One page of the deliveries that pass the filters. Raises Invalid for a cursor of another list."""
    older_than = await _place(store, filters, "after", page.after)
    newer_than = await _place(store, filters, "before", page.before)
    query = replace(filters, before=older_than)
    if newer_than is None:
        deliveries = await store.deliveries(replace(query, limit=page.per_page))
    else:
        deliveries = await _newer(store, query, newer_than, page)
    previous, following = await _neighbours(store, filters, page, deliveries)
    total = await _count(store, filters) if page.count_all else None
    ids = [delivery.id for delivery in deliveries]
    return DeliveryPage(deliveries, pagination_of(ids, previous, following, page, total))


async def _place(store: Store, filters: DeliveryQuery, name: str, id: int | None) -> Place | None:
    if id is None:
        return None
    delivery = await store.delivery(id)
    if delivery is None or delivery.endpoint_id != filters.endpoint_id:
        raise refused(name, "is not a cursor of this list")
    return _place_of(delivery)


async def _newer(store: Store, query: DeliveryQuery, newer_than: Place, page: PageRequest) -> list[Delivery]:
    """The deliveries right after a place if the page walks back, else the newest after it."""
    kept: deque[Delivery] = deque(maxlen=page.per_page)
    async for delivery in _walk(store, query):
        full = len(kept) == page.per_page and not page.walks_back
        if full or _place_of(delivery) <= newer_than:
            break
        kept.append(delivery)
    return list(kept)


async def _neighbours(
    store: Store, filters: DeliveryQuery, page: PageRequest, deliveries: list[Delivery]
) -> tuple[bool, bool]:
    """Whether anything comes before the page and after it."""
    newest = await store.deliveries(replace(filters, limit=1))
    if not deliveries:
        # Nothing lies beyond the cursor, so whatever there is lies on its other side.
        return bool(newest) and page.after is not None, bool(newest) and page.walks_back
    older = await store.deliveries(replace(filters, before=_place_of(deliveries[-1]), limit=1))
    return bool(newest) and _place_of(newest[0]) > _place_of(deliveries[0]), bool(older)


async def _count(store: Store, filters: DeliveryQuery) -> int:
    number = 0
    async for _ in _walk(store, filters):
        number += 1
    return number


async def _walk(store: Store, query: DeliveryQuery) -> AsyncIterator[Delivery]:
    """Every delivery that passes the filters, newest first."""
    while chunk := await store.deliveries(replace(query, limit=CHUNK)):
        for delivery in chunk:
            yield delivery
        query = replace(query, before=_place_of(chunk[-1]))


def _place_of(delivery: Delivery) -> Place:
    return delivery.created_at, delivery.id
