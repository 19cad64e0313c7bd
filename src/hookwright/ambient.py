"""The only clock and the only dice: time, ids, secrets, jitter."""

import hashlib
import hmac
import secrets
import time
import zlib
from random import Random
from typing import Protocol

from hookwright.core.lanes import LANE_COUNT, MAX_ID
from hookwright.core.model import SECOND, Instant

_RANDOM_DIGITS = 64
_CHECKSUM_DIGITS = 8
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


# A clock that goes on while the machine sleeps, which Linux's CLOCK_MONOTONIC does not and other systems' does. Where
# there is neither (Windows), Python's own.
_STEADY = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))

# A machine's clock that is kept by NTP is never further from a steady one than this between two anchors.
DRIFT: Instant = SECOND


class Clock(Protocol):
    """Tells the instant. All times in the store come from one of these."""

    def now(self) -> Instant:
        """Microseconds since 1970-01-01 UTC."""
        ...

    def time_of_day(self) -> Instant:
        """The same, for what others compare with clocks of their own: it takes part in a step that `now` does not."""
        ...


class AnchoredClock:
    """The store's time, carried forward by a clock that never steps.

    Several processes share one idea of "due" only if it does not come from their own wall clocks: a step of one
    machine's clock must neither stall its deliveries nor fire them early. `anchor` sets it to the database's time;
    between anchors it advances by the steady clock alone.

    `holds_out` is for a database whose time is this machine's own wall clock. A step of that, once it is anchored,
    changes `time_of_day` and not `now`.
    """

    def __init__(self, *, holds_out: bool = False) -> None:
        self._holds_out = holds_out
        self._is_anchored = False
        self._offset = self._offset_of_day = time.time_ns() // 1000 - _steady_us()

    def anchor(self, instant: Instant) -> bool:
        """Make this the time from now on. False when it is a step that is not taken part in."""
        offset = self._offset_of_day = instant - _steady_us()
        if self._holds_out and self._is_anchored and abs(offset - self._offset) > DRIFT:
            return False
        self._offset = offset
        self._is_anchored = True
        return True

    def now(self) -> Instant:
        return self._offset + _steady_us()

    def time_of_day(self) -> Instant:
        return self._offset_of_day + _steady_us()


class MovableClock:
    """A clock for tests: it stands until it is moved."""

    def __init__(self, now: Instant = 1_790_000_000_000_000) -> None:
        self._now = now
        self._stepped: Instant = 0

    def move(self, *, seconds: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let this much time pass."""
        self._now += round((seconds + hours * 3600 + days * 86_400) * 1_000_000)

    def step(self, *, hours: float) -> None:
        """Put the time of day forward or back while no time passes, as whoever sets a machine's clock does."""
        self._stepped += round(hours * 3600 * SECOND)

    def now(self) -> Instant:
        return self._now

    def time_of_day(self) -> Instant:
        return self._now + self._stepped


def _steady_us() -> int:
    return (time.monotonic_ns() if _STEADY is None else time.clock_gettime_ns(_STEADY)) // 1000


def monotonic_us() -> int:
    """Microseconds of a clock that never steps, from an arbitrary start: for durations and deadlines."""
    return time.monotonic_ns() // 1000


class Dice:
    """Chance that is not secret: jitter and spreading. A seed makes it repeatable."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = Random(seed)  # noqa: S311 - nothing secret is drawn from it

    def jitter(self) -> float:
        """A number from -1 to 1."""
        return self._random.uniform(-1, 1)

    def lane_index(self, count: int) -> int:
        """One of the first `count` lanes, for a new account."""
        return self._random.randrange(count)


def new_event_id(now: Instant, lane_index: int) -> str:
    """A UUIDv7 (RFC 9562 §5.7) whose last six bits are the lane index, so that it names its lane."""
    millis = now // 1000
    tail = secrets.randbits(74) & ~(LANE_COUNT - 1) | lane_index
    value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_worker_id() -> str:
    """A name that no other worker has, nor this one after a restart."""
    return secrets.token_hex(8)


def new_signing_key() -> bytes:
    """A signing key of 32 bytes."""
    return secrets.token_bytes(32)


def new_token(prefix: str, id: int) -> str:
    """A secret of 256 bits that names its row: `prefix_<id in base 36>_<random><checksum>`. Keep only its `digest`.

    By prefix and checksum secret scanners know it for sure, and what was mistyped is told apart without a look-up.
    """
    unchecked = f"{prefix}_{_base36(id)}_{secrets.token_hex(_RANDOM_DIGITS // 2)}"
    return unchecked + _checksum(unchecked)


def token_id(token: str, prefix: str) -> int | None:
    """The row that a token of this prefix names, or None when it is no such token. Proves nothing by itself."""
    return claimed_id(token, prefix) if _is_whole(token, token.rpartition("_")[2]) else None


def claimed_id(token: str, prefix: str) -> int | None:
    """As `token_id`, also of a token that is not whole: for who compares its digest next, which decides."""
    return row_id(token.rpartition("_")[0], prefix)


def parse_base36(text: str) -> int | None:
    """The id that `public_id` printed, or None."""
    if not 1 <= len(text) <= 11 or not all(character in _DIGITS for character in text):
        return None
    id = int(text, 36)
    return id if id <= MAX_ID else None


def row_id(text: str, prefix: str) -> int | None:
    """The row that a public id of this prefix names, or None when it is no such id."""
    head, _, digits = text.partition("_")
    return parse_base36(digits) if head == prefix else None


def public_id(prefix: str, id: int) -> str:
    """A name for a row that may be shown, such as an OAuth `client_id`."""
    return f"{prefix}_{_base36(id)}"


def digest(secret: str) -> bytes:
    """What we keep of a secret. It is random and long, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, kept: bytes | None) -> bool:
    """Whether a secret is the one whose digest we kept, in constant time."""
    return kept is not None and hmac.compare_digest(digest(secret), kept)


def _is_whole(token: str, rest: str) -> bool:
    if len(rest) == _RANDOM_DIGITS:  # of before tokens had a checksum
        return True
    end = len(token) - _CHECKSUM_DIGITS
    return len(rest) == _RANDOM_DIGITS + _CHECKSUM_DIGITS and _checksum(token[:end]) == token[end:]


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode(errors='replace')):08x}"


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
