"""Endpoints: the list, and how each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.charts import Mark, marks_of
from hookwright.console.endpoint_sheet import sheet_of
from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.troubled import troubled_endpoints
from hookwright.console.visits import Visit, for_viewers
from hookwright.console.words import State, endpoint_state
from hookwright.core.lanes import id_in
from hookwright.core.model import Endpoint, Subscription
from hookwright.core.performance import Performance, performance_of

PATH = f"{PREFIX}/endpoints"
PAGE_LENGTH = 20

# How many of an endpoint's newest deliveries a line of the list tells of.
DELIVERIES_EACH = 30
SPARK_WIDTH, SPARK_UP, SPARK_DOWN = 120, 16, 8


class Line(NamedTuple):
    """One endpoint of the list."""

    endpoint: Endpoint
    state: State
    subscriptions: Sequence[Subscription]
    performance: Performance
    marks: Sequence[Mark]


async def list_endpoints(visit: Visit) -> Response:
    """The endpoints of an account or of all, newest first, or those that need attention."""
    is_troubled = visit.asked("show") == "attention"
    found, older = (await _troubled(visit), None) if is_troubled else await _newest(visit)
    return await visit.page(
        "endpoints.html",
        lines=await _lines(visit, found[:PAGE_LENGTH]),
        is_troubled=is_troubled,
        more=max(0, len(found) - PAGE_LENGTH) if is_troubled else 0,
        older=older,
        is_later_page=bool(visit.asked("below")),
    )


async def show_endpoint(visit: Visit) -> Response:
    """One endpoint."""
    sheet = await sheet_of(visit, visit.path_id())
    return await visit.page("endpoint.html", sheet=sheet, endpoint=sheet.endpoint)


async def _newest(visit: Visit) -> tuple[list[Endpoint], str | None]:
    below = id_in(visit.asked("below"))
    found = await visit.store.newest_endpoints(visit.viewer.account_id, below, PAGE_LENGTH + 1)
    is_more = len(found) > PAGE_LENGTH
    return found[:PAGE_LENGTH], with_query(PATH, below=found[PAGE_LENGTH - 1].id) if is_more else None


async def _troubled(visit: Visit) -> list[Endpoint]:
    return [each.endpoint for each in await troubled_endpoints(visit)]


async def _lines(visit: Visit, endpoints: Sequence[Endpoint]) -> list[Line]:
    ids = [endpoint.id for endpoint in endpoints]
    subscriptions = await visit.store.subscriptions_of(ids)
    outcomes = await visit.store.latest_outcomes(ids, DELIVERIES_EACH)
    return [
        Line(
            endpoint=each,
            state=endpoint_state(each, visit.now),
            subscriptions=subscriptions[each.id],
            performance=performance_of(outcomes[each.id]),
            marks=marks_of(
                outcomes[each.id][-DELIVERIES_EACH:], SPARK_WIDTH, SPARK_UP, SPARK_DOWN, DELIVERIES_EACH, titled=False
            ),
        )
        for each in endpoints
    ]


ROUTES = (
    Route(PATH, for_viewers(list_endpoints), methods=["GET"]),
    Route(f"{PATH}/{{id}}", for_viewers(show_endpoint), methods=["GET"]),
)
