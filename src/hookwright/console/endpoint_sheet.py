"""One endpoint: how it does, what it wants, what holds it up, and what was sent to it lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hookwright.console.charts import Mark, marks_of
from hookwright.console.deliveries import Row, rows_of
from hookwright.console.troubled import attention_in
from hookwright.console.visits import Visit
from hookwright.console.words import State, endpoint_state
from hookwright.core.attention import Attention
from hookwright.core.errors import NotFound
from hookwright.core.health import breaker_of, progress_percent
from hookwright.core.model import OWN_DIALECT, Endpoint, Instant, Outcome
from hookwright.core.performance import Performance, performance_of
from hookwright.operations.endpoints import open_headers, require_endpoint
from hookwright.operations.samples import sample_types
from hookwright.store.base import BlockedLine, DeliverySearch

# How many of its newest deliveries its figures tell of, and how many attempts its chart shows.
DELIVERIES_TOLD_OF = 200
ATTEMPTS_DRAWN = 120
LEAST_PLACES = 40
MOST_RECENT = 10
MOST_BLOCKED_LINES = 20
# How far back the last success is looked for, in deliveries.
MOST_EXAMINED = 2_000

CHART_WIDTH, CHART_UP, CHART_DOWN = 720, 84, 36


class Sheet(NamedTuple):
    """Everything about one endpoint."""

    endpoint: Endpoint
    state: State
    attention: Attention | None
    performance: Performance
    outcomes: Sequence[Outcome]
    marks: Sequence[Mark]
    last_success_at: Instant | None
    breaker_open_until: Instant | None
    progress_percent: int
    headers: Sequence[str]
    retry_schedule: Sequence[int]
    blocked: Sequence[BlockedLine]
    recent: Sequence[Row]
    sample_types: Sequence[str]

    @property
    def fills_chart(self) -> bool:
        """Whether the first attempt stands at the left of the chart."""
        return len(self.marks) >= LEAST_PLACES

    @property
    def is_ours(self) -> bool:
        """Whether it speaks Hookwright's own words: then all of it can be changed here."""
        return self.endpoint.dialect == OWN_DIALECT

    @property
    def disabled_at(self) -> Instant | None:
        """When it will be disabled if it goes on failing."""
        return None if self.attention is None else self.attention.disabled_at

    @property
    def may_recover(self) -> bool:
        """Whether it missed something that can be sent again."""
        return self.attention is not None and self.attention.cure == "recover"


async def endpoint_in(visit: Visit, endpoint_id: int) -> Endpoint:
    """An endpoint that the viewer may see, with its subscriptions. Raises NotFound."""
    found = (await visit.store.endpoints_by_id([endpoint_id])).get(endpoint_id)
    if found is None:
        raise NotFound("There is nothing here.")
    visit.viewer.require_reach(found.account_id)
    return await require_endpoint(visit.services, found.account_id, endpoint_id, None)


async def sheet_of(visit: Visit, endpoint_id: int) -> Sheet:
    """An endpoint that the viewer may see. Raises NotFound."""
    endpoint = await endpoint_in(visit, endpoint_id)
    now, health = visit.now, endpoint.health
    outcomes = (await visit.store.latest_outcomes([endpoint_id], DELIVERIES_TOLD_OF))[endpoint_id]
    performance = performance_of(outcomes)
    return Sheet(
        endpoint=endpoint,
        state=endpoint_state(endpoint, now),
        attention=attention_in(visit, endpoint),
        performance=performance,
        outcomes=outcomes[-ATTEMPTS_DRAWN:][::-1],
        marks=marks_of(outcomes[-ATTEMPTS_DRAWN:], CHART_WIDTH, CHART_UP, CHART_DOWN, LEAST_PLACES),
        last_success_at=performance.last_success_at or await _last_success(visit, endpoint_id),
        breaker_open_until=health.breaker_open_until if breaker_of(health, now) == "open" else None,
        progress_percent=progress_percent(health, now),
        headers=sorted(open_headers(visit.services, endpoint)),
        retry_schedule=endpoint.retry_schedule or visit.surface.settings.retry_schedule,
        blocked=await visit.store.blocked_lines(endpoint_id, MOST_BLOCKED_LINES),
        recent=await _recent(visit, endpoint_id),
        sample_types=await sample_types(visit.services, endpoint) if visit.viewer.may_change else (),
    )


async def _last_success(visit: Visit, endpoint_id: int) -> Instant | None:
    search = DeliverySearch(endpoint_id=endpoint_id, statuses=("delivered",), limit=1, most_examined=MOST_EXAMINED)
    for delivery in (await visit.store.search_deliveries(search)).deliveries:
        return delivery.finished_at
    return None


async def _recent(visit: Visit, endpoint_id: int) -> list[Row]:
    search = DeliverySearch(endpoint_id=endpoint_id, limit=MOST_RECENT)
    return await rows_of(visit.services, (await visit.store.search_deliveries(search)).deliveries)
