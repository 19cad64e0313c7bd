"""What a measure is: rounds of named numbers, and the figures among them that have something to reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from benchmarks.database import Postgres, production_postgres

# One round: every number that was measured, by name; the figures are among them.
Round = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is done. The defaults fit a run into five minutes."""

    rounds: int = 3
    events: int = 10_000  # of a round; slower measures take a fixed share of it
    pending: int = 100_000
    endpoints: int = 10_000
    soak_seconds: float = 20.0


LONG = Scale(rounds=3, events=20_000, pending=1_000_000, endpoints=10_000, soak_seconds=3_600.0)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a figure has to be."""

    side: Literal["at least", "at most"]
    limit: float

    def includes(self, value: float) -> bool:
        return value >= self.limit if self.side == "at least" else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is printed: its name in a round, what it is, its unit, and what it has to reach, if any."""

    name: str
    about: str
    unit: str
    reach: Reach | None = None


class Stage:
    """What measures run on: a folder for files, and a PostgreSQL that is started when the first of them wants it."""

    def __init__(self, scale: Scale, folder: Path, open_things: ExitStack) -> None:
        self.scale = scale
        self.folder = folder
        self._open_things = open_things

    @cached_property
    def postgres(self) -> Postgres:
        return self._open_things.enter_context(production_postgres())

    @property
    def postgres_if_used(self) -> Postgres | None:
        """The server, if any measure has wanted it."""
        return self.__dict__.get("postgres")


Take = Callable[[Stage], Awaitable[list[Round]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Rounds under one name. `take` raises when a round does not reconcile: then none of it counts."""

    name: str
    figures: tuple[Figure, ...]
    take: Take


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure with what came of it: its rounds, or why there are none."""

    measure: Measure
    rounds: Sequence[Round] = field(default_factory=list)
    failure: str | None = None

    def values(self, figure: Figure) -> list[float]:
        return [each[figure.name] for each in self.rounds if figure.name in each]
