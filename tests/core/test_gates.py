"""Brakes: caps, rates and breakers, as functions of values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.gates import (
    BREAKER_FAILURES,
    BREAKER_FIRST_WAIT,
    BREAKER_LONGEST_WAIT,
    CROWDED_WAIT,
    PROBE_WAIT,
    Gate,
    admit,
    breaker_wait,
    opens_at,
)
from hookwright.core.model import SECOND

NOW = 1_790_000_000 * SECOND


def test_an_open_gate_lets_everything_go() -> None:
    admission = admit(Gate(), [1, 2, 3], NOW)
    assert (admission.go, admission.wait) == ((1, 2, 3), {})


def test_a_cap_leaves_room_only_for_what_is_missing() -> None:
    admission = admit(Gate(max_in_flight=3, in_flight=1), [1, 2, 3], NOW)
    assert admission.go == (1, 2)
    assert admission.wait == {3: NOW + CROWDED_WAIT}
    assert admission.gate.in_flight == 3


def test_a_cap_that_was_lowered_below_what_is_in_flight_lets_nothing_go() -> None:
    assert admit(Gate(max_in_flight=1, in_flight=4), [1], NOW).go == ()


def test_after_a_quiet_second_a_seconds_worth_may_go_at_once_and_the_rest_is_spaced() -> None:
    admission = admit(Gate(rate_per_second=2), [1, 2, 3, 4], NOW)
    assert admission.go == (1, 2)
    assert admission.wait == {3: NOW + SECOND // 2, 4: NOW + SECOND}


def test_what_was_spaced_goes_when_its_time_has_come() -> None:
    first = admit(Gate(rate_per_second=2), [1, 2, 3], NOW)
    again = admit(first.gate, [3], NOW + SECOND // 2)
    assert again.go == (3,)
    assert admit(again.gate, [4], NOW + SECOND // 2).go == ()


def test_an_open_breaker_lets_nothing_go_and_puts_no_delivery_off() -> None:
    admission = admit(Gate(breaker_open_until=NOW + 30 * SECOND, rate_per_second=1), [1, 2], NOW)
    assert (admission.go, admission.wait) == ((), {})


def test_a_breaker_lets_something_through_at_its_time_or_now() -> None:
    assert opens_at(None, NOW) == opens_at(NOW - 1, NOW) == opens_at(NOW, NOW) == NOW
    assert opens_at(NOW + 1, NOW) == NOW + 1


def test_a_half_open_breaker_lets_one_probe_through_and_no_second() -> None:
    admission = admit(Gate(breaker_open_until=NOW), [1, 2], NOW)
    assert (admission.go, admission.wait) == ((1,), {})
    assert admission.gate.breaker_open_until == NOW + PROBE_WAIT
    assert admit(admission.gate, [2], NOW + 1).go == ()


def test_a_breaker_opens_after_failures_in_a_row_and_stays_open_longer_each_time() -> None:
    assert breaker_wait(BREAKER_FAILURES - 1) is None
    waits = [breaker_wait(failures) or 0 for failures in range(BREAKER_FAILURES, BREAKER_FAILURES + 8)]
    assert waits[0] == BREAKER_FIRST_WAIT
    assert waits == sorted(waits)
    assert waits[-1] == BREAKER_LONGEST_WAIT
    assert breaker_wait(10**9) == BREAKER_LONGEST_WAIT


@pytest.mark.parametrize("rate", [1, 3, 7, 1000])
def test_the_rate_holds_over_any_number_of_looks(rate: int) -> None:
    gate, sent, waiting = Gate(rate_per_second=rate), 0, list(range(10 * rate))
    for look in range(50):
        admission = admit(gate, waiting, NOW + look * SECOND // 10)
        gate, waiting = admission.gate, list(admission.wait)
        sent += len(admission.go)
    # A second's worth at first, then the rate for 4.9 seconds.
    assert rate * 5 <= sent <= rate * 6


@given(
    st.builds(
        Gate,
        max_in_flight=st.none() | st.integers(1, 5),
        in_flight=st.integers(0, 7),
        rate_per_second=st.none() | st.integers(1, 50),
        rate_free_at=st.integers(NOW - 5 * SECOND, NOW + 5 * SECOND),
        breaker_open_until=st.none() | st.integers(NOW - 5 * SECOND, NOW + 5 * SECOND),
    ),
    st.lists(st.integers(1, 100), unique=True, max_size=10),
)
def test_every_delivery_either_goes_or_waits_for_a_time_to_come(gate: Gate, due: list[int]) -> None:
    admission = admit(gate, due, NOW)
    if opens_at(admission.gate.breaker_open_until, NOW) > NOW:
        assert len(admission.go) <= 1
        assert admission.wait == {}
    else:
        assert [*admission.go, *admission.wait] == due
    assert all(until > NOW for until in admission.wait.values())
    if gate.max_in_flight is not None:
        assert len(admission.go) <= max(0, gate.max_in_flight - gate.in_flight)
