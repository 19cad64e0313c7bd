"""Sessions of the console: how long a person stays signed in."""

from msgspec import Struct

from hookwright.core.model import HOUR, MINUTE, SECOND, Instant, Key

IDLE_FOR: Instant = 30 * MINUTE
LASTS_FOR: Instant = 12 * HOUR

# How often it is written down that somebody is still there: a page must not cost a write.
NOTED_EVERY: Instant = MINUTE


class Session(Struct, frozen=True, kw_only=True):
    """A person who signed in to the console with a key. Only the SHA-256 of the session's token is kept.

    `key_digest` is that of the secret they signed in with; None for a session that an earlier version began.
    """

    id: int
    key_id: int
    key_digest: bytes | None
    digest: bytes
    created_at: Instant
    seen_at: Instant


class Ending(Struct, frozen=True, kw_only=True):
    """When whoever looks is let in no more, and whether another page puts that off."""

    at: Instant
    may_stay: bool

    def seconds_from(self, now: Instant) -> int:
        """How long that is from now."""
        return max(0, self.at - now) // SECOND


def ending_of(session: Session, key: Key) -> Ending:
    """When a session ends unless its person comes back: idle, too old, or with its key."""
    idle = session.seen_at + IDLE_FOR
    old = min(session.created_at + LASTS_FOR, key.expires_at or session.created_at + LASTS_FOR)
    return Ending(at=min(idle, old), may_stay=idle < old)


def is_live(session: Session, key: Key | None, now: Instant) -> bool:
    """Whether a session still lets in: neither idle nor old, and its key there with the same secret."""
    if now - session.seen_at >= IDLE_FOR or now - session.created_at >= LASTS_FOR:
        return False
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        return False
    # Whoever rotates a key wants everyone out who had the old secret. Times do not tell: a session may begin with it
    # between the moment that a rotation notes and its commit.
    return key.digest == session.key_digest


def is_to_be_noted(session: Session, now: Instant) -> bool:
    """Whether it is worth a write that the person is still there."""
    return now - session.seen_at >= NOTED_EVERY
