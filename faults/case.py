"""What a case is: a plan goes in, a verdict comes out."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Database = Literal["sqlite", "postgres"]
DATABASES: tuple[Database, ...] = get_args(Database)
Side = Literal["at most", "at least"]


class Skipped(Exception):
    """This machine cannot try the case; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run of a case is to do: the same plan does the same, as far as processes can be told to."""

    seed: int
    rounds: int
    folder: Path  # empty, and the run's own; kept when the run fails
    database: Database

    def dice(self, purpose: str = "") -> random.Random:
        """Dice that depend on the seed and the purpose alone, so that one use does not move another."""
        return random.Random(f"{self.seed}/{purpose}")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: the figure that was seen beside its limit."""

    name: str
    seen: float
    limit: float = 0
    side: Side = "at most"
    unit: str = ""

    @property
    def held(self) -> bool:
        return self.seen <= self.limit if self.side == "at most" else self.seen >= self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was done, in numbers, and what had to hold. `evidence` shows what broke a check, a line each."""

    done: Mapping[str, float]
    checks: Sequence[Check]
    evidence: Sequence[str] = ()
    notes: Sequence[str] = ()  # what a reader of the table has to know, such as a part that was made shorter

    @property
    def held(self) -> bool:
        return bool(self.checks) and all(check.held for check in self.checks)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, how often it strikes in the short and in the long form, and the function that tries it.

    A case runs once on each of its databases, with as many rounds on each; where a round on SQLite is a restart of
    everything, it may have fewer in the short form.
    """

    name: str
    about: str
    run: Callable[[Plan], Awaitable[Verdict]]
    short: int
    long: int
    short_on_sqlite: int | None = None
    databases: tuple[Database, ...] = ("postgres",)
    alone: bool = False  # it measures how fast something is, so nothing else may run beside it
    lasts_seconds: float = 60  # about, in the short form by itself: what lasts longest begins first
    patience_seconds: float = 600  # for the short form; a run that takes longer has failed

    def rounds(self, database: Database, *, long: bool) -> int:
        """How often the fault strikes, unless somebody says otherwise."""
        if long:
            return self.long
        return self.short if database == "postgres" or self.short_on_sqlite is None else self.short_on_sqlite
