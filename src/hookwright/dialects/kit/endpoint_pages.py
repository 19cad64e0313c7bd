"""Endpoints as a list that pages can be cut from: their ids are their order."""

from msgspec import Struct
from msgspec.structs import replace

from hookwright.core.model import Endpoint
from hookwright.dialects.kit.paging import Stretch
from hookwright.store.base import EndpointQuery, Store


class Endpoints(Struct, frozen=True):
    """The endpoints that pass the filters, newest first. A cursor need not name one that is still there."""

    store: Store
    filters: EndpointQuery

    async def place_at(self, name: str, id: int) -> int:
        return id

    def place_of(self, item: Endpoint) -> int:
        return item.id

    async def read(self, stretch: Stretch[int]) -> list[Endpoint]:
        return await self.store.endpoints(
            replace(
                self.filters,
                above=stretch.newer_than,
                below=stretch.older_than,
                ascending=stretch.oldest_first,
                limit=stretch.limit,
            )
        )

    async def count(self) -> int:
        return await self.store.count_endpoints(self.filters)
