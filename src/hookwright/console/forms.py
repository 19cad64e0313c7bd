"""What people typed into forms, and what of it does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hookwright.core.errors import Invalid, Problem


class Refused(NamedTuple):
    """Which form of a page was refused, why, and the fields to mend."""

    form: str = ""
    why: str = ""
    fields: frozenset[str] = frozenset()

    @classmethod
    def by(cls, form: str, refusal: Invalid) -> Refused:
        """What does not fit, in one sentence for each field."""
        fields = frozenset(problem.pointer.split("/")[1] for problem in refusal.problems if problem.pointer)
        return cls(form, " ".join(_sentence(problem) for problem in refusal.problems), fields)


NOTHING_REFUSED = Refused()


def _sentence(problem: Problem) -> str:
    field, *place = problem.pointer.split("/")[1:] or [""]
    words = (field.replace("_", " "), _place_in_words(place[0]) if place else "", problem.message)
    text = " ".join(word.strip() for word in words if word).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


class Refusals:
    """What does not fit, by the name of the field; gathered, so that a form tells all of it at once."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, field: str, message: str) -> None:
        """Something is wrong with a field."""
        self._problems.append(Problem(f"/{field}", message))

    def check(self, field: str, text: str, at_most: int, *, is_required: bool = False) -> None:
        """A text has a bounded length. PostgreSQL's text holds no NUL."""
        if is_required and not text.strip():
            self.add(field, "is required")
        if len(text) > at_most or "\0" in text:
            self.add(field, f"must have at most {at_most:,} characters, none of them NUL")

    def number(self, field: str, text: str) -> int | None:
        """A number, or None where nothing was typed."""
        if not text.strip():
            return None
        numbers = self.numbers(field, text)
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            self.add(field, "must be one number")
        return None

    def numbers(self, field: str, text: str) -> list[int]:
        """Numbers, with spaces or commas between them."""
        words = text.replace(",", " ").split()
        if all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            return [int(word) for word in words]
        self.add(field, "takes whole numbers only")
        return []

    def raise_any(self) -> None:
        """Raises Invalid if something does not fit."""
        if self._problems:
            raise Invalid(*self._problems)


def by_field(problems: Iterable[Problem], fields: Sequence[str]) -> Mapping[str, list[str]]:
    """What to say at each field; what belongs to none of them is told under the empty name."""
    told: dict[str, list[str]] = {}
    for problem in problems:
        field, *place = problem.pointer.split("/")[1:] or [""]
        where = _place_in_words(place[0]) if place and field in fields else ""
        told.setdefault(field if field in fields else "", []).append(where + problem.message)
    return told


def _place_in_words(place: str) -> str:
    """Where in a field: lines are counted from 1, names are names."""
    return f"{int(place) + 1}. " if place.isdigit() else f"{place}: "
