"""How an endpoint has done lately: rates, percentiles, the last success."""

import pytest

from hookwright.core.model import Outcome
from hookwright.core.performance import performance_of


def outcome(at: int = 0, millis: int = 10, status_code: int | None = 200) -> Outcome:
    return Outcome(started_at=at, duration_us=millis * 1000, status_code=status_code)


@pytest.mark.parametrize(
    ("succeeded", "failed", "rate"),
    [(0, 0, "–"), (1, 0, "100 %"), (0, 3, "0 %"), (1, 1, "50 %"), (2, 1, "66.6 %"), (1999, 1, "99.9 %")],
)
def test_the_success_rate_is_rounded_down(succeeded: int, failed: int, rate: str) -> None:
    outcomes = [outcome()] * succeeded + [outcome(status_code=500)] * failed
    assert performance_of(outcomes).success_rate == rate


def test_percentiles_are_those_of_the_attempts_that_were_answered() -> None:
    answered = [outcome(millis=millis) for millis in range(1, 101)]
    performance = performance_of([*answered, outcome(millis=15_000, status_code=None)])
    assert (performance.p50_us, performance.p95_us) == (50_000, 95_000)
    assert performance_of([outcome(millis=7)]).p95_us == 7_000
    assert performance_of([outcome(status_code=None)]).p50_us is None


def test_the_last_success_is_the_latest_attempt_that_was_answered_2xx() -> None:
    outcomes = [outcome(1), outcome(2), outcome(3, status_code=404), outcome(4, status_code=None)]
    assert performance_of(outcomes).last_success_at == 2
    assert performance_of(outcomes[2:]).last_success_at is None
