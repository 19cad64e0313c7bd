"""Cookies for the pages of a surface, also where those stand inside another site's page."""

from __future__ import annotations

from hookwright.console.surface import PREFIX, Surface


def cookie_of(surface: Surface, name: str, value: str, seconds: int, *, is_secure: bool = False) -> str:
    """A cookie that the pages of this surface are sent, and no script can read."""
    # Inside another site's page only `SameSite=None` is sent, and only a partitioned cookie is kept by browsers that
    # refuse third parties' (https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies).
    # Written by hand: Python knows `Partitioned` only since 3.14.
    secure = "Secure; " if is_secure or surface.may_be_framed else ""
    site = "SameSite=None; Partitioned" if surface.may_be_framed else "SameSite=Lax"
    return f"{name}={value}; Path={PREFIX}; Max-Age={seconds}; {secure}HttpOnly; {site}"
