"""What the charts of the console would have counted, had a copied history happened; one SQL for both databases."""

from __future__ import annotations

from collections.abc import Iterator

from hookwright.core.model import SECOND, Instant
from hookwright.core.tallies import HOUR_SLOT, HOURS_KEPT_FOR, MINUTE_SLOT, MINUTES_KEPT_FOR, WHOLE_PLATFORM

KEPT_FOR = {MINUTE_SLOT: MINUTES_KEPT_FOR, HOUR_SLOT: HOURS_KEPT_FOR}


def statements(now: Instant) -> Iterator[str]:
    """Count everything anew: events when they were accepted, and one attempt of each delivery when it was made.

    The server may count on meanwhile; what it has written of a slot just then stays.
    """
    yield "DELETE FROM tallies"
    for slot_seconds, kept_for in KEPT_FOR.items():
        yield _of_accounts(slot_seconds, now - kept_for)
    yield _OF_THE_PLATFORM


def _of_accounts(slot_seconds: int, since: Instant) -> str:
    return (
        "INSERT INTO tallies (lane, account_id, slot_seconds, began_at, published, delivered, failed)"
        f" SELECT lane, account_id, {slot_seconds}, at - at % {slot_seconds * SECOND},"
        " SUM(published), SUM(delivered), SUM(failed) FROM ("
        "SELECT lane, account_id, accepted_at AS at, 1 AS published, 0 AS delivered, 0 AS failed FROM events"
        " UNION ALL SELECT lane, account_id, created_at, 0, CASE WHEN status = 'delivered' THEN 1 ELSE 0 END,"
        " CASE WHEN status = 'delivered' THEN 0 ELSE 1 END FROM deliveries) AS happened"
        f" WHERE at >= {since} GROUP BY 1, 2, 4 ON CONFLICT DO NOTHING"
    )


_OF_THE_PLATFORM = (
    "INSERT INTO tallies (lane, account_id, slot_seconds, began_at, published, delivered, failed)"
    f" SELECT 0, {WHOLE_PLATFORM}, slot_seconds, began_at, SUM(published), SUM(delivered), SUM(failed) FROM tallies"
    f" WHERE account_id <> {WHOLE_PLATFORM} GROUP BY slot_seconds, began_at ON CONFLICT DO NOTHING"
)
