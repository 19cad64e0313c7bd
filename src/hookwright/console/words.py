"""Values as people read them: times, durations, sizes, numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hookwright.core.health import breaker_of
from hookwright.core.model import DAY, HOUR, MINUTE, SECOND, Delivery, Endpoint, Instant
from hookwright.core.times import iso_millis, to_datetime

_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))

STATUS_WORDS = {
    "pending": "waiting",
    "in_flight": "being sent",
    "delivered": "delivered",
    "dead": "gave up",
    "cancelled": "cancelled",
    "retrying": "retrying",
}


def moment(instant: Instant) -> str:
    """`22 Nov 17:46:04`, in UTC."""
    return to_datetime(instant).strftime("%d %b %H:%M:%S").lstrip("0")


def moment_to_millis(instant: Instant) -> str:
    """`22 Nov 2026 17:46:04.123 UTC`."""
    when = to_datetime(instant)
    return f"{when.strftime('%d %b %Y %H:%M:%S').lstrip('0')}.{when.microsecond // 1000:03d} UTC"


def span(length: Instant) -> str:
    """A length of time in its largest unit, and the next where that matters: `3 d 4 h`, `12 min`, `8 s`."""
    for number, (unit, name) in enumerate(_UNITS):
        if length >= unit:
            whole, rest = divmod(length, unit)
            if whole < 10 and number + 1 < len(_UNITS) and rest >= _UNITS[number + 1][0]:
                return f"{whole} {name} {rest // _UNITS[number + 1][0]} {_UNITS[number + 1][1]}"
            return f"{whole} {name}"
    return "0 s"


def ago(instant: Instant, now: Instant) -> str:
    """`3 min ago`, `in 8 s`, `now`."""
    if abs(now - instant) < SECOND:
        return "now"
    return f"{span(now - instant)} ago" if instant < now else f"in {span(instant - now)}"


def duration(micros: int) -> str:
    """How long a request took: `14.8 s`, `120 ms`, `0.8 ms`."""
    if micros >= SECOND:
        return f"{micros / SECOND:.1f} s" if micros < 100 * SECOND else span(micros)
    millis = micros / 1000
    return f"{millis:.0f} ms" if millis >= 10 else f"{millis:.1f} ms"


def size(count: int) -> str:
    """How many bytes: `512 B`, `1.4 KB`, `2.0 MB` (of 1,024)."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def number(count: int) -> str:
    """`12,345`."""
    return f"{count:,}"


def shown_status(delivery: Delivery) -> str:
    """The status that people see: what waits for a retry is not what waits for its first attempt."""
    is_retrying = delivery.status == "pending" and delivery.attempts > delivery.round_start
    return "retrying" if is_retrying else delivery.status


def status_words(status: str) -> str:
    """A delivery's status as people say it."""
    return STATUS_WORDS.get(status, status.replace("_", " "))


def action_words(action: str) -> str:
    """`signing_secret.rotated` as people say it: `rotated a signing secret`."""
    noun, _, verb = action.replace("_", " ").partition(".")
    return f"{verb} {'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


class State(NamedTuple):
    """How an endpoint is, in a word or two, and the class of the label that says so."""

    kind: str
    words: str


def endpoint_state(endpoint: Endpoint, now: Instant) -> State:
    """What of an endpoint people should see first."""
    if endpoint.status != "active":
        return State(endpoint.status, endpoint.status)
    if breaker_of(endpoint.health, now) != "closed":
        return State("bad", "breaker open" if breaker_of(endpoint.health, now) == "open" else "being probed")
    return State("warn", "failing") if endpoint.health.failing_since is not None else State("active", "active")


def without_scheme(url: str) -> str:
    """A URL in short: its host and path. What stands in a query is often a credential."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path


def dialect_words(dialect: str) -> str:
    """A dialect's name as people say it: `Kit endpoints`."""
    return dialect.replace("_", " ").capitalize()


FILTERS: dict[str, Callable[..., Any]] = {
    "action_words": action_words,
    "ago": ago,
    "dialect_words": dialect_words,
    "duration": duration,
    "endpoint_state": endpoint_state,
    "iso": iso_millis,
    "moment": moment,
    "moment_to_millis": moment_to_millis,
    "number": number,
    "size": size,
    "span": span,
    "status_words": status_words,
    "without_scheme": without_scheme,
}
