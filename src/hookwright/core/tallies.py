"""Tallies: how much happened in each minute and each hour, for charts."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hookwright.core.model import DAY, HOUR, SECOND, Instant

MINUTE_SLOT, HOUR_SLOT = 60, 3600
SLOTS = (MINUTE_SLOT, HOUR_SLOT)

# The account id of what counts for the whole platform; no account has it.
WHOLE_PLATFORM = 0

# A little longer than the longest chart of each.
MINUTES_KEPT_FOR: Instant = 2 * HOUR
HOURS_KEPT_FOR: Instant = 8 * DAY


class Tally(Struct, frozen=True, kw_only=True):
    """What happened in one slot: events published, attempts that succeeded, attempts that failed."""

    account_id: int
    slot_seconds: int
    began_at: Instant
    published: int = 0
    delivered: int = 0
    failed: int = 0


class Bar(Struct, frozen=True, kw_only=True):
    """One bar of a chart."""

    began_at: Instant
    published: int = 0
    delivered: int = 0
    failed: int = 0


def slot_of(instant: Instant, slot_seconds: int) -> Instant:
    """When the slot began that an instant lies in."""
    return instant - instant % (slot_seconds * SECOND)


def bars_of(tallies: Sequence[Tally], first: Instant, length_seconds: int, count: int) -> list[Bar]:
    """`count` bars of a length, the first beginning at `first`; slots with nothing in them are bars of nothing."""
    sums = [[0, 0, 0] for _ in range(count)]
    for tally in tallies:
        place = (tally.began_at - first) // (length_seconds * SECOND)
        if 0 <= place < count:
            for column, number in enumerate((tally.published, tally.delivered, tally.failed)):
                sums[place][column] += number
    return [
        Bar(began_at=first + place * length_seconds * SECOND, published=of[0], delivered=of[1], failed=of[2])
        for place, of in enumerate(sums)
    ]
