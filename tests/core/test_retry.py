"""Schedules, jitter and Retry-After."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.model import HOUR, MINUTE, SECOND
from hookwright.core.retry import (
    MAX_ATTEMPTS,
    MAX_DELAY_SECONDS,
    STANDARD_SCHEDULE,
    delay_before,
    parse_retry_after,
    schedule_problem,
    seconds_asked_for,
)

NOW = 784_111_777 * SECOND  # Sun, 06 Nov 1994 08:49:37 GMT, the date that RFC 9110 §5.6.7 prints


def test_the_standard_schedule_has_ten_attempts_over_75_hours_and_35_minutes() -> None:
    delays = [delay_before(attempt, STANDARD_SCHEDULE, 0) for attempt in range(1, 11)]
    assert delays[0] == 0
    assert sum(delay or 0 for delay in delays) == 75 * HOUR + 35 * MINUTE + 5 * SECOND


def test_there_is_no_attempt_after_the_last_of_the_schedule() -> None:
    assert delay_before(10, STANDARD_SCHEDULE, 0) == 24 * HOUR
    assert delay_before(11, STANDARD_SCHEDULE, 0) is None
    assert delay_before(1, (), 0) is None


@pytest.mark.parametrize(("jitter", "seconds"), [(-1, 240), (0, 300), (0.5, 330), (1, 360)])
def test_jitter_moves_a_delay_by_a_fifth_at_most(jitter: float, seconds: int) -> None:
    assert delay_before(3, STANDARD_SCHEDULE, jitter) == seconds * SECOND


@given(st.floats(-1, 1), st.integers(1, 10))
def test_a_delay_is_never_negative_and_never_off_by_more_than_its_jitter(jitter: float, attempt: int) -> None:
    delay = delay_before(attempt, STANDARD_SCHEDULE, jitter)
    assert delay is not None
    base = STANDARD_SCHEDULE[attempt - 1] * SECOND
    assert 0.8 * base - 1 <= delay <= 1.2 * base + 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),  # RFC 9110 §10.2.3
        (" 120 ", 120),
        ("0", 1),
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
        ("Sun Nov  6 08:50:37 1994", 60),
        ("Sun, 06 Nov 1994 08:49:36 GMT", 1),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 86_400),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("Sun, 99 Nov 1994 08:50:37 GMT", None),
        ("Sun, 06 Nov 99999 08:50:37 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str | None, seconds: int | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(("status", "seconds"), [(429, 60), (503, 60), (200, None), (500, None), (None, None)])
def test_only_a_429_and_a_503_ask_for_time(status: int | None, seconds: int | None) -> None:
    assert seconds_asked_for(status, "Sun, 06 Nov 1994 08:50:37 GMT", NOW) == seconds


def test_a_date_without_a_zone_is_utc_wherever_we_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_retry_after("Sun Nov  6 08:50:37 1994", NOW) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text())
def test_no_retry_after_is_too_strange_to_read(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 1 <= seconds <= 86_400


@pytest.mark.parametrize("schedule", [(0,), STANDARD_SCHEDULE, (0,) * MAX_ATTEMPTS, (MAX_DELAY_SECONDS,)])
def test_a_schedule_of_1_to_50_delays_up_to_a_week_is_good(schedule: tuple[int, ...]) -> None:
    assert schedule_problem(schedule) is None


@pytest.mark.parametrize("schedule", [(), (0,) * (MAX_ATTEMPTS + 1), (-1,), (0, MAX_DELAY_SECONDS + 1)])
def test_any_other_schedule_is_refused_with_a_reason(schedule: tuple[int, ...]) -> None:
    assert schedule_problem(schedule)
