"""APSW in the clothes of Python's own sqlite3 module, as far as the SQLite store wears them.

The store's statements, its threads and its transactions run as they are; only what lies below the driver is another
SQLite, whose files a `ForgetfulDisk` watches.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import apsw

from faults.forgetful_disk import ForgetfulDisk

BUSY_MILLISECONDS = 5_000


class Row:
    """A row as `sqlite3.Row` is one: by place and by name."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: Sequence[Any]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, key: Any) -> Any:
        return self._values[self._places[key] if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> list[str]:
        return list(self._places)


class Cursor:
    """The answer to one statement."""

    def __init__(self, rows: Sequence[Row], rowcount: int) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fetchall(self) -> list[Row]:
        return list(self._rows)

    def fetchone(self) -> Row | None:
        return next(self._rows, None)


class Connection:
    """A connection whose statements commit by themselves outside BEGIN and COMMIT, as the store opens its own.

    `lax` turns every wish for synchronous=FULL into NORMAL: what the store would be without it. The log goes into the
    file after `checkpoint_pages`; a server has the thousand of SQLite's default, which few lives would see.
    """

    def __init__(self, disk: ForgetfulDisk, path: Path, *, lax: bool = False, checkpoint_pages: int = 1_000) -> None:
        self._db = apsw.Connection(str(path), vfs=disk.name)
        self._db.set_busy_timeout(BUSY_MILLISECONDS)
        self._db.wal_autocheckpoint(checkpoint_pages)
        self._disk = disk
        self._lax = lax

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, text: str, values: Sequence[Any] = ()) -> Cursor:
        if self._lax:
            text = text.replace("synchronous = FULL", "synchronous = NORMAL")
        with _errors_as_of_sqlite3():
            before = self._db.total_changes()
            cursor = self._db.execute(text, tuple(values))
            rows = _rows_of(cursor)
            return Cursor(rows, self._db.total_changes() - before)

    def executemany(self, text: str, many: Iterable[Sequence[Any]]) -> None:
        with _errors_as_of_sqlite3():
            self._db.executemany(text, [tuple(values) for values in many])

    def close(self) -> None:
        # A connection to a disk that is off has nothing to put in order, and says so.
        try:
            self._db.close()
        except apsw.Error:
            if not self._disk.is_off:
                raise


def connect_through(disk: ForgetfulDisk, path: Path, *, lax: bool, checkpoint_pages: int) -> sqlite3.Connection:
    """A connection for the store, by way of the disk."""
    with _errors_as_of_sqlite3():
        return cast("sqlite3.Connection", Connection(disk, path, lax=lax, checkpoint_pages=checkpoint_pages))


def _rows_of(cursor: apsw.Cursor) -> list[Row]:
    try:
        places = {column[0]: place for place, column in enumerate(cursor.get_description())}
    except apsw.ExecutionCompleteError:  # it had no row to give
        return []
    return [Row(places, values) for values in cursor]


@contextmanager
def _errors_as_of_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from error
    except apsw.BindingsError as error:
        raise sqlite3.ProgrammingError(str(error)) from error
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error
