"""Which URLs and addresses we may send to."""

from msgspec import Struct


class TargetPolicy(Struct, frozen=True):
    """What targets are allowed. The default is production's: https to public addresses."""

    allow_private: bool = False  # private, loopback and other special-purpose addresses, and plain http


def target_problem(url: str, policy: TargetPolicy) -> str | None:
    """Why a URL cannot be a target, in words for the person who gave it, or None if it can."""
    raise NotImplementedError


def address_allowed(address: str, policy: TargetPolicy) -> bool:
    """Whether we may dial an IP address (textual, v4 or v6)."""
    raise NotImplementedError
