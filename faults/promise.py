"""What must hold in every case that publishes and delivers: the promise itself, as checks."""

from __future__ import annotations

from collections.abc import Sequence

from faults import checker
from faults.case import Check
from faults.checker import Records

SHOWN = 5


def promised(records: Records, *, delivered: bool = True) -> tuple[list[Check], list[str]]:
    """The checks of the promise, and a few lines of evidence for each that does not hold.

    `delivered` says that the endpoints stayed what they were, and every delivery has had the time to end in success.
    """
    in_the_end = {
        "accepted events lost": checker.lost,
        "deliveries left unfinished": checker.unfinished,
    }
    problems = {name: find(records) for name, find in in_the_end.items() if delivered} | {
        "called delivered, never arrived": checker.only_claimed(records),
        "ids with more than one body": checker.altered(records.arrivals),
        "events doubled": checker.doubled(records),
        "requests of no delivery": checker.strangers(records),
        "attempts miscounted": checker.miscounted(records),
    }
    return as_checks(problems)


def as_checks(problems: dict[str, list[str]]) -> tuple[list[Check], list[str]]:
    """One check for each kind of problem, of which there may be none, and a few lines of each."""
    checks = [Check(name, len(lines)) for name, lines in problems.items()]
    return checks, [f"{name}: {line}" for name, lines in problems.items() for line in shown(lines)]


def shown(lines: Sequence[str]) -> list[str]:
    """The first few, and how many more there are."""
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {more} more"] if more > 0 else [])]
