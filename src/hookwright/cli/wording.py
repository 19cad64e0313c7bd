"""What was wrong on a command line, in one way for all commands: which option or argument, and what would do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hookwright.core.errors import Problem
from hookwright.core.plain_words import in_plain_words

if TYPE_CHECKING:
    import typer

# What operations call by the names of the API.
OPTIONS = {
    "account": "--account",
    "accent": "--accent",
    "dialect": "--as",
    "events": "--event",
    "logo": "--logo",
    "max_in_flight": "--max-in-flight",
    "rate_per_second": "--rate",
    "redirect_uris": "--redirect-uri",
    "scopes": "--scope",
    "site": "--site",
    "status": "--status",
    "statuses": "--status",
    "type": "event",
}

DATES = "write 2026-01-31, or 2026-01-31T12:00"


def told(problems: Iterable[Problem]) -> str:
    """Every problem by the name that it has on the command line."""
    return "; ".join(f"{_name_of(each.pointer)}: {in_plain_words(each.message)}" for each in problems)


def _name_of(pointer: str) -> str:
    first, *below = pointer.strip("/").split("/")
    if first == "data":  # as --set names its places
        return ".".join(below) or "the data"
    return OPTIONS.get(first, first or "this")


def put_plainly(error: typer.BadParameter) -> None:
    """Say what is wrong with an option's value; what typer says of it is pydantic's."""
    from pydantic import ValidationError

    if isinstance(error.__cause__, ValidationError):
        found = error.__cause__.errors()[0]
        error.message = _problem_of(found["type"], str(found["input"]), found["msg"], error.param)


def _problem_of(kind: str, given: str, message: str, param: Any) -> str:
    """The problem with what was given, and what would do."""
    if kind.startswith("date"):
        return f"{given!r} is no time: {DATES}"
    if kind.startswith(("int", "float")) or kind.endswith("than_equal"):
        return f"{given!r} is not {_number_wanted(param, whole=not kind.startswith('float'))}"
    return message.removeprefix("Value error, ").rstrip(".")


def _number_wanted(param: Any, *, whole: bool) -> str:
    info = param.type_descriptor.parameter_info
    noun = "a whole number" if whole and param.type_descriptor.annotation is not float else "a number"
    if info.max is None:
        return noun if info.min is None else f"{noun} from {info.min} on"
    return f"{noun} from {info.min} to {info.max}"
