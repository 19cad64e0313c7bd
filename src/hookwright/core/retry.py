"""When to try again: schedules, jitter, Retry-After."""

from collections.abc import Sequence
from email.utils import parsedate_to_datetime

from hookwright.core.model import SECOND, Instant
from hookwright.core.times import from_datetime

# Seconds before each attempt, the first included: the example schedule of the Standard Webhooks specification,
# 75 h 35 m in all. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
STANDARD_SCHEDULE: tuple[int, ...] = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)

JITTER = 0.2
MIN_RETRY_AFTER_SECONDS = 1
MAX_RETRY_AFTER_SECONDS = 86_400
RETRY_AFTER_STATUSES = frozenset({429, 503})

MAX_ATTEMPTS = 50
MAX_DELAY_SECONDS = 7 * 86_400


def delay_before(round_attempt: int, schedule: Sequence[int], jitter: float) -> Instant | None:
    """How long to wait before the given attempt of a round (from 1), or None when the schedule has ended.

    `jitter` is a number from -1 to 1, drawn by the caller; it moves the delay by up to 20 % either way, so that
    the retries of one outage do not come back as one wave.
    """
    if round_attempt > len(schedule):
        return None
    return round(schedule[round_attempt - 1] * SECOND * (1 + JITTER * jitter))


def seconds_asked_for(status: int | None, retry_after: str | None, time_of_day: Instant) -> int | None:
    """How many seconds an answer with such a Retry-After asks us to wait, or None.

    A date is told by the clocks of the world, so it is compared with theirs, and not with the store's.
    """
    return parse_retry_after(retry_after, time_of_day) if status in RETRY_AFTER_STATUSES else None


def parse_retry_after(value: str | None, now: Instant) -> int | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: seconds or an HTTP date), clamped to 1 s … 24 h.

    None when the header is missing or makes no sense.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = int(text[:12])
    else:
        try:
            # Not `.timestamp()`: the oldest of the three HTTP date forms names no zone, and means UTC all the same.
            seconds = round((from_datetime(parsedate_to_datetime(text)) - now) / SECOND)
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, MIN_RETRY_AFTER_SECONDS), MAX_RETRY_AFTER_SECONDS)


def schedule_problem(schedule: Sequence[int]) -> str | None:
    """Why a retry schedule cannot be used, or None if it can."""
    if not 1 <= len(schedule) <= MAX_ATTEMPTS:
        return f"must have 1 to {MAX_ATTEMPTS} delays, one for each attempt"
    if any(not 0 <= delay <= MAX_DELAY_SECONDS for delay in schedule):
        return f"each delay must be 0 to {MAX_DELAY_SECONDS} seconds"
    return None
