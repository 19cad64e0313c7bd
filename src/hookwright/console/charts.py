"""Charts as SVG, drawn on the server: what a bar shows is also in the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hookwright.console.words import duration, moment
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import DAY, SECOND, Instant, Outcome
from hookwright.core.tallies import HOUR_SLOT, MINUTE_SLOT, Bar, slot_of
from hookwright.core.times import to_datetime

WIDTH, HEIGHT = 720, 120
GAP = 0.2  # of a bar's place
LEAST_PART = 0.15  # of a mark's room
LEAST_HEIGHT = 2.0  # so that one among thousands is seen


class Range(NamedTuple):
    """What a chart shows: how many bars of which length, summed up from slots of which length."""

    name: str
    words: str
    length_seconds: int
    bars: int
    slot_seconds: int

    def first(self, now: Instant) -> Instant:
        """When the first bar begins; the last one is under way."""
        return slot_of(now, self.length_seconds) - (self.bars - 1) * self.length_seconds * SECOND


RANGES = (
    Range("1h", "the last hour", 60, 60, MINUTE_SLOT),
    Range("24h", "the last 24 hours", 3600, 24, HOUR_SLOT),
    Range("7d", "the last 7 days", 3 * 3600, 56, HOUR_SLOT),
)


class Column(NamedTuple):
    """A bar on the page: where, how high each part is, and what it says."""

    x: float
    width: float
    lower: float  # the height of the part at the bottom
    upper: float
    title: str


class Chart(NamedTuple):
    """Columns, the number that the highest stands for, and a few times along the bottom."""

    columns: Sequence[Column]
    highest: int
    labels: Sequence[str]


class Mark(NamedTuple):
    """An attempt in a row of them: upwards if it succeeded, downwards if not, so that no colour is needed."""

    x: float
    width: float
    y: float
    height: float
    is_good: bool
    title: str = ""


def marks_of(
    outcomes: Sequence[Outcome], width: int, up: int, down: int, places: int, *, titled: bool = True
) -> list[Mark]:
    """Attempts side by side, the latest at the right, each as high as it took long in comparison with the slowest.

    `up` and `down` are how high a mark may be; `places` is for how many there is room at least; `titled`
    marks say what they are.
    """
    many = max(1, places, len(outcomes))
    place = width / many
    slowest = max((each.duration_us for each in outcomes), default=1) or 1
    marks = []
    for number, each in enumerate(outcomes):
        is_good = succeeded(each)
        room = up if is_good else down
        height = round(room * max(LEAST_PART, each.duration_us / slowest), 1)
        x = round((many - len(outcomes) + number) * place + place * GAP / 2, 1)
        y = round(up - height, 1) if is_good else float(up)
        marks.append(Mark(x, round(place * (1 - GAP), 1), y, height, is_good, _outcome_said(each) if titled else ""))
    return marks


def _outcome_said(outcome: Outcome) -> str:
    answer = outcome.status_code if outcome.error is None else outcome.error.replace("_", " ")
    return f"{moment(outcome.started_at)} {answer}, {duration(outcome.duration_us)}"


def attempts_chart(bars: Sequence[Bar], span: Range) -> Chart:
    """Attempts that succeeded, and on top of them those that failed."""
    return _chart(bars, span, [(bar.delivered, bar.failed) for bar in bars], ("delivered", "failed"))


def published_chart(bars: Sequence[Bar], span: Range) -> Chart:
    """Events that were published."""
    return _chart(bars, span, [(bar.published, 0) for bar in bars], ("published", ""))


def time_label(instant: Instant, span: Range) -> str:
    """When a bar begins, as short as its range allows. UTC."""
    pattern = "%H:%M" if span.length_seconds * span.bars * SECOND <= DAY else "%d %b %H:%M"
    return to_datetime(instant).strftime(pattern)


def range_named(name: str) -> Range:
    """The range of this name, or the first."""
    return next((each for each in RANGES if each.name == name), RANGES[0])


def _chart(bars: Sequence[Bar], span: Range, parts: Sequence[tuple[int, int]], names: tuple[str, str]) -> Chart:
    highest = max((lower + upper for lower, upper in parts), default=0)
    place = WIDTH / max(1, len(bars))
    columns = [
        Column(
            x=round(number * place + place * GAP / 2, 2),
            width=round(place * (1 - GAP), 2),
            lower=_height(lower, highest),
            upper=_height(upper, highest),
            title=f"{time_label(bar.began_at, span)}: {_said(lower, names[0])}{_said(upper, names[1], ', ')}",
        )
        for number, (bar, (lower, upper)) in enumerate(zip(bars, parts, strict=True))
    ]
    every = max(1, len(bars) // 4)
    return Chart(columns, highest, [*(time_label(bar.began_at, span) for bar in bars[::every]), "now"])


def _height(number: int, highest: int) -> float:
    return round(max(LEAST_HEIGHT, number / highest * HEIGHT), 2) if number else 0.0


def _said(number: int, name: str, before: str = "") -> str:
    return f"{before}{number:,} {name}" if name else ""
