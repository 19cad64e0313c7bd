"""Half load for a while on a service with customers: how much memory the process takes, and whether that grows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from itertools import cycle, islice
from typing import NamedTuple

from benchmarks.delivering import Line, postgres_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.populating import populate
from benchmarks.processes import most_resident_mb, resident_mb
from benchmarks.publishing import Aim

SMALL_BATCH = 10
MOST_WINDOWS = 120
WINDOW_SECONDS = 5.0
LONG_SECONDS = 600.0  # from here on there is a slope to speak of
SETTLING_SHARE = 0.2  # of the samples, before the slope is taken: caches fill, allocators find their size


class Sample(NamedTuple):
    """What the server held at one time."""

    seconds: float
    mb: float


async def at_half_load(stage: Stage) -> list[Round]:
    """One round: windows at half of the batch rate that was measured just before, the memory read after each."""
    scale = stage.scale
    async with postgres_line(stage) as line:
        aims = await populate(line, scale.endpoints, scale.pending)
        await line.warm_up(aims)
        full = (await line.rate(line.batches(aims, scale.events)))["end_to_end_per_second"]
        samples = await _sampled(line, aims, full / 2, scale.soak_seconds)
        return [
            {
                "most_mb": most_resident_mb(line.server.pid),
                "last_mb": samples[-1].mb,
                "half_per_second": full / 2,
                "seconds": samples[-1].seconds,
                "pending": scale.pending,
                "endpoints": scale.endpoints,
                **({"mb_per_hour": slope_per_hour(samples)} if scale.soak_seconds >= LONG_SECONDS else {}),
            }
        ]


async def _sampled(line: Line, aims: Sequence[Aim], per_second: float, seconds: float) -> list[Sample]:
    """One sample after each window; a window is published, received and reconciled before the next begins."""
    turns, began = cycle(aims), time.monotonic()
    windows = max(1, min(MOST_WINDOWS, round(seconds / WINDOW_SECONDS)))
    samples: list[Sample] = []
    for _ in range(windows):
        window = list(islice(turns, round(per_second * seconds / windows)))
        publications = line.batches(window, len(window), SMALL_BATCH)
        await line.received(await line.server.publisher.publish_paced(publications, per_second / SMALL_BATCH))
        samples.append(Sample(time.monotonic() - began, resident_mb(line.server.pid)))
    return samples


def slope_per_hour(samples: Sequence[Sample]) -> float:
    """By how many MB an hour the memory grows, once it has settled: the least-squares line."""
    settled = samples[round(len(samples) * SETTLING_SHARE) :]
    seconds, mb = zip(*settled, strict=True)
    return statistics.linear_regression(seconds, mb).slope * 3600


SOAK = Measure(
    name="soak",
    figures=(
        Figure("most_mb", "most memory of a process, at half load", "MB", Reach("at most", 200)),
        Figure("mb_per_hour", "growth of that memory, at half load", "MB/h", Reach("at most", 5)),
        Figure("endpoints", "endpoints, here", ""),
        Figure("pending", "pending deliveries, here", ""),
        Figure("seconds", "at half load for", "s"),
    ),
    take=at_half_load,
)
