"""When retries came and when they should have, by the receivers' own clock: functions of records alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from faults.farm import Manners
from faults.records import SECOND, Arrival

JITTER = 0.2  # of the schedule's delays, either way: docs/operating.md
# The due time is kept by the sender's clock and the arrival by the receivers'; a good deal less than any step.
READING_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that came again, and the span of time in which it was due."""

    message_id: str
    came_at: int
    due_from: int
    due_until: int

    @property
    def early_seconds(self) -> float:
        return max(0.0, (self.due_from - self.came_at) / SECOND)

    @property
    def late_seconds(self) -> float:
        return max(0.0, (self.came_at - self.due_until) / SECOND)


def retries(arrivals: Iterable[Arrival], schedule: Sequence[int], manners: Manners) -> list[Retry]:
    """Every request after the first of its message, where the one before was refused."""
    found: list[Retry] = []
    for (_, message_id), own in _by_message(arrivals).items():
        for place, (earlier, later) in enumerate(pairwise(own)):
            if earlier.status >= 400:
                found.append(_retry(message_id, place, earlier, later, schedule, manners))
    return found


def early(found: Iterable[Retry]) -> list[str]:
    """Retries that came before they were due."""
    return [
        f"{retry.message_id}: {retry.early_seconds:.2f} s early"
        for retry in found
        if retry.early_seconds > READING_SECONDS
    ]


def rush(arrivals: Sequence[Arrival], moments: Sequence[int], seconds: float) -> float:
    """How many times as many requests came in the busiest second after a moment as in the busiest one before any.

    After a moment is within so many seconds of it.
    """
    times = sorted(arrival.at for arrival in arrivals)
    if not moments or not times:
        return 0.0
    quiet = _busiest_second(times[: bisect_left(times, min(moments))])
    disturbed = [
        _busiest_second(times[bisect_left(times, at) : bisect_right(times, at + round(seconds * SECOND))])
        for at in moments
    ]
    return max(disturbed) / max(1, quiet)


def _busiest_second(times: Sequence[int]) -> int:
    return max((bisect_left(times, at + SECOND) - place for place, at in enumerate(times)), default=0)


def _retry(
    message_id: str, place: int, earlier: Arrival, later: Arrival, schedule: Sequence[int], manners: Manners
) -> Retry:
    answered_at = earlier.at + round(earlier.answer_in * SECOND)
    wait = manners.asks_to_wait(message_id, place)
    if wait is not None:
        least, most = wait * 1.0, wait * 1.0
    else:
        least, most = schedule[place + 1] * (1 - JITTER), schedule[place + 1] * (1 + JITTER)
    return Retry(message_id, later.at, answered_at + round(least * SECOND), answered_at + round(most * SECOND))


def _by_message(arrivals: Iterable[Arrival]) -> dict[tuple[str, str], list[Arrival]]:
    found: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda each: each.at):
        found[arrival.path, arrival.message_id].append(arrival)
    return found
