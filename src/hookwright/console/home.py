"""Home: how deliveries fare, and which endpoints somebody should look at."""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.charts import RANGES, Range, attempts_chart, published_chart, range_named, time_label
from hookwright.console.live import stream
from hookwright.console.surface import PREFIX, surface_of
from hookwright.console.troubled import MOST_TROUBLED, troubled_endpoints
from hookwright.console.viewers import Viewer
from hookwright.console.visits import Visit, asked_in, for_viewers
from hookwright.core.attention import Attention
from hookwright.core.causes import Cause, cause_of, tried_in
from hookwright.core.model import Endpoint, Instant
from hookwright.core.tallies import WHOLE_PLATFORM, Tally, bars_of
from hookwright.store.base import DeliverySearch, Store

MOST_FAILED_COUNTED = 10_000
MOST_SHOWN = 5


class Trouble(NamedTuple):
    """An endpoint that needs attention, and why its latest delivery failed."""

    endpoint: Endpoint
    attention: Attention
    cause: Cause | None


class Numbers(NamedTuple):
    """What home says in figures, and what its charts are drawn from."""

    tallies: list[Tally]
    failing: int
    oldest_due_at: Instant | None
    troubled: int


async def show_home(visit: Visit) -> Response:
    """Figures, charts, and endpoints that need attention."""
    span = range_named(visit.asked("range"))
    account_id, now = visit.viewer.account_id, visit.now
    numbers = await _numbers(visit.store, account_id, span, now)
    bars = bars_of(numbers.tallies, span.first(now), span.length_seconds, span.bars)
    troubles = await _troubles(visit)
    is_empty = not troubles and not await visit.store.newest_endpoints(account_id, None, 1)
    return await visit.page(
        "home.html",
        span=span,
        ranges=RANGES,
        numbers=numbers,
        most_counted=MOST_FAILED_COUNTED,
        published=sum(bar.published for bar in bars),
        delivered=sum(bar.delivered for bar in bars),
        failed=sum(bar.failed for bar in bars),
        table=[(time_label(bar.began_at, span), bar) for bar in reversed(bars)],
        attempts=attempts_chart(bars, span),
        publishes=published_chart(bars, span),
        troubles=troubles[:MOST_SHOWN],
        is_empty=is_empty,
        more_troubles=max(0, len(troubles) - MOST_SHOWN),
    )


async def stream_home(request: Request) -> Response:
    """Says when a number of home is another one."""
    services = surface_of(request).services
    span = range_named(asked_in(request, "range"))
    seen: list[Numbers] = []

    async def look(viewer: Viewer) -> list[tuple[str, object]]:
        numbers = await _numbers(services.store, viewer.account_id, span, services.clock.now())
        is_different = bool(seen) and seen[0] != numbers
        seen[:] = [numbers]
        return [("changed", None)] if is_different else []

    return await stream(request, look)


async def _numbers(store: Store, account_id: int | None, span: Range, now: Instant) -> Numbers:
    owner = WHOLE_PLATFORM if account_id is None else account_id
    return Numbers(
        tallies=await store.tallies(owner, span.slot_seconds, span.first(now)),
        failing=await store.count_failed(account_id, MOST_FAILED_COUNTED),
        oldest_due_at=await store.oldest_due_at(account_id, now),
        troubled=len(await store.endpoints_in_trouble(account_id, MOST_TROUBLED)),
    )


async def _troubles(visit: Visit) -> list[Trouble]:
    """The most urgent first; why its latest delivery failed is looked up for those that are shown."""
    return [
        Trouble(endpoint, attention, await _cause(visit, endpoint) if number < MOST_SHOWN else None)
        for number, (endpoint, attention) in enumerate(await troubled_endpoints(visit))
    ]


async def _cause(visit: Visit, endpoint: Endpoint) -> Cause | None:
    search = DeliverySearch(endpoint_id=endpoint.id, statuses=("failed",), limit=1, most_examined=1_000)
    for delivery in (await visit.store.search_deliveries(search)).deliveries:
        for attempt in (await visit.store.attempts(delivery.id))[-1:]:
            return cause_of(tried_in(attempt, endpoint.url, visit.surface.settings.timeout_seconds))
    return None


ROUTES = (
    Route(PREFIX, for_viewers(show_home), methods=["GET"]),
    Route(f"{PREFIX}/live", stream_home, methods=["GET"]),
)
