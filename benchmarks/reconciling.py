"""Whether what was accepted is what arrived: each delivery exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from benchmarks.receiving import Arrival


class Unreconciled(Exception):
    """The receiver got something else than what was accepted: the figure does not count."""


def reconcile(expected: Iterable[tuple[str, str]], arrivals: Iterable[Arrival]) -> int:
    """How many deliveries there were, by path and message id. Raises Unreconciled unless both sides are the same."""
    accepted = Counter((path.encode(), message_id.encode()) for path, message_id in expected)
    arrived = Counter((arrival.path, arrival.message_id) for arrival in arrivals)
    missing, surplus = accepted - arrived, arrived - accepted
    if missing or surplus:
        raise Unreconciled(
            f"{accepted.total():,} deliveries were accepted, {arrived.total():,} arrived:"
            f" {missing.total():,} are missing, {surplus.total():,} are too many"
        )
    return accepted.total()
