"""Whether what waits slows down what is sent: the rate with many deliveries pending beside that with few."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.delivering import Line, postgres_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.populating import populate
from benchmarks.publishing import Aim

FEW_PENDING = 10_000
ENDPOINTS = 1_000


async def beside_few(stage: Stage) -> list[Round]:
    """Two servers on two databases, by turns: 10,000 deliveries pending, and as many as the scale says."""
    many_pending = stage.scale.pending
    async with postgres_line(stage) as few, postgres_line(stage) as many:
        few_aims = await populate(few, ENDPOINTS, FEW_PENDING)
        began = time.monotonic()
        many_aims = await populate(many, ENDPOINTS, many_pending)
        preload = {"pending": float(many_pending), "preload_seconds": time.monotonic() - began}
        await few.warm_up(few_aims)
        await many.warm_up(many_aims)
        return [
            {**preload, **_compared(await _rate(stage, few, few_aims), await _rate(stage, many, many_aims))}
            for _ in range(stage.scale.rounds)
        ]


async def _rate(stage: Stage, line: Line, aims: Sequence[Aim]) -> float:
    measured = await line.rate(line.batches(aims, stage.scale.events // 2))
    return measured["end_to_end_per_second"]


def _compared(few: float, many: float) -> Round:
    return {"few_per_second": few, "many_per_second": many, "ratio": many / few}


BACKLOG = Measure(
    name="backlog",
    figures=(
        Figure("ratio", "rate with many deliveries pending ÷ with 10,000", "", Reach("at least", 0.95)),
        Figure("pending", "pending deliveries, here", ""),
        Figure("many_per_second", "deliveries with many pending", "/s"),
        Figure("few_per_second", "deliveries with 10,000 pending", "/s"),
    ),
    take=beside_few,
)
