"""Counting for the console's charts: in memory, an addition for each event and attempt, written every few seconds.

What a process has counted since it last wrote is lost with it when it is killed. The deliveries themselves are not
counted anew: that would cost a read of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hookwright.core.lifecycle import succeeded
from hookwright.core.model import SECOND, Accepted, Draft, Instant, Settled
from hookwright.core.tallies import MINUTE_SLOT, SLOTS, WHOLE_PLATFORM, Tally, slot_of

PUBLISHED, DELIVERED, FAILED = range(3)

# An account and the beginning of a minute.
MinuteOf = tuple[int, Instant]


class Tallying:
    """What happened since it was last taken away. One event loop uses it."""

    def __init__(self) -> None:
        self._counts: dict[MinuteOf, list[int]] = {}

    def published(self, drafts: Sequence[Draft], answers: Sequence[object]) -> None:
        """Events were accepted; duplicates do not count."""
        for draft, answer in zip(drafts, answers, strict=True):
            if isinstance(answer, Accepted) and not answer.duplicate:
                self._add(draft.event.account_id, draft.event.accepted_at, PUBLISHED)

    def attempted(self, settled: Iterable[Settled]) -> None:
        """Attempts were made."""
        for each in settled:
            ended_at = each.outcome.started_at + each.outcome.duration_us
            self._add(each.claim.account_id, ended_at, DELIVERED if succeeded(each.outcome) else FAILED)

    def take(self) -> list[Tally]:
        """All that was counted, which is forgotten here: of each account and of the platform, by minute and hour."""
        counts, self._counts = self._counts, {}
        sums: dict[tuple[int, int, Instant], list[int]] = {}
        for (account_id, minute), numbers in counts.items():
            for owner in (account_id, WHOLE_PLATFORM):
                for slot_seconds in SLOTS:
                    of = sums.setdefault((owner, slot_seconds, slot_of(minute, slot_seconds)), [0, 0, 0])
                    for column, number in enumerate(numbers):
                        of[column] += number
        return [
            Tally(
                account_id=account_id,
                slot_seconds=slot_seconds,
                began_at=began_at,
                published=of[PUBLISHED],
                delivered=of[DELIVERED],
                failed=of[FAILED],
            )
            for (account_id, slot_seconds, began_at), of in sums.items()
        ]

    def give_back(self, tallies: Iterable[Tally]) -> None:
        """They could not be written; they are taken again the next time."""
        for tally in tallies:
            if tally.slot_seconds == MINUTE_SLOT and tally.account_id != WHOLE_PLATFORM:
                of = self._counts.setdefault((tally.account_id, tally.began_at), [0, 0, 0])
                for column, number in enumerate((tally.published, tally.delivered, tally.failed)):
                    of[column] += number

    def _add(self, account_id: int, instant: Instant, column: int) -> None:
        minute = instant - instant % (MINUTE_SLOT * SECOND)
        of = self._counts.get((account_id, minute))
        if of is None:
            of = self._counts[account_id, minute] = [0, 0, 0]
        of[column] += 1
