"""The portal: what a link lets its viewer see and do, for how long, and under whose name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

from hookwright.core.colours import is_colour
from hookwright.core.errors import Problem
from hookwright.core.model import DAY, HOUR, MINUTE, Account, Instant, Key

PORTAL_PREFIX = "/portal"

SHORTEST: Instant = MINUTE
LONGEST: Instant = 7 * DAY
USUAL: Instant = HOUR

MAX_NAME_LENGTH = 60
MAX_LOGO_LENGTH = 500

# Stricter than RFC 3986: it is repeated in a Content-Security-Policy, where `;` and `,` end a rule.
_LOGO = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9/._~%=&?+@:-]*", re.IGNORECASE)


class Look(Struct, frozen=True, kw_only=True):
    """Whose portal it looks like: a name, a logo by its https URL and an accent colour; each may be empty."""

    name: str = ""
    logo: str = ""
    accent: str = ""

    @property
    def logo_origin(self) -> str:
        """Where the logo comes from, for a Content-Security-Policy; nothing without a logo."""
        parts = urlsplit(self.logo)
        return f"{parts.scheme}://{parts.netloc}" if self.logo else ""


class PortalLink(Struct, frozen=True, kw_only=True, array_like=True):
    """What stands in a link, signed: a link is nowhere kept. Members are only ever added at the end.

    `key_id` is the key that it was made with; it ends with that key. None: it was made on the command line.
    `key_print` tells the secret that the key had from any other; empty in links that earlier versions made.
    """

    id: int
    account_id: int
    expires_at: Instant
    created_at: Instant
    key_id: int | None
    may_change: bool
    look: Look
    key_print: bytes = b""


def print_of(key_digest: bytes) -> bytes:
    """What tells one secret of a key from the next, in eight bytes: a link is better short."""
    return key_digest[:8]


def entrance(base_url: str, token: str) -> str:
    """Where a link leads to."""
    return f"{base_url.rstrip('/')}{PORTAL_PREFIX}/enter?token={token}"


def look_problems(look: Look) -> list[Problem]:
    """What is wrong with a look, below `/name`, `/logo` and `/accent`."""
    problems = []
    if len(look.name) > MAX_NAME_LENGTH or not look.name.isprintable():
        problems.append(Problem("/name", f"must be at most {MAX_NAME_LENGTH} printable characters"))
    if look.logo and (len(look.logo) > MAX_LOGO_LENGTH or not _LOGO.fullmatch(look.logo)):
        problems.append(Problem("/logo", f"must be an https URL of at most {MAX_LOGO_LENGTH} plain characters"))
    if look.accent and not is_colour(look.accent):
        problems.append(Problem("/accent", "must be a colour such as #2b50cc"))
    return problems


def link_is_live(link: PortalLink, account: Account | None, key: Key | None, now: Instant) -> bool:
    """Whether a link still lets in: not expired, its account there, and the key that made it still the same."""
    if account is None or link.expires_at <= now:
        return False
    if link.key_id is None:
        return True
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        return False
    if not link.key_print:
        return key.rotated_at is None or key.rotated_at <= link.created_at
    return link.key_print == print_of(key.digest)
