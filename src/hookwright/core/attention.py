"""Endpoints that somebody should look at: why, in plain words, and the one thing that helps."""

from __future__ import annotations

from typing import Literal, NamedTuple

from hookwright.core.health import DISABLE_AFTER, breaker_of
from hookwright.core.model import Endpoint, Instant

# Recover: activate it and replay what died since it began to fail. Look: see what its attempts come to.
Cure = Literal["recover", "look"]

DISABLED_BECAUSE = {
    "gone": "Disabled: its receiver said that it is gone for good (410).",
    "failing": "Disabled: it failed for five days.",
}


class Attention(NamedTuple):
    """Why an endpoint needs attention, since when, and what helps. The lower the rank, the more urgent."""

    rank: int
    reason: str
    since: Instant | None
    cure: Cure
    disabled_at: Instant | None = None  # when it will be, if it goes on like this


def attention_of(endpoint: Endpoint, now: Instant, *, may_disable: bool) -> Attention | None:
    """What an endpoint needs; None when all is well with it. `may_disable`: whether failures disable its kind."""
    health, missed = endpoint.health, endpoint.missed_since
    if endpoint.status == "disabled":
        reason = DISABLED_BECAUSE.get(endpoint.status_reason or "", "Disabled; what is for it is kept.")
        return Attention(0, reason, endpoint.status_changed_at, "recover")
    if endpoint.status == "paused":
        return Attention(3, "Paused, and it has missed deliveries.", missed, "recover") if missed else None
    if health.failing_since is not None:
        # Failures of ours alone bring no end nearer.
        ends_at = health.failing_since + DISABLE_AFTER if may_disable and health.failed_at is not None else None
        if breaker_of(health, now) != "closed":
            reason = "Fails again and again, so one delivery at a time is tried until one succeeds."
            return Attention(1, reason, health.failing_since, "look", ends_at)
        return Attention(2, "Its latest attempts failed.", health.failing_since, "look", ends_at)
    if missed is not None:
        return Attention(4, "It works again, but deliveries gave up meanwhile.", missed, "recover")
    return None
