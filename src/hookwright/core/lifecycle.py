"""What follows from an attempt: the delivery's next state, as a function of values."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from hookwright.core.model import SECOND, Claim, Instant, Outcome, Settlement
from hookwright.core.retry import RETRY_AFTER_STATUSES, delay_before

# 410: the receiver says that the endpoint is gone for good (Standard Webhooks: "disable the endpoint").
GONE = 410


class CameTo(Protocol):
    """Whatever tells what a request came to: an outcome, or an attempt as it was recorded."""

    @property
    def status_code(self) -> int | None: ...

    @property
    def error(self) -> str | None: ...


def succeeded(outcome: CameTo) -> bool:
    """Whether the receiver answered 2xx, whatever came of the body: both vendors read nothing but the status."""
    return is_success(outcome.status_code, outcome.error)


def is_success(status_code: int | None, error: str | None) -> bool:
    """The same, where it is not told by one value."""
    return error is None and status_code is not None and 200 <= status_code < 300


def settle(
    claim: Claim, outcome: Outcome, schedule: Sequence[int], now: Instant, jitter: float, may_disable: bool = True
) -> Settlement:
    """The next state of a delivery after one attempt, and of its endpoint if failures may disable that.

    `jitter` is a number from -1 to 1, or 0 for a schedule that is to be kept to the second.
    """
    settlement = partial(Settlement, may_disable=may_disable)
    if succeeded(outcome):
        return settlement(status="delivered", due_at=None)
    if outcome.status_code == GONE:
        return settlement(status="dead", due_at=None, disable_reason="gone" if may_disable else None)
    delay = delay_before(claim.round_attempt + 1, schedule, jitter)
    if delay is None:
        return settlement(status="dead", due_at=None)
    if outcome.status_code in RETRY_AFTER_STATUSES and outcome.retry_after_seconds is not None:
        delay = outcome.retry_after_seconds * SECOND
    return settlement(status="pending", due_at=now + delay)
