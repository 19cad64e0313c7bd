"""Many rows by one statement, on SQLite.

Each step of a statement lets go of the interpreter's lock, and a thread gets it back from a busy event loop only
after the switch interval, 5 ms. Row by row that is what a batch would cost most of (measured beside a busy thread:
3.3 ms a row by `executemany`, 0.14 to 0.3 ms in groups; alone 32 µs and 28 µs).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from hookwright.core.lanes import LANES
from hookwright.core.model import DeliveryStatus, Instant

# Few sizes, so that each statement is compiled once; the largest has fewer values than any SQLite of ours takes.
ROWS_AT_ONCE = (128, 32, 8, 1)

# The condition that a column is in a list that travels as one value, of any length; see `listed`.
AMONG_LISTED = "IN (SELECT value FROM json_each({}))"

# The only lane of a file.
LANE = LANES[0]


def listed(ids: Iterable[int]) -> str:
    """Ids as the value that `AMONG_LISTED` takes."""
    return json.dumps(list(ids))


def insert_rows(db: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows; `columns` name what they hold."""
    for some in _in_groups(rows):
        db.execute(_insertion(table, tuple(columns), len(some)), list(chain.from_iterable(some)))


@lru_cache
def _insertion(table: str, columns: tuple[str, ...], number: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * number)}"


class SettledRow(NamedTuple):
    """What an attempt makes of a delivery that was claimed with this fence."""

    id: int
    fence: int
    status: DeliveryStatus
    due_at: Instant | None
    finished_at: Instant | None
    last_status_code: int | None
    last_error: str | None


class RenewedRow(NamedTuple):
    """Until when a delivery that was claimed with this fence is ours."""

    id: int
    fence: int
    lease_until: Instant


class ReleasedRow(NamedTuple):
    """From when on a delivery that was claimed with this fence is due again."""

    id: int
    fence: int
    due_at: Instant


_SETTLED = (
    "status = u.column3, due_at = u.column4, finished_at = u.column5, last_status_code = u.column6,"
    " last_error = u.column7, attempts = attempts + 1, lease_until = NULL"
)
_RENEWED = "lease_until = u.column3"
_RELEASED = "status = 'pending', due_at = u.column3, lease_until = NULL"


def settle_rows(db: sqlite3.Connection, rows: Sequence[SettledRow]) -> Sequence[int]:
    """Write what is still ours. Answers the places of the rows that were written."""
    return _write_ours(db, _SETTLED, rows)


def renew_rows(db: sqlite3.Connection, rows: Sequence[RenewedRow]) -> Sequence[int]:
    """Keep what is still ours. Answers the places of the rows that are."""
    return _write_ours(db, _RENEWED, rows)


def release_rows(db: sqlite3.Connection, rows: Sequence[ReleasedRow]) -> Sequence[int]:
    """Give back what is still ours. Answers the places of the rows that were."""
    return _write_ours(db, _RELEASED, rows)


def _write_ours(db: sqlite3.Connection, changes: str, rows: Sequence[tuple[Any, ...]]) -> Sequence[int]:
    db.execute("SAVEPOINT ours")
    written: Sequence[int] = range(len(rows))
    if sum(_write(db, changes, some) for some in _in_groups(rows)) < len(rows):
        # Some were lost. Which ones is asked row by row: rows that come back would cost a step each, every time.
        db.execute("ROLLBACK TO ours")
        written = [place for place, row in enumerate(rows) if _write(db, changes, [row])]
    db.execute("RELEASE ours")
    return written


def _write(db: sqlite3.Connection, changes: str, rows: Sequence[tuple[Any, ...]]) -> int:
    return db.execute(_update(changes, len(rows[0]), len(rows)), list(chain.from_iterable(rows))).rowcount


@lru_cache
def _update(changes: str, width: int, number: int) -> str:
    row = f"({', '.join('?' * width)})"
    return (
        f"UPDATE deliveries SET {changes} FROM (VALUES {', '.join([row] * number)}) AS u"
        # Only what is in flight has a lease; a condition on the status could be taken for an index's.
        f" WHERE lane = {LANE} AND id = u.column1 AND fence = u.column2 AND +lease_until IS NOT NULL"
    )


def _in_groups(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    begin = 0
    for size in ROWS_AT_ONCE:
        while len(rows) - begin >= size:
            yield rows[begin : begin + size]
            begin += size
