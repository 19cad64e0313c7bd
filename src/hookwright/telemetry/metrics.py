"""The numbers, in Prometheus' text format.

Counters and histograms are this process's own; what waits is read from the store, which all processes share. Labels
are dialect names and outcomes, of which there are few; an id is never a label.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import accumulate

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hookwright.ambient import AnchoredClock, Clock
from hookwright.core.errors import Unavailable
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import SECOND, Accepted, Claim, Delivery, Draft, Instant, Settled
from hookwright.store.base import MOST_COUNTED, Backlog, Store
from hookwright.telemetry.tallying import Tallying

# From a delivery that finds an idle worker to one that was retried for a day.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 21600, 86400)
_BOUNDS = [*(str(float(bound)) for bound in LATENCY_BUCKETS), "+Inf"]

BACKLOG_KEPT: Instant = SECOND
BACKLOG_SECONDS = 2.0

log = structlog.get_logger("hookwright.metrics")


class Latencies:
    """How many of the waits seen fell into each bucket, and their sum."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BUCKETS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(LATENCY_BUCKETS, seconds)] += 1
        self.sum += seconds


class DialectNumbers:
    """What is counted for one dialect."""

    __slots__ = ("created_at", "dead", "delivered", "failed", "to_first_attempt", "to_success")

    def __init__(self, created_at: Instant) -> None:
        self.created_at = created_at
        self.delivered = 0
        self.failed = 0
        self.dead = 0
        self.to_first_attempt = Latencies()
        self.to_success = Latencies()


class Metrics(Collector):
    """The numbers of one running Hookwright. What happens is told by plain calls, cheap enough for every delivery.

    They are plain integers, which one thread adds to; only a scrape makes Prometheus' metrics of them.
    """

    def __init__(self) -> None:
        # Not the library's own: a process may run several Hookwrights, and tests do.
        self.registry = CollectorRegistry()
        self._clock = AnchoredClock()
        self._created_at = self._clock.now()
        self._published = 0
        self._not_begun = 0
        self.in_flight = 0  # deliveries that are being sent
        self._dialects: dict[str, DialectNumbers] = {}
        self.tallying = Tallying()  # the same by account and minute, for the console
        self.registry.register(self)

    def published(self, drafts: Sequence[Draft], answers: Sequence[object]) -> None:
        """A batch of publishes was answered; what was accepted for the first time counts."""
        self.tallying.published(drafts, answers)
        self._published += sum(isinstance(answer, Accepted) and not answer.duplicate for answer in answers)

    def started(self, claims: Sequence[Claim]) -> None:
        """These are being sent from now on."""
        self.in_flight += len(claims)

    def finished(self, claims: Sequence[Claim]) -> None:
        """These are no longer being sent, whatever became of them."""
        self.in_flight -= len(claims)

    def not_begun(self) -> None:
        """A request was not begun, for a reason of ours."""
        self._not_begun += 1

    def attempted(self, settled: Sequence[Settled], recorded: Container[int]) -> None:
        """Attempts were made, and those of these deliveries recorded.

        What follows from an attempt only counts when it was recorded: otherwise it is made again.
        """
        self.tallying.attempted(settled)
        for each in settled:
            claim, outcome = each.claim, each.outcome
            numbers = self._numbers_of(claim.dialect)
            if succeeded(outcome):
                numbers.delivered += 1
            else:
                numbers.failed += 1
            if claim.delivery_id not in recorded:
                continue
            if claim.attempt == 1:
                numbers.to_first_attempt.observe(_seconds(claim, outcome.started_at))
            if each.settlement.status == "dead":
                numbers.dead += 1
            # A replay is sent when a person asks for it, which says nothing about how fast we are.
            elif each.settlement.status == "delivered" and claim.attempt == claim.round_attempt:
                numbers.to_success.observe(_seconds(claim, outcome.started_at + outcome.duration_us))

    def expired(self, dead: Iterable[Delivery]) -> None:
        """These died unsent, or between two attempts."""
        for delivery in dead:
            self._numbers_of(delivery.dialect).dead += 1

    def collect(self) -> Iterable[Metric]:
        """What a scrape reads."""
        dialects = self._dialects.items()
        published = _counter("events_published", "Events accepted; duplicates are not counted.")
        _add_count(published, {}, self._published, self._created_at)
        yield published

        attempts = _counter("attempts", "Attempts, by what they came to.")
        for dialect, numbers in dialects:
            for outcome, count in (("delivered", numbers.delivered), ("failed", numbers.failed)):
                _add_count(attempts, {"dialect": dialect, "outcome": outcome}, count, numbers.created_at)
        yield attempts

        not_begun = _counter(
            "requests_not_begun", "Requests that were not begun for a reason of ours, which the log tells."
        )
        _add_count(not_begun, {}, self._not_begun, self._created_at)
        yield not_begun

        dead = _counter("deliveries_dead", "Deliveries that gave up or expired.")
        for dialect, numbers in dialects:
            _add_count(dead, {"dialect": dialect}, numbers.dead, numbers.created_at)
        yield dead

        to_first_attempt = _histogram(
            "accept_to_first_attempt_seconds", "From accepting an event to the start of a delivery's first attempt."
        )
        for dialect, numbers in dialects:
            _add_latencies(to_first_attempt, dialect, numbers.to_first_attempt, numbers.created_at)
        yield to_first_attempt

        to_success = _histogram(
            "accept_to_success_seconds",
            "From accepting an event to the end of the attempt that delivered it; replays are not counted.",
        )
        for dialect, numbers in dialects:
            _add_latencies(to_success, dialect, numbers.to_success, numbers.created_at)
        yield to_success

        yield _gauge("deliveries_in_flight", "Deliveries that this process is sending.", self.in_flight)

    def _numbers_of(self, dialect: str) -> DialectNumbers:
        numbers = self._dialects.get(dialect)
        if numbers is None:
            numbers = self._dialects[dialect] = DialectNumbers(self._clock.now())
        return numbers


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
        yield _gauge("oldest_due_seconds", "For how long an endpoint of theirs has waited for its turn.", age)
        yield _gauge("breakers_open", "Active endpoints whose breaker is open.", seen.breakers_open)
        yield _gauge("breakers_half_open", "Those whose breaker lets a probe through.", seen.breakers_half_open)


def _counter(name: str, text: str) -> Metric:
    return Metric(f"hookwright_{name}", text, "counter")


def _histogram(name: str, text: str) -> Metric:
    return Metric(f"hookwright_{name}", text, "histogram")


def _add_count(counter: Metric, labels: Mapping[str, str], count: int, created_at: Instant) -> None:
    counter.add_sample(f"{counter.name}_total", dict(labels), count)
    counter.add_sample(f"{counter.name}_created", dict(labels), created_at / SECOND)


def _add_latencies(histogram: Metric, dialect: str, seen: Latencies, created_at: Instant) -> None:
    """A bucket of Prometheus' counts everything up to its bound, so the lower ones are in it too."""
    for bound, count in zip(_BOUNDS, accumulate(seen.counts), strict=True):
        histogram.add_sample(f"{histogram.name}_bucket", {"dialect": dialect, "le": bound}, count)
    histogram.add_sample(f"{histogram.name}_count", {"dialect": dialect}, sum(seen.counts))
    histogram.add_sample(f"{histogram.name}_sum", {"dialect": dialect}, seen.sum)
    histogram.add_sample(f"{histogram.name}_created", {"dialect": dialect}, created_at / SECOND)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"hookwright_{name}", text, value)


def _seconds(claim: Claim, until: Instant) -> float:
    # Accepted and sent by two processes whose clocks may differ by a moment.
    return max(0, until - claim.created_at) / SECOND
