"""How an endpoint has done lately: from its latest attempts, never from all of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hookwright.core.lifecycle import succeeded
from hookwright.core.model import Instant, Outcome


class Performance(Struct, frozen=True, kw_only=True):
    """What some attempts in a row come to. The durations are those of attempts that were answered."""

    attempts: int
    succeeded: int
    p50_us: int | None
    p95_us: int | None
    last_success_at: Instant | None

    @property
    def success_rate(self) -> str:
        """`99.9 %`, rounded down, so that 100 % is said of all alone; a dash where nothing was tried."""
        if not self.attempts:
            return "–"
        permille = self.succeeded * 1000 // self.attempts
        return f"{permille // 10} %" if permille % 10 == 0 else f"{permille / 10:.1f} %"


def performance_of(outcomes: Sequence[Outcome]) -> Performance:
    """What these attempts come to, oldest first."""
    answered = sorted(each.duration_us for each in outcomes if each.status_code is not None)
    successes = [each for each in outcomes if succeeded(each)]
    return Performance(
        attempts=len(outcomes),
        succeeded=len(successes),
        p50_us=_percentile(answered, 50),
        p95_us=_percentile(answered, 95),
        last_success_at=successes[-1].started_at if successes else None,
    )


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many per cent do not exceed (nearest rank)."""
    return ordered[(len(ordered) * percent + 99) // 100 - 1] if ordered else None
