"""Why an attempt failed, in plain words: what happened, and what to do about it.

The words are in `core/cause_rules.py`. Those in braces are filled in from the attempt: how long it `took`, the
`limit`, the `host`, the `status`, and whatever a rule's pattern names.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from hookwright.core.cause_rules import ACCEPTED, ANSWER_2XX, ANSWERS, ASK, ERRORS, FAMILIES, SLOW, Rule
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import SECOND, Attempt

# From this part of the limit on a success is told to be slow.
SLOW_PART = 0.8


class Cause(NamedTuple):
    """A cause: a short code, what happened, and what to do."""

    code: str
    happened: str
    to_do: str


class Tried(Struct, frozen=True, kw_only=True):
    """What is known of an attempt: its outcome, where it went, and how long it might have taken."""

    status_code: int | None = None
    error: str | None = None
    detail: str | None = None
    duration_us: int = 0
    body: bytes = b""
    url: str = ""
    limit_seconds: float = 15.0


def tried_in(attempt: Attempt, url: str, limit_seconds: float) -> Tried:
    """An attempt as it was recorded, to this URL."""
    return Tried(
        status_code=attempt.status_code,
        error=attempt.error,
        detail=attempt.detail,
        duration_us=attempt.duration_us,
        body=attempt.response_body,
        url=url,
        limit_seconds=limit_seconds,
    )


def cause_of(tried: Tried) -> Cause | None:
    """The cause of a failure, or of a success that broke off or was nearly too late; None for one in good order."""
    if succeeded(tried):
        return _flaw_of(tried)
    rules, text = (ERRORS, tried.detail or "") if tried.error else (ANSWERS, _readable(tried))
    for rule in rules:
        if rule.fits == (tried.error or tried.status_code):
            found = re.search(rule.pattern, text, re.IGNORECASE | re.DOTALL)
            if found:
                return _filled_in(rule, tried, found.groupdict())
    return _filled_in(_unknown(tried), tried, {})


def _flaw_of(accepted: Tried) -> Cause | None:
    for rule in ACCEPTED:
        if re.search(rule.pattern, accepted.detail or ""):
            return _filled_in(rule, accepted, {})
    is_slow = accepted.duration_us >= SLOW_PART * accepted.limit_seconds * SECOND
    return _filled_in(SLOW, accepted, {}) if is_slow else None


def _readable(tried: Tried) -> str:
    """The detail, which says where a redirect leads, and the body."""
    return f"{tried.detail or ''}\n{tried.body[:4096].decode(errors='replace')}"


def _filled_in(rule: Rule, tried: Tried, found: dict[str, str]) -> Cause:
    words = {
        "took": f"{tried.duration_us / SECOND:.1f} s",
        "limit": f"{tried.limit_seconds:g} s",
        "host": urlsplit(tried.url).hostname or "the receiver",
        "status": str(tried.status_code),
        **found,
    }
    return Cause(rule.code, _format(rule.happened, words), _format(rule.to_do, words))


def _format(text: str, words: dict[str, str]) -> str:
    # Not `str.format`, to which what a receiver sent would be more than text.
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1]) or "", text)


def _unknown(tried: Tried) -> Rule:
    if tried.error is not None:
        return Rule("unknown_error", tried.error, "", f"The request failed ({tried.error}).", ASK)
    status = tried.status_code or 0
    for bound, code, happened, to_do in FAMILIES:
        if status < bound:
            return Rule(code, status, "", happened, to_do)
    return Rule("odd_status", status, "", "The receiver answered {status}, which is no status of HTTP.", ANSWER_2XX)
