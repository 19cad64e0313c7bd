"""Deliveries: the list, what is new in it, and one of them beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.delivery_pane import pane_of, show_payload
from hookwright.console.live import stream
from hookwright.console.pages import fragment, with_query
from hookwright.console.surface import PREFIX, surface_of
from hookwright.console.viewers import Viewer
from hookwright.console.visits import Visit, asked_in, for_viewers, parse_place
from hookwright.console.words import shown_status
from hookwright.core.model import Delivery, Endpoint
from hookwright.core.search_language import MAX_LENGTH, Search, parse_search
from hookwright.operations.searches import Found, find_deliveries
from hookwright.operations.services import Services

PAGE_LENGTH = 50
MOST_OF_A_URL = 80  # of its host and of its path, in a line of the list
PATH = f"{PREFIX}/deliveries"

# The searches that are one click away.
QUICK_SEARCHES = (
    ("All", ""),
    ("Failed", "status:failed"),
    ("Gave up", "status:dead"),
    ("Retrying", "status:retrying"),
    ("Waiting", "status:waiting"),
    ("Last hour", "since:1h"),
)


class Row(NamedTuple):
    """One line of the list."""

    delivery: Delivery
    status: str
    endpoint: Endpoint | None

    @property
    def host(self) -> str:
        """Whom it goes to, in short."""
        return (
            urlsplit(self.endpoint.url).netloc[:MOST_OF_A_URL]
            if self.endpoint
            else f"endpoint {self.delivery.endpoint_id}"
        )

    @property
    def path(self) -> str:
        """The rest of the URL, in which there may be a credential, without its query."""
        return urlsplit(self.endpoint.url).path[:MOST_OF_A_URL] if self.endpoint else ""

    @property
    def last_answer(self) -> str:
        """What the last attempt came to: a status or a short error."""
        code, error = self.delivery.last_status_code, self.delivery.last_error
        return (error or "").replace("_", " ") if code is None else str(code)


async def list_deliveries(visit: Visit) -> Response:
    """The list alone."""
    return await visit.page("deliveries.html", pane=None, **await _list(visit))


async def show_delivery(visit: Visit) -> Response:
    """The list with one delivery beside it."""
    # The list first: what changes between the two is told by the stream, which knows what the list showed.
    listed = await _list(visit)
    return await visit.page("deliveries.html", pane=await pane_of(visit, visit.path_id()), **listed)


async def stream_deliveries(request: Request) -> Response:
    """What is new or different on the first page, line by line, as long as somebody looks."""
    services = surface_of(request).services
    query = asked_in(request, "q")[:MAX_LENGTH]
    seen = request.query_params.get("seen")
    shown: dict[int, Delivery] | None = None

    async def look(viewer: Viewer) -> list[tuple[str, object]]:
        nonlocal shown
        search = parse_search(query, services.clock.now())
        found = await find_deliveries(services, viewer.account_id, search, None, PAGE_LENGTH)
        if shown is None and seen == _state_of(found.deliveries):
            shown = {each.id: each for each in found.deliveries}
        different = [each for each in found.deliveries if (shown or {}).get(each.id) != each]
        shown = {each.id: each for each in found.deliveries}
        rows = await rows_of(services, different[::-1])
        return [("row", {"id": row.delivery.id, "html": _as_html(row, services, viewer, query)}) for row in rows]

    return await stream(request, look)


def _state_of(deliveries: Sequence[Delivery]) -> str:
    """What tells whether a list has changed since a page showed it."""
    return sha256(msgspec.json.encode(deliveries)).hexdigest()[:16]


async def _list(visit: Visit) -> dict[str, Any]:
    query = visit.asked("q")[:MAX_LENGTH].strip()
    search = parse_search(query, visit.now)
    before = parse_place(visit.asked("before"))
    found = await find_deliveries(visit.services, visit.viewer.account_id, search, before, PAGE_LENGTH)
    return {
        "query": query,
        "search_problems": search.problems,
        "seen": _state_of(found.deliveries),
        "rows": await rows_of(visit.services, found.deliveries),
        "found": found,
        "before": visit.asked("before"),
        "older": _older(found, query),
        "is_live": before is None and not found.by_id,
        "matching": _matching_problem(visit.viewer, search),
        "quick_searches": QUICK_SEARCHES,
    }


def _matching_problem(viewer: Viewer, search: Search) -> str | None:
    """Why all that matches cannot be replayed at once, or None if it can."""
    if search.text is not None:
        return "To replay what an id or a text finds, select it."
    if viewer.account_id is None and search.account_id is None and search.endpoint_id is None:
        return "To replay all that match, pick an account."
    return None


async def rows_of(services: Services, deliveries: Sequence[Delivery]) -> list[Row]:
    """Deliveries with what their lines say of their endpoints."""
    ids = list(dict.fromkeys(each.endpoint_id for each in deliveries))
    endpoints: Mapping[int, Endpoint] = await services.store.endpoints_by_id(ids)
    return [Row(each, shown_status(each), endpoints.get(each.endpoint_id)) for each in deliveries]


def _as_html(row: Row, services: Services, viewer: Viewer, query: str) -> str:
    return fragment("delivery_row.html", row=row, now=services.clock.now(), query=query, viewer=viewer, open_id=None)


def _older(found: Found, query: str) -> str | None:
    if found.next_place is None:
        return None
    return with_query(PATH, q=query, before="-".join(map(str, found.next_place)))


async def _show_payload(visit: Visit) -> Response:
    return await show_payload(visit, visit.path_id())


ROUTES = (
    Route(PATH, for_viewers(list_deliveries), methods=["GET"]),
    Route(f"{PATH}/live", stream_deliveries, methods=["GET"]),
    Route(f"{PATH}/{{id}}", for_viewers(show_delivery), methods=["GET"]),
    Route(f"{PATH}/{{id}}/payload", for_viewers(_show_payload), methods=["GET"]),
)
