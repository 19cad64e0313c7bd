"""Attention: who is said to be disabled soon."""

import pytest
from msgspec.structs import replace

from hookwright.core.attention import attention_of
from hookwright.core.health import DISABLE_AFTER
from hookwright.core.model import HOUR, MINUTE, SECOND, Endpoint, Health, Instant, Subscription

NOW: Instant = 1_790_000_000 * SECOND
FAILING = Endpoint(
    id=64,
    account_id=128,
    site_id=None,
    dialect="kit",
    url="https://receiver.example.com/in",
    subscriptions=(Subscription("subscriber.tag_add"),),
    status_changed_at=NOW,
    created_at=NOW,
    updated_at=NOW,
    health=Health(failing_since=NOW - HOUR, failed_at=NOW, failures=2),
)


def disabled_at(health: Health, *, may_disable: bool) -> Instant | None:
    attention = attention_of(replace(FAILING, health=health), NOW, may_disable=may_disable)
    assert attention is not None
    return attention.disabled_at


@pytest.mark.parametrize("breaker_open_until", [None, NOW + MINUTE])
def test_an_endpoint_that_fails_is_told_when_it_will_be_disabled(breaker_open_until: Instant | None) -> None:
    health = replace(FAILING.health, breaker_open_until=breaker_open_until)
    assert disabled_at(health, may_disable=True) == NOW - HOUR + DISABLE_AFTER
    assert disabled_at(health, may_disable=False) is None


def test_after_failures_of_ours_alone_it_is_told_of_none() -> None:
    assert disabled_at(replace(FAILING.health, failed_at=None), may_disable=True) is None
