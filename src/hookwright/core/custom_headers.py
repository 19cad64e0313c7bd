"""The request headers that an endpoint's owner may add: what their gateway asks for, and nothing that is ours.

What is refused: headers that frame the message or belong to one connection (RFC 9110 §7.6.1, RFC 9112), those that
describe the body, those that Standard Webhooks and the sender write, and those by which a request could pass for one
that came through a proxy or from a browser.
"""

import re
from collections.abc import Mapping

from hookwright.core.errors import Problem
from hookwright.core.pointers import pointer_to

MAX_HEADERS = 20
MAX_HEADER_BYTES = 4096

ROOT = "/headers"  # where they stand in a body

_RESERVED = frozenset(
    (
        "accept", "accept-encoding", "connection", "cookie", "cookie2", "date", "expect", "forwarded", "host",
        "http2-settings", "keep-alive", "max-forwards", "origin", "referer", "set-cookie", "te", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "via", "x-real-ip",
    )
)  # fmt: skip
_RESERVED_PREFIXES = ("content-", "webhook-", "proxy-", "x-forwarded-", "sec-", "access-control-")

# RFC 9110 §5.6.2: what a field name is made of.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 §5.5, of ASCII: visible characters, spaces and tabs, neither of them at an end.
_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")


def header_problems(headers: Mapping[str, str]) -> list[Problem]:
    """Everything that is wrong with custom headers; nothing if they can be sent."""
    if len(headers) > MAX_HEADERS:
        return [Problem(ROOT, f"has {len(headers)} headers; at most {MAX_HEADERS}", "too_long")]
    if sum(len(name.encode()) + len(value.encode()) for name, value in headers.items()) > MAX_HEADER_BYTES:
        return [Problem(ROOT, f"is too long (at most {MAX_HEADER_BYTES} bytes of names and values)", "too_long")]
    found = {name: _problem_of(name, value) for name, value in headers.items()}
    problems = [Problem(pointer_to([name], ROOT), message) for name, message in found.items() if message]
    return problems or _twice(headers)


def lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers under the names that the sender writes, so that none can stand beside one of ours."""
    return {name.lower(): value for name, value in headers.items()}


def _problem_of(name: str, value: str) -> str | None:
    if not _TOKEN.fullmatch(name):
        return "is not the name of a header"
    if name.lower() in _RESERVED or name.lower().startswith(_RESERVED_PREFIXES):
        return "is reserved: this header is not yours to set"
    if not _VALUE.fullmatch(value):
        return "must be printable ASCII, without spaces at the ends"
    return None


def _twice(headers: Mapping[str, str]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for name in headers:
        if name.lower() in seen:
            problems.append(Problem(pointer_to([name], ROOT), "is there twice; names do not depend on case"))
        seen.add(name.lower())
    return problems
