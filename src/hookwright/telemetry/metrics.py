"""The numbers, in Prometheus' text format.

Counters and histograms are this process's own; what waits is read from the store, which all processes share. Labels
are dialect names and outcomes, of which there are few; an id is never a label.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hookwright.ambient import Clock
from hookwright.core.errors import Unavailable
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import SECOND, Accepted, Claim, Delivery, Instant, Settled
from hookwright.store.base import MOST_COUNTED, Backlog, Store

# From a delivery that finds an idle worker to one that was retried for a day.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 21600, 86400)

BACKLOG_KEPT: Instant = SECOND
BACKLOG_SECONDS = 2.0

log = structlog.get_logger("hookwright.metrics")


class DialectNumbers(NamedTuple):
    """One dialect's counters and histograms, looked up once: finding them by label costs more than counting."""

    delivered: Counter
    failed: Counter
    dead: Counter
    to_first_attempt: Histogram
    to_success: Histogram


class Metrics:
    """The numbers of one running Hookwright. What happens is told by plain calls, cheap enough for every delivery."""

    def __init__(self) -> None:
        # Not the library's own: a process may run several Hookwrights, and tests do.
        self.registry = CollectorRegistry()
        self._published = Counter(
            "hookwright_events_published",
            "Events accepted; duplicates are not counted.",
            registry=self.registry,
        )
        self._attempts = Counter(
            "hookwright_attempts",
            "Attempts, by what they came to.",
            ("dialect", "outcome"),
            registry=self.registry,
        )
        self._dead = Counter(
            "hookwright_deliveries_dead",
            "Deliveries that gave up or expired.",
            ("dialect",),
            registry=self.registry,
        )
        self._to_first_attempt = Histogram(
            "hookwright_accept_to_first_attempt_seconds",
            "From accepting an event to the start of a delivery's first attempt.",
            ("dialect",),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self._to_success = Histogram(
            "hookwright_accept_to_success_seconds",
            "From accepting an event to the end of the attempt that delivered it; replays are not counted.",
            ("dialect",),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "hookwright_deliveries_in_flight",
            "Deliveries that this process is sending.",
            registry=self.registry,
        )

        self._dialects: dict[str, DialectNumbers] = {}

    def published(self, answers: Iterable[object]) -> None:
        """A batch of publishes was answered; what was accepted for the first time counts."""
        new = sum(isinstance(answer, Accepted) and not answer.duplicate for answer in answers)
        if new:
            self._published.inc(new)

    def started(self, claims: Sequence[Claim]) -> None:
        """These are being sent from now on."""
        self._in_flight.inc(len(claims))

    def finished(self, claims: Sequence[Claim]) -> None:
        """These are no longer being sent, whatever became of them."""
        self._in_flight.dec(len(claims))

    def attempted(self, settled: Settled, recorded: bool) -> None:
        """An attempt was made. What follows from it only counts when it was recorded: otherwise it is made again."""
        claim, outcome = settled.claim, settled.outcome
        numbers = self._numbers_of(claim.dialect)
        (numbers.delivered if succeeded(outcome) else numbers.failed).inc()
        if not recorded:
            return
        if claim.attempt == 1:
            numbers.to_first_attempt.observe(_seconds(claim, outcome.started_at))
        if settled.settlement.status == "dead":
            numbers.dead.inc()
        # A replay is sent when a person asks for it, which says nothing about how fast we are.
        elif settled.settlement.status == "delivered" and claim.attempt == claim.round_attempt:
            ended_at = outcome.started_at + outcome.duration_us
            numbers.to_success.observe(_seconds(claim, ended_at))

    def expired(self, dead: Iterable[Delivery]) -> None:
        """These died unsent, or between two attempts."""
        for delivery in dead:
            self._numbers_of(delivery.dialect).dead.inc()

    def _numbers_of(self, dialect: str) -> DialectNumbers:
        if dialect not in self._dialects:
            self._dialects[dialect] = DialectNumbers(
                self._attempts.labels(dialect, "delivered"),
                self._attempts.labels(dialect, "failed"),
                self._dead.labels(dialect),
                self._to_first_attempt.labels(dialect),
                self._to_success.labels(dialect),
            )
        return self._dialects[dialect]


class Scrape:
    """Answers a scrape: the numbers of this process, and what waits in the store."""

    def __init__(self, metrics: Metrics, store: Store, clock: Clock) -> None:
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._waiting = WaitingCollector(clock.now)
        self._asked_at: Instant | None = None
        self._asking = asyncio.Lock()
        metrics.registry.register(self._waiting)

    async def __call__(self) -> bytes:
        """The text that Prometheus reads. What the store does not tell in time is left out, rather than invented."""
        async with self._asking:
            now = self._clock.now()
            if self._asked_at is None or not 0 <= now - self._asked_at < BACKLOG_KEPT:
                self._waiting.backlog = await self._ask(now)
                self._asked_at = now
        return generate_latest(self._metrics.registry)

    async def _ask(self, now: Instant) -> Backlog | None:
        try:
            return await asyncio.wait_for(self._store.backlog(now), BACKLOG_SECONDS)
        except (Unavailable, TimeoutError) as error:
            log.warning("backlog not known", error=str(error) or "the store did not answer in time")
            return None


class WaitingCollector(Collector):
    """What waits, as gauges; none while it is not known."""

    backlog: Backlog | None = None

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now

    def collect(self) -> Iterable[Metric]:
        if self.backlog is None:
            return
        seen = self.backlog
        age = 0.0 if seen.oldest_due_at is None else max(0.0, (self._now() - seen.oldest_due_at) / SECOND)
        yield _gauge("deliveries_due", f"Deliveries that are due and wait, counted up to {MOST_COUNTED}.", seen.due)
        yield _gauge("oldest_due_seconds", "For how long the oldest of them has been due.", age)
        yield _gauge("breakers_open", "Active endpoints whose breaker is open.", seen.breakers_open)
        yield _gauge("breakers_half_open", "Those whose breaker lets a probe through.", seen.breakers_half_open)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"hookwright_{name}", text, value)


def _seconds(claim: Claim, until: Instant) -> float:
    # Accepted and sent by two processes whose clocks may differ by a moment.
    return max(0, until - claim.created_at) / SECOND
