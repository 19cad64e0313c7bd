"""How `hookwright dev` prints its log: one short line for each attempt."""

import structlog
from structlog.typing import EventDict, WrappedLogger

from hookwright.core.model import Instant
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
        f" in {event['duration_ms']} ms, {follows(event)}"
    )


def follows(event: EventDict) -> str:
    """What an attempt led to: `delivered`, `attempt 1 failed, next at 12:35:01 UTC`."""
    number, next_attempt_at = event["attempt"], event["next_attempt_at"]
    if event["status"] == "pending":
        then = "waits for its endpoint" if next_attempt_at is None else f"next at {time_of_day(next_attempt_at)} UTC"
        return f"attempt {number} failed, {then}"
    return str(event["status"]) if number == 1 else f"{event['status']} at attempt {number}"


def time_of_day(instant: Instant) -> str:
    """`12:34:56`, in UTC."""
    return iso_seconds(instant)[_TIME_OF_DAY]
