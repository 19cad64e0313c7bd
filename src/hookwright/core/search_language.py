"""The search language for deliveries: `type:contact.* status:failed endpoint:12 since:1h order_123`.

Words with a colon narrow the list; what else there is, is an id, a key, or text in the event's data.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime

from msgspec import Struct

from hookwright.core.lanes import id_in
from hookwright.core.model import DAY, HOUR, MINUTE, SECOND, Instant
from hookwright.core.times import from_datetime

STATUSES = ("failed", "delivered", "waiting", "retrying", "sending", "dead", "cancelled")
FILTERS = ("type", "status", "endpoint", "account", "since", "until")
MAX_LENGTH = 500

# Other words that people use for the same.
_SYNONYMS = {"pending": "waiting", "in_flight": "sending", "success": "delivered", "ok": "delivered"}
_UNITS = {"s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN = re.compile(r"(\d{1,6})(s|min|m|h|d|w)")
_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?")


class Search(Struct, frozen=True, kw_only=True):
    """What somebody looks for. `problems` says in plain words what of it makes no sense; that part is left out."""

    event_type: str | None = None
    statuses: tuple[str, ...] = ()
    endpoint_id: int | None = None
    account_id: int | None = None
    since: Instant | None = None
    until: Instant | None = None
    text: str | None = None
    problems: tuple[str, ...] = ()


def parse_search(query: str, now: Instant) -> Search:
    """What a line in the search language looks for."""
    values: dict[str, object] = {}
    statuses: list[str] = []
    words: list[str] = []
    problems: list[str] = []
    for word in _words(query[:MAX_LENGTH]):
        name, colon, value = word.partition(":")
        if not colon or name not in FILTERS:
            if colon and name.isalpha() and name.islower() and not value.startswith("//"):
                problems.append(f"{name}: is no filter; there are {', '.join(FILTERS)}")
            else:
                words.append(word)
        elif name == "status":
            for status in value.split(","):
                status = _SYNONYMS.get(status, status)
                if status in STATUSES:
                    statuses.append(status)
                else:
                    problems.append(f"status:{status} is none; there are {', '.join(STATUSES)}")
        else:
            try:
                values[_FIELDS[name]] = _READERS[name](value, now)
            except ValueError as error:
                problems.append(f"{name}:{value} {error}")
    return Search(
        **values,  # type: ignore[arg-type] # each reader gives what its field holds
        statuses=tuple(dict.fromkeys(statuses)),
        text=" ".join(words) or None,
        problems=tuple(problems),
    )


def _words(query: str) -> list[str]:
    try:
        return shlex.split(query)
    except ValueError:  # a quotation mark without its partner
        return query.split()


def _read_type(value: str, now: Instant) -> str:
    if not _TYPE.fullmatch(value):
        raise ValueError("is no event type; write contact.created or contact.*")
    return value


def _read_id(value: str, now: Instant) -> int:
    id = id_in(value)
    if id is None:
        raise ValueError("is no id: ids are numbers")
    return id


def _read_time(value: str, now: Instant) -> Instant:
    span = _SPAN.fullmatch(value)
    if span:
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        return from_datetime(datetime.fromisoformat(value))
    except ValueError:
        raise ValueError("is no time; write 15m, 1h, 2d, or 2026-01-31T18:00") from None


_READERS = {"type": _read_type, "endpoint": _read_id, "account": _read_id, "since": _read_time, "until": _read_time}
_FIELDS = {
    "type": "event_type",
    "endpoint": "endpoint_id",
    "account": "account_id",
    "since": "since",
    "until": "until",
}
