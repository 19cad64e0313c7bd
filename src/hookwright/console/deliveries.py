"""Deliveries: the list, and one of them beside it."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.visits import PREFIX, Visit, for_viewers
from hookwright.store.base import DeliveryQuery


async def list_deliveries(visit: Visit) -> Response:
    """Newest first."""
    found = await visit.store.deliveries(DeliveryQuery(account_id=visit.viewer.account_id))
    return await visit.page("deliveries.html", deliveries=found, query="")


ROUTES = (Route(f"{PREFIX}/deliveries", for_viewers(list_deliveries), methods=["GET"]),)
