"""An endpoint's health: when failing becomes a warning, and when it becomes a disabled endpoint.

An endpoint is disabled only after five days without a success *and* failures spread over at least twelve hours, so
that neither a short outage nor two failures of a quiet endpoint end it. It is warned on the way, and told why. Where
its dialect knows no such end it is warned all the same, and not disabled; nor does a failure of ours disable it, or
bring its end nearer.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from hookwright.core.gates import breaker_wait, opens_at
from hookwright.core.model import DAY, HOUR, Health, Instant

DISABLE_AFTER: Instant = 5 * DAY
FAILURE_SPREAD: Instant = 12 * HOUR
WARN_AT_PERCENT = (50, 70, 90)

# Forgiven is a failure that never disables: it is ours, or its endpoint's kind is never disabled.
Fared = Literal["succeeded", "failed", "forgiven"]
Change = Literal["warned", "disabled", "recovered"]
Breaker = Literal["closed", "open", "half_open"]

HEALTHY = Health()

# What an endpoint that was disabled and is active again begins with: its account was told, and hears of its success.
TOLD_PERCENT = 1


class Diagnosis(Struct, frozen=True, kw_only=True):
    """An endpoint's health after some attempts, and what its owner is to be told."""

    health: Health
    changes: tuple[Change, ...] = ()


def diagnose(health: Health, requests: Sequence[Fared], now: Instant) -> Diagnosis:
    """The health after requests that ended now, in order, by how each fared."""
    changes: list[Change] = []
    for fared in requests:
        diagnosis = _recovered(health) if fared == "succeeded" else _failed(health, now, fared == "failed")
        health = diagnosis.health
        changes += diagnosis.changes
    return Diagnosis(health=health, changes=tuple(changes))


def undecided(health: Health, now: Instant) -> Health:
    """The health after attempts that say nothing of the endpoint: if one of them was the probe, another may go."""
    return replace(health, breaker_open_until=now, probing=False) if health.probing else health


def brought_forward(before: Health, after: Health, now: Instant) -> Instant | None:
    """When what a breaker holds back may go, if that is sooner now than it was."""
    opens = opens_at(after.breaker_open_until, now)
    return opens if before.breaker_open_until is not None and opens < before.breaker_open_until else None


def progress_percent(health: Health, now: Instant) -> int:
    """How much of the five days an endpoint has failed after which one is disabled, if its kind ever is."""
    if health.failing_since is None:
        return 0
    return min(100, (now - health.failing_since) * 100 // DISABLE_AFTER)


def breaker_of(health: Health, now: Instant) -> Breaker:
    """An open breaker lets nothing through; a half-open one lets one probe through, or has done so."""
    if health.breaker_open_until is None:
        return "closed"
    return "open" if now < health.breaker_open_until and not health.probing else "half_open"


def _recovered(health: Health) -> Diagnosis:
    return Diagnosis(health=HEALTHY, changes=("recovered",) if health.warned_percent else ())


def _failed(health: Health, now: Instant, may_disable: bool) -> Diagnosis:
    failed = _counted(health, now)
    if health.failing_since is None:
        failed = replace(failed, failing_since=now)
    if may_disable:
        failed = _blamed(failed, now)
    if may_disable and _must_be_disabled(health, now):
        return Diagnosis(health=failed, changes=("disabled",))
    reached = max((step for step in WARN_AT_PERCENT if step <= progress_percent(failed, now)), default=0)
    if reached > health.warned_percent:
        return Diagnosis(health=replace(failed, warned_percent=reached), changes=("warned",))
    return Diagnosis(health=failed)


def _blamed(health: Health, now: Instant) -> Health:
    """With a failure that may disable. Those that were forgiven before the first such are none of its five days."""
    if health.failed_at is None:
        told = min(health.warned_percent, TOLD_PERCENT)  # it is warned of these days anew
        return replace(health, failing_since=now, failed_at=now, warned_percent=told)
    return replace(health, failed_at=now)


def _counted(health: Health, now: Instant) -> Health:
    if health.breaker_open_until is not None and now < health.breaker_open_until and not health.probing:
        # Sent before the breaker opened: a hundred such failures are one outage, not a hundred failed probes.
        return health
    failures = health.failures + 1
    wait = breaker_wait(failures)
    until = now + wait if wait is not None else None
    return replace(health, failures=failures, breaker_open_until=until, probing=False)


def _must_be_disabled(before: Health, now: Instant) -> bool:
    """Judged by the failure before this one: two failures five days apart are no outage of five days."""
    if before.failing_since is None or before.failed_at is None:
        return False
    return now - before.failing_since >= DISABLE_AFTER and before.failed_at - before.failing_since >= FAILURE_SPREAD
