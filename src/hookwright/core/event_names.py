"""Names of event types, and the families that a subscription may name instead of one type."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

EVERYTHING = "*"
MAX_NAME_LENGTH = 100

# `noun.verb`, each a lower-case identifier.
NAME_PATTERN = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
_NAME = re.compile(NAME_PATTERN.strip("^$"))


def is_name(text: str) -> bool:
    """Whether an event type could have this name."""
    return len(text) <= MAX_NAME_LENGTH and _NAME.fullmatch(text) is not None


def is_family(text: str) -> bool:
    """Whether event types could have this in common: `contact.*`."""
    noun, star = text[:-2], text[-2:]
    return star == ".*" and is_name(f"{noun}.any")


def family_of(name: str) -> str:
    """What every event type with the same noun shares: `contact.*`."""
    return f"{name.partition('.')[0]}.*"


def families_of(name: str) -> tuple[str, ...]:
    """Every family that an event type belongs to, the narrowest first."""
    return family_of(name), EVERYTHING


def members_of(event: str, names: Iterable[str]) -> list[str]:
    """The types among `names` that a subscription to this event means: the one type, or a whole family."""
    return [name for name in names if event == name or event in families_of(name)]


def meant_by(name: str, names: Iterable[str]) -> str | None:
    """Which of these names a mistyped one was probably to be. With a thousand names it takes some milliseconds."""
    if len(name) > MAX_NAME_LENGTH:
        return None
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.7)), None)


def one_of(names: Iterable[str], meant: str | None = None) -> str:
    """The names that would do, in words; before them the one that was probably meant."""
    return f"{'one' if meant is None else f'did you mean {meant}? One'} of {', '.join(names)}"
