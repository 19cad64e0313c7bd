"""How `hookwright dev` prints its log: one short line for each attempt."""

from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from hookwright.core.times import iso_seconds

_print_other = structlog.dev.ConsoleRenderer(colors=False)
_TIME_OF_DAY = slice(11, 19)  # of an ISO 8601 time


def render_line(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """A log line for people: attempts in short, everything else as structlog prints it."""
    return attempt_line(event) if event.get("event") == "attempt" else str(_print_other(logger, method, event))


def attempt_line(event: EventDict) -> str:
    """`12:34:56  kit subscriber.tag_add → endpoint 128: 200 in 3.1 ms, delivered`."""
    return (
        f"{event['timestamp'][_TIME_OF_DAY]}  {event['dialect']} {event['dialect_event']}"
        f" → endpoint {event['endpoint_id']}: {event['status_code'] or event['error']}"
        f" in {event['duration_ms']} ms, {_what_follows(event)}"
    )


def _what_follows(event: EventDict) -> str:
    status, next_attempt_at = event["status"], event["next_attempt_at"]
    if status == "pending" and next_attempt_at is not None:
        return f"attempt {event['attempt']} failed, next at {_time_of_day(next_attempt_at)} UTC"
    return f"{status}" if event["attempt"] == 1 else f"{status} at attempt {event['attempt']}"


def _time_of_day(instant: Any) -> str:
    return iso_seconds(instant)[_TIME_OF_DAY]
