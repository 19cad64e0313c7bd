"""From publish to receiver at half of the load that the server can take."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.delivering import Line, postgres_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.measures.throughput import subscribed
from benchmarks.publishing import Aim, Published
from benchmarks.receiving import Arrival

SMALL_BATCH = 10
SECONDS = 5.0


async def at_half_load(stage: Stage) -> list[Round]:
    """Batches of ten at a steady rate, half of the batch rate that was measured just before."""
    async with postgres_line(stage) as line:
        aims = await subscribed(line, 1)
        await line.warm_up(aims)
        return [await _round(line, aims, stage.scale.events // 2) for _ in range(stage.scale.rounds)]


async def _round(line: Line, aims: Sequence[Aim], events: int) -> Round:
    full = (await line.rate(line.batches(aims, events)))["end_to_end_per_second"]
    publications = line.batches(aims, round(full / 2 * SECONDS), SMALL_BATCH)
    published = await line.server.publisher.publish_paced(publications, full / 2 / SMALL_BATCH)
    arrivals = await line.received(published)
    percentiles = statistics.quantiles(latencies_ms(published, arrivals), n=1000)
    return {
        "full_per_second": full,
        "p50_ms": percentiles[499],
        "p99_ms": percentiles[989],
        "p999_ms": percentiles[998],
    }


def latencies_ms(published: Sequence[Published], arrivals: Sequence[Arrival]) -> list[float]:
    """For each delivery the time from when its publish was to be sent to when the receiver had it."""
    arrived = {arrival.message_id.decode(): arrival.at for arrival in arrivals}
    return [(arrived[message_id] - each.at) / 1e6 for each in published for _, message_id in each.expected()]


LATENCY = Measure(
    name="latency",
    figures=(
        Figure("p50_ms", "publish → receiver at half of the batch load, p50", "ms", Reach("at most", 10)),
        Figure("p99_ms", "publish → receiver at half of the batch load, p99", "ms", Reach("at most", 50)),
        Figure("p999_ms", "p99.9", "ms"),
    ),
    take=at_half_load,
)
