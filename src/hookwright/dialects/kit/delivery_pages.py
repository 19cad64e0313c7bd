"""An endpoint's deliveries as a list that pages can be cut from, with the same cursors as every other list of Kit's.

A cursor names a delivery by its id; its place in the list is also its time, which is looked up.
"""

from msgspec import Struct
from msgspec.structs import replace

from hookwright.core.lanes import MAX_ID
from hookwright.core.model import Delivery, Instant
from hookwright.dialects.kit.paging import Stretch, refused
from hookwright.store.base import DeliveryQuery, Store

DeliveryPlace = tuple[Instant, int]


class EndpointDeliveries(Struct, frozen=True):
    """The deliveries of an endpoint that pass the filters, newest first."""

    store: Store
    filters: DeliveryQuery

    async def place_at(self, name: str, id: int) -> DeliveryPlace:
        delivery = await self.store.delivery(id)
        if delivery is None or delivery.endpoint_id != self.filters.endpoint_id:
            raise refused(name, "is not a cursor of this list")
        return self.place_of(delivery)

    def place_of(self, item: Delivery) -> DeliveryPlace:
        return item.created_at, item.id

    async def read(self, stretch: Stretch[DeliveryPlace]) -> list[Delivery]:
        return await self.store.deliveries(
            replace(
                self.filters,
                after=stretch.newer_than,
                before=stretch.older_than,
                ascending=stretch.oldest_first,
                limit=stretch.limit,
            )
        )

    async def count(self) -> int:
        # Kit's total is of the whole list, however long: no bound that a history could reach.
        return await self.store.count_deliveries(self.filters, at_most=MAX_ID)
