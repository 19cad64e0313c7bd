"""The check of when retries come: it has to see what is early, what is late, and a rush."""

import pytest
from faults import punctuality
from faults.farm import Manners
from faults.records import SECOND, Arrival

SCHEDULE = (0, 5, 10)
PLAIN = Manners(seed=1)
# Both as the seed has it: the first refusal of the one asks for no time, that of the other does.
ASKING = Manners(seed=1, retry_after=30)
UNASKED = next(f"m-{n}" for n in range(99) if ASKING.asks_to_wait(f"m-{n}", 0) is None)
ASKED = next(f"m-{n}" for n in range(99) if ASKING.asks_to_wait(f"m-{n}", 0) is not None)


def arrival(seconds: float, status: int = 200, message_id: str = UNASKED) -> Arrival:
    at = round(seconds * SECOND)
    return Arrival(at=at, path="/1", message_id=message_id, timestamp="", signature="", body="", status=status)


@pytest.mark.parametrize(
    ("seconds", "early", "late"),
    [(3.5, 0.5, 0), (4, 0, 0), (5, 0, 0), (6, 0, 0), (7.5, 0, 1.5)],
    ids=["early", "as early as the jitter allows", "in time", "as late as the jitter allows", "late"],
)
def test_a_retry_is_due_by_the_schedule_and_its_jitter(seconds: float, early: float, late: float) -> None:
    (retry,) = punctuality.retries([arrival(0, 503), arrival(seconds)], SCHEDULE, PLAIN)
    assert (retry.early_seconds, retry.late_seconds) == (early, late)
    assert bool(punctuality.early([retry])) is bool(early)


@pytest.mark.parametrize(("seconds", "early", "late"), [(29, 1, 0), (30, 0, 0), (31, 0, 1)])
def test_a_receiver_that_asks_for_time_is_given_just_that(seconds: float, early: float, late: float) -> None:
    arrivals = [arrival(0, 503, ASKED), arrival(seconds, 200, ASKED)]
    (retry,) = punctuality.retries(arrivals, SCHEDULE, ASKING)
    assert (retry.early_seconds, retry.late_seconds) == (early, late)


def test_the_second_retry_has_the_second_delay() -> None:
    (_, retry) = punctuality.retries([arrival(0, 503), arrival(5, 503), arrival(15)], SCHEDULE, PLAIN)
    assert (retry.due_from, retry.due_until) == (13 * SECOND, 17 * SECOND)


def test_what_comes_again_after_a_success_is_no_retry() -> None:
    assert punctuality.retries([arrival(0), arrival(1)], SCHEDULE, PLAIN) == []


def test_a_rush_is_told_by_its_busiest_second() -> None:
    quiet = [arrival(place / 10) for place in range(50)]  # ten in a second
    rushed = [arrival(7 + place / 40) for place in range(40)]
    much_later = [arrival(30 + place / 500) for place in range(500)]
    assert punctuality.rush([*quiet, *rushed, *much_later], [5 * SECOND], 10) == 4
    assert punctuality.rush(quiet, [], 10) == 0
