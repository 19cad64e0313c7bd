"""An endpoint's brakes: how many of its due deliveries may go now, and until when the others wait.

None of them spends the retry budget: a delivery that waits here has made no attempt.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hookwright.core.model import SECOND, Instant

# What an endpoint's own limits may be.
MAX_IN_FLIGHT = 1_000
MAX_RATE_PER_SECOND = 10_000

# A capped endpoint is looked at again this soon; its requests are under way, so nothing tells when one will end.
CROWDED_WAIT: Instant = SECOND // 4

# What a whole request may be given at most.
LONGEST_TIMEOUT_SECONDS = 60

# How long a probe may be under way before another may be sent: longer than any request may take, and than its outcome
# takes to be written.
PROBE_WAIT: Instant = (LONGEST_TIMEOUT_SECONDS + 30) * SECOND

# Breaker: after so many failures in a row it opens, for a time that doubles with each failed probe.
BREAKER_FAILURES = 10
BREAKER_FIRST_WAIT: Instant = 30 * SECOND
BREAKER_LONGEST_WAIT: Instant = 600 * SECOND


class Gate(Struct, frozen=True, kw_only=True):
    """An endpoint's limits and how far they are used up.

    `rate_free_at` is when the next request would keep to the rate if requests were evenly spaced (the "theoretical
    arrival time" of the generic cell rate algorithm). `breaker_open_until` is None while the breaker is closed;
    once that time has passed it is half open, and lets one probe through (`probing`).
    """

    max_in_flight: int | None = None
    in_flight: int = 0
    rate_per_second: int | None = None
    rate_free_at: Instant = 0
    breaker_open_until: Instant | None = None
    probing: bool = False


class Admission(Struct, frozen=True, kw_only=True):
    """Which deliveries go, until when the others wait, and what the gate looks like afterwards.

    What the breaker holds back is in neither: it keeps its own time, and its endpoint waits for `opens_at`.
    """

    go: tuple[int, ...]
    wait: dict[int, Instant]
    gate: Gate


def opens_at(breaker_open_until: Instant | None, now: Instant) -> Instant:
    """When a breaker lets something through: now, or at a time to come."""
    return now if breaker_open_until is None else max(now, breaker_open_until)


def admit(gate: Gate, due: Sequence[int], now: Instant) -> Admission:
    """Let as many of the due deliveries go as every brake allows, in the order given."""
    room = _room(gate, len(due), now)
    go, rate_free_at = _by_rate(gate, due[:room], now)
    after = replace(gate, in_flight=gate.in_flight + len(go), rate_free_at=rate_free_at)
    if go and gate.breaker_open_until is not None:
        after = replace(after, breaker_open_until=now + PROBE_WAIT, probing=True)
    return Admission(go=tuple(go), wait=_waits(after, due[len(go) :], now), gate=after)


def _room(gate: Gate, wanted: int, now: Instant) -> int:
    if opens_at(gate.breaker_open_until, now) > now:
        return 0
    if gate.breaker_open_until is not None:
        wanted = min(wanted, 1)
    if gate.max_in_flight is not None:
        wanted = min(wanted, max(0, gate.max_in_flight - gate.in_flight))
    return wanted


def _by_rate(gate: Gate, candidates: Sequence[int], now: Instant) -> tuple[Sequence[int], Instant]:
    """Those that keep to the rate, where a second's worth may go at once after a quiet second."""
    if gate.rate_per_second is None:
        return candidates, gate.rate_free_at
    interval = SECOND // gate.rate_per_second
    free_at = max(gate.rate_free_at, now - (gate.rate_per_second - 1) * interval)
    count = 0
    while count < len(candidates) and free_at <= now:
        free_at += interval
        count += 1
    return candidates[:count], free_at


def _waits(gate: Gate, held: Sequence[int], now: Instant) -> dict[int, Instant]:
    if opens_at(gate.breaker_open_until, now) > now:
        return {}
    if gate.rate_per_second is not None and gate.rate_free_at > now:
        interval = SECOND // gate.rate_per_second
        return {id: gate.rate_free_at + place * interval for place, id in enumerate(held)}
    return dict.fromkeys(held, now + CROWDED_WAIT)


def breaker_wait(failures: int) -> Instant | None:
    """How long the breaker stays open after so many failures in a row, or None while it stays closed."""
    if failures < BREAKER_FAILURES:
        return None
    return min(BREAKER_FIRST_WAIT << min(failures - BREAKER_FAILURES, 16), BREAKER_LONGEST_WAIT)
