"""Steps: business transactions that are the same SQL on every database.

A step is a generator: it yields statements and is given their rows, so it knows no driver. Each store runs a step
as one transaction. Placeholders are `$1`, `$2`, …; every statement names one lane unless it says why not.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import msgspec

from hookwright.core.answer_headers import AnswerHeaders
from hookwright.core.lanes import LANES, lane_of

# How many rows one statement may change beside traffic: short enough that nobody waits for its locks.
BATCH = 2_000

# Where rows live that belong to no account.
PLATFORM_LANE = LANES[0]


class Row(Protocol):
    """A row of either driver: a value for each column name."""

    def __getitem__(self, column: str, /) -> Any: ...


class Statement(msgspec.Struct, frozen=True):
    """One SQL statement and the values of its placeholders."""

    text: str
    values: tuple[Any, ...]


T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", bound="Steps")
M = TypeVar("M", bound=msgspec.Struct)
Step = Generator[Statement, Sequence[Row], T]
StepMethod = Callable[Concatenate[S, P], Step[T]]
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def sql(text: str, *values: Any) -> Statement:
    """A statement with its values, in the order of its placeholders."""
    return Statement(text, values)


def reading(step: StepMethod[S, P, T]) -> Method[S, P, T]:
    """Run the step without the right to write."""

    @functools.wraps(step)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._read(step(self, *args, **kwargs))

    return run


def writing(step: StepMethod[S, P, T]) -> Method[S, P, T]:
    """Run the step as one transaction."""

    @functools.wraps(step)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._write(step(self, *args, **kwargs))

    return run


class Steps:
    """What every group of steps stands on: how its store runs a step, and how its database locks rows.

    A database with a single writer locks nothing. With many, a grant is added under a shared lock on what it hangs
    on; what ends grants holds that row alone, so it sees every grant that a refresh has added meanwhile.
    """

    lane_count: int
    lanes_apart: bool  # whether a transaction may be about one lane only
    SKIP_LOCKED = ""
    SHARED = ""
    ALONE = ""

    def lanes_of_one_statement(self, lane_indexes: Sequence[int]) -> list[Sequence[int]]:
        """Lanes in groups that one statement may change rows of; a distributed database wants each alone."""
        return [lane_indexes] if lane_indexes else []

    def among(self, first: int, ids: Sequence[int]) -> tuple[str, Sequence[Any]]:
        """The condition that a column is one of these ids, from the placeholder `first` on, and its values."""
        return f"IN ({placeholders(first, ids)})", ids

    def by_ids(self, table: str, ids: Sequence[int], columns: str) -> Step[list[Row]]:
        """Rows by their ids. `table` says what it goes by in the columns, as in `endpoints e`."""
        name = table.split()[-1]
        by_lane: dict[int, list[int]] = {}
        for id in ids:
            by_lane.setdefault(lane_of(id), []).append(id)
        found: list[Row] = []
        for lane, of_lane in by_lane.items():
            among, values = self.among(2, of_lane)
            found += yield sql(
                f"SELECT {columns} FROM {table} WHERE {name}.lane = $1 AND {name}.id {among}", lane, *values
            )
        return found

    async def _read(self, step: Step[T]) -> T:
        raise NotImplementedError

    async def _write(self, step: Step[T]) -> T:
        raise NotImplementedError


def made(kind: type[M], row: Row, **given: Any) -> M:
    """A value of the row's columns of the same names; `given` are those that are kept in another form."""
    return kind(**{field: row[field] for field in kind.__struct_fields__ if field not in given}, **given)


def insert(table: str, lane: int, value: msgspec.Struct, *, leave_out: Sequence[str] = (), **given: Any) -> Statement:
    """Keep a value in the columns of the same names; `given` are those that are kept in another form."""
    fields = [field for field in value.__struct_fields__ if field not in leave_out]
    columns = {"lane": lane} | {field: getattr(value, field) for field in fields} | given
    return sql(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({placeholders(1, list(columns))})", *columns.values()
    )


def placeholders(first: int, values: Sequence[object]) -> str:
    return ", ".join(f"${number}" for number in range(first, first + len(values)))


def labels(lane_indexes: Iterable[int]) -> list[int]:
    """The labels that the rows of these lanes carry."""
    return [LANES[lane_index] for lane_index in lane_indexes]


def headers_text(headers: AnswerHeaders) -> str:
    """How the headers of an answer are kept."""
    return msgspec.json.encode(headers).decode()


def headers_of(kept: str | None) -> AnswerHeaders | None:
    """The headers of an answer, where they were kept."""
    return None if kept is None else msgspec.json.decode(kept, type=AnswerHeaders)


def texts(kept: str) -> tuple[Any, ...]:
    """A tuple that is kept as a JSON list."""
    return tuple(json.loads(kept))


def dump_schedule(schedule: Sequence[int] | None) -> str | None:
    return json.dumps(list(schedule)) if schedule is not None else None


def load_schedule(text: str | None) -> tuple[int, ...] | None:
    """A retry schedule as it is kept: a JSON list of seconds."""
    return tuple(json.loads(text)) if text is not None else None


class Filters:
    """Conditions and their values, numbered as they are added, behind the values that a statement has already."""

    def __init__(self, values: Sequence[Any] = ()) -> None:
        self._conditions: list[str] = []
        self.values: list[Any] = list(values)

    def add(self, condition: str, *values: Any) -> None:
        """Add a condition; each `$` in it stands for the next value."""
        for value in values:
            self.values.append(value)
            condition = condition.replace("$?", f"${len(self.values)}", 1)
        self._conditions.append(condition)

    def add_one_of(self, column: str, values: Sequence[str]) -> None:
        """Add the condition that a column has one of these values."""
        places = ", ".join("$?" for _ in values)
        self.add(f"{column} IN ({places})" if places else "FALSE", *values)

    def add_type(self, column: str, event_type: str) -> None:
        """Add the condition that a column is a type or, for `contact.*`, begins with `contact.`."""
        if event_type.endswith(".*"):
            beginning = event_type.removesuffix("*")
            # Not by order, which PostgreSQL has from its locale, nor by LIKE, to which `_` is any character.
            self.add(f"SUBSTR({column}, 1, {len(beginning)}) = $?", beginning)
        else:
            self.add(f"{column} = $?", event_type)

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "TRUE"
