"""What the database holds of attempts at hostile receivers, and what is wrong with it.

Every check is a function of the rows and of what was expected of each receiver; it answers a line for each fault.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from faults.records import SECOND

ATTEMPTS = "attempts.json"

_ROWS = """
SELECT d.endpoint_id, d.event_id, d.status, a.number, a.duration_us, a.status_code, a.error, a.detail,
       a.response_body, a.response_headers
FROM deliveries d LEFT JOIN attempts a ON a.lane = d.lane AND a.delivery_id = d.id
"""


class Expected(Struct, frozen=True):
    """What may come of an attempt at an endpoint, and whether its answers hold the id of their request."""

    name: str
    comes_to: frozenset[str]
    echoes: bool


class Attempted(Struct, frozen=True, kw_only=True):
    """One attempt with its delivery; `number` is None where a delivery has none."""

    endpoint_id: int
    event_id: str
    status: str
    number: int | None
    duration_us: int | None = None
    status_code: int | None = None
    error: str | None = None
    detail: str | None = None
    response_body: bytes | None = None
    response_headers: str | None = None  # as the product keeps them: JSON

    @property
    def came_to(self) -> str:
        return self.error or str(self.status_code)


async def write_attempts(database_url: str, folder: Path) -> list[Attempted]:
    """Write down every attempt that the database holds."""
    if database_url.startswith("postgres"):
        db = await asyncpg.connect(database_url)
        try:
            rows = [dict(row) for row in await db.fetch(_ROWS)]
        finally:
            await db.close()
    else:
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:"))) as file:
            file.row_factory = sqlite3.Row
            rows = [dict(row) for row in file.execute(_ROWS)]
    attempted = [msgspec.convert({**row, "event_id": str(row["event_id"])}, Attempted) for row in rows]
    (folder / ATTEMPTS).write_bytes(msgspec.json.encode(attempted))
    return attempted


def misjudged(rows: Iterable[Attempted], expected: Mapping[int, Expected]) -> list[str]:
    """Attempts that were recorded as something else than what came."""
    return [
        f"{expected[row.endpoint_id].name}: {row.came_to} ({row.detail}), not {_either(expected[row.endpoint_id])}"
        for row in rows
        if row.number is not None and row.came_to not in expected[row.endpoint_id].comes_to
    ]


def miscounted(rows: Iterable[Attempted], expected: Mapping[int, Expected], passes: int) -> list[str]:
    """Receivers that were not met once in each pass, or whose deliveries have not exactly one attempt."""
    numbers: dict[int, list[int | None]] = defaultdict(list)
    for row in rows:
        numbers[row.endpoint_id].append(row.number)
    return [
        f"{each.name}: attempts {numbers[endpoint_id]}, not one in each of {passes} passes"
        for endpoint_id, each in expected.items()
        if numbers[endpoint_id] != [1] * passes
    ]


def stolen(rows: Iterable[Attempted], expected: Mapping[int, Expected]) -> list[str]:
    """Attempts that were given somebody else's words for their answer."""
    return [
        f"{expected[row.endpoint_id].name}: {row.event_id} was answered {row.response_body!r}"
        for row in rows
        if expected[row.endpoint_id].echoes and row.number is not None and row.response_body != row.event_id.encode()
    ]


def longest_seconds(rows: Sequence[Attempted]) -> float:
    """How long the longest attempt held its slot."""
    return max((row.duration_us or 0 for row in rows), default=0) / SECOND


def longest_answer(rows: Sequence[Attempted]) -> int:
    """How much was kept of the longest answer, in bytes."""
    return max((len(row.response_body or b"") for row in rows), default=0)


def most_headers(rows: Sequence[Attempted]) -> int:
    """How many headers were kept of one answer at most."""
    return max((len(kept) for kept in _kept_headers(rows)), default=0)


def longest_headers(rows: Sequence[Attempted]) -> int:
    """How much was kept of the names and values of one answer's headers at most, in bytes."""
    return max((sum(len(name) + len(value or "") for name, value in kept) for kept in _kept_headers(rows)), default=0)


def _kept_headers(rows: Sequence[Attempted]) -> list[list[tuple[str, str | None]]]:
    every = [msgspec.json.decode(row.response_headers) for row in rows if row.response_headers is not None]
    return [[(name, value) for name, value, _ in headers["kept"]] for headers in every]


def _either(expected: Expected) -> str:
    return " or ".join(sorted(expected.comes_to))
