"""What is kept of the headers of an answer that delivered nothing: who answered and why, within bounds.

A receiver may send anything: values are kept as printable ASCII, and those that may be credentials not at all.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

MOST_HEADERS = 64
MOST_CHARACTERS = 8_192  # of names and values together, as they are kept
MOST_OF_A_NAME = 256
MOST_OF_A_VALUE = 1_024  # bytes, so that one policy of several KB does not push out all others

# Whole words of a name: `x-auth-token` is hidden, `x-ratelimit-remaining-tokens` is not. `www-authenticate` stays: a
# challenge (RFC 9110 §11.6.1) says why the receiver refuses, and is given to anybody.
_CREDENTIALS = re.compile(
    r"(?<![a-z0-9])(?:cookie2?|authorization|authentication-info|token|secret|password|session|csrf|xsrf|jwt|api-?key)"
    r"(?![a-z0-9])",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(rb"[^ -~]")


class AnswerHeader(Struct, frozen=True, array_like=True):
    """One header. `value` is None where it may be a credential; `cut` is how many bytes of it were not kept."""

    name: str
    value: str | None
    cut: int = 0


class AnswerHeaders(Struct, frozen=True):
    """The headers of an answer in the order in which they came, and how many there was no room for."""

    kept: tuple[AnswerHeader, ...]
    left_out: int = 0


def headers_to_keep(received: Iterable[tuple[bytes, bytes]]) -> AnswerHeaders:
    """What is kept of these names and values: as much as there is room for, the first ones first."""
    kept: list[AnswerHeader] = []
    left_out, room = 0, MOST_CHARACTERS
    for name, value in received:
        header = _header(name, value.strip(b" \t"))
        size = len(header.name) + len(header.value or "")
        if len(kept) == MOST_HEADERS or len(header.name) > MOST_OF_A_NAME or size > room:
            left_out += 1
        else:
            kept.append(header)
            room -= size
    return AnswerHeaders(tuple(kept), left_out)


def shown_value(header: AnswerHeader) -> str:
    """The value for people, who are told what is missing."""
    if header.value is None:
        return "(not kept: it may be a credential)"
    return f"{header.value}… ({header.cut:,} more bytes)" if header.cut else header.value


def header_lines(headers: AnswerHeaders) -> list[str]:
    """The headers for people, a line each, as they stand in a message."""
    lines = [f"{header.name}: {shown_value(header)}" for header in headers.kept]
    return [*lines, f"({headers.left_out} more not kept)"] if headers.left_out else lines


def _header(name: bytes, value: bytes) -> AnswerHeader:
    shown_name = _printable(name)
    if _CREDENTIALS.search(shown_name):
        return AnswerHeader(shown_name, None)
    return AnswerHeader(shown_name, _printable(value[:MOST_OF_A_VALUE]), max(0, len(value) - MOST_OF_A_VALUE))


def _printable(received: bytes) -> str:
    """Other bytes as `\\xff`: they have no meaning of their own (RFC 9110 §5.5), and may be a terminal's commands."""
    return _UNPRINTABLE.sub(lambda found: b"\\x%02x" % found[0][0], received).decode("ascii")
