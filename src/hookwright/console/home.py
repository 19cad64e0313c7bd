"""Home: how deliveries fare."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.visits import PREFIX, Visit, for_viewers


async def show_home(visit: Visit) -> Response:
    """The first page."""
    return await visit.page("home.html")


ROUTES = (Route(PREFIX, for_viewers(show_home), methods=["GET"]),)
