"""What follows from an attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.lifecycle import settle, succeeded
from hookwright.core.model import SECOND, Claim, Outcome, Settlement
from hookwright.core.retry import STANDARD_SCHEDULE

NOW = 1_790_000_000 * SECOND


def claim(round_attempt: int = 1, attempt: int | None = None) -> Claim:
    return Claim(
        delivery_id=64,
        fence=1,
        account_id=64,
        event_id="0197e7a0-0000-7000-8000-000000000000",
        event_type="contact.tag_added",
        occurred_at=NOW,
        created_at=NOW,
        endpoint_id=128,
        dialect="kajabi",
        dialect_event="tag_added",
        ordinal=0,
        url="https://example.com/",
        body=b"{}",
        attempt=attempt or round_attempt,
        round_attempt=round_attempt,
        retry_schedule=None,
    )


def answered(status: int, retry_after_seconds: int | None = None) -> Outcome:
    return Outcome(started_at=NOW, duration_us=1, status_code=status, retry_after_seconds=retry_after_seconds)


def failed(error: str) -> Outcome:
    return Outcome(started_at=NOW, duration_us=1, error=error)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_answer_delivers(status: int) -> None:
    assert settle(claim(), answered(status), STANDARD_SCHEDULE, NOW, 0) == Settlement(status="delivered", due_at=None)


@pytest.mark.parametrize("status", [199, 300, 301, 304, 307, 400, 401, 404, 409, 429, 500, 503, 999])
def test_any_other_answer_is_tried_again(status: int) -> None:
    settlement = settle(claim(), answered(status), STANDARD_SCHEDULE, NOW, 0)
    assert settlement == Settlement(status="pending", due_at=NOW + 5 * SECOND)


def test_a_failed_attempt_is_tried_again_when_the_schedule_says_so() -> None:
    settlement = settle(claim(3), failed("timeout"), STANDARD_SCHEDULE, NOW, 0)
    assert settlement == Settlement(status="pending", due_at=NOW + 1800 * SECOND)


def test_a_2xx_that_did_not_end_in_time_is_no_success() -> None:
    outcome = Outcome(started_at=NOW, duration_us=1, status_code=200, error="timeout")
    assert not succeeded(outcome)
    assert settle(claim(), outcome, STANDARD_SCHEDULE, NOW, 0).status == "pending"


def test_the_last_failure_of_the_schedule_kills_the_delivery() -> None:
    assert settle(claim(10), answered(500), STANDARD_SCHEDULE, NOW, 0) == Settlement(status="dead", due_at=None)


def test_a_replayed_delivery_has_the_whole_schedule_again() -> None:
    settlement = settle(claim(round_attempt=1, attempt=11), answered(500), STANDARD_SCHEDULE, NOW, 0)
    assert settlement.status == "pending"


def test_410_kills_the_delivery_and_disables_its_endpoint() -> None:
    settlement = settle(claim(), answered(410), STANDARD_SCHEDULE, NOW, 0)
    assert settlement == Settlement(status="dead", due_at=None, disable_reason="gone")


@pytest.mark.parametrize("outcome", [answered(200), answered(410), answered(500), failed("timeout")])
def test_where_failures_may_not_disable_every_settlement_says_so_and_410_only_kills(outcome: Outcome) -> None:
    allowed, forbidden = (settle(claim(), outcome, STANDARD_SCHEDULE, NOW, 0, may) for may in (True, False))
    assert (allowed.may_disable, forbidden.may_disable) == (True, False)
    assert (forbidden.status, forbidden.due_at, forbidden.disable_reason) == (allowed.status, allowed.due_at, None)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_replaces_the_delay_of_the_schedule(status: int) -> None:
    settlement = settle(claim(), answered(status, 120), STANDARD_SCHEDULE, NOW, 1)
    assert settlement == Settlement(status="pending", due_at=NOW + 120 * SECOND)


def test_retry_after_gives_no_attempt_beyond_the_schedule() -> None:
    assert settle(claim(10), answered(503, 120), STANDARD_SCHEDULE, NOW, 0).status == "dead"


def test_retry_after_means_nothing_with_another_status() -> None:
    assert settle(claim(), answered(500, 120), STANDARD_SCHEDULE, NOW, 0).due_at == NOW + 5 * SECOND


@given(st.integers(1, 20), st.integers(100, 999), st.floats(-1, 1), st.lists(st.integers(0, 604_800), min_size=1))
def test_a_delivery_is_pending_exactly_when_it_is_due(
    attempt: int, status: int, jitter: float, schedule: list[int]
) -> None:
    settlement = settle(claim(attempt), answered(status), schedule, NOW, jitter)
    assert (settlement.status == "pending") == (settlement.due_at is not None)
    assert settlement.due_at is None or settlement.due_at >= NOW
    assert (settlement.disable_reason is not None) == (status == 410)
