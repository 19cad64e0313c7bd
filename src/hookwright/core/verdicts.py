"""Why a signed request does not verify: its headers, the secret, the body, or the clock.

A scheme's own reader takes the headers apart (see the dialects); what is concluded from that is the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Literal, NamedTuple

from msgspec import Struct

# Standard Webhooks leaves the tolerance to the receiver; its reference libraries and Kit's documentation say this.
TOLERANCE_SECONDS = 300

Part = Literal["headers", "secret", "body", "clock"]


class Signed(Struct, frozen=True, kw_only=True):
    """What the headers of a request say: when it was signed, and whether a secret made a signature over a body.

    `is_by(secret, body)` raises ValueError for what cannot be a secret of this scheme.
    """

    scheme: str
    timestamp: int  # unix seconds
    is_by: Callable[[str, bytes], bool]


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a request verifies; if not, which part of it is wrong, in words that name the cure."""

    valid: bool
    wrong: Part | None = None
    message: str
    scheme: str | None = None
    age_seconds: int | None = None


class _Variant(NamedTuple):
    """Bytes that may have been signed, and what was done to them since."""

    body: bytes
    change: str


def unreadable(problem: str) -> Verdict:
    """The verdict over headers that no scheme can read."""
    return Verdict(valid=False, wrong="headers", message=problem)


def judge(signed: Signed, secret: str, body: bytes, now: int, tolerance: int = TOLERANCE_SECONDS) -> Verdict:
    """The verdict over a request. `now` is unix seconds; a signature may be `tolerance` seconds older or newer."""
    try:
        problem = _signature_problem(signed, secret, body) or _clock_problem(signed.timestamp, now, tolerance)
    except ValueError as error:
        problem = ("secret", f"{error}")
    wrong, message = problem or (None, "the signature is good: these bytes are what was signed, by this secret")
    return Verdict(
        valid=wrong is None, wrong=wrong, message=message, scheme=signed.scheme, age_seconds=now - signed.timestamp
    )


def _signature_problem(signed: Signed, secret: str, body: bytes) -> tuple[Part, str] | None:
    if signed.is_by(secret, body):
        return None
    for variant in _variants(body):
        if signed.is_by(secret, variant.body):
            return "body", f"the secret is right, but the body is not what was signed: {variant.change}; {_RAW}"
    if secret != secret.strip() and signed.is_by(secret.strip(), body):
        return "secret", "there is white space around the secret"
    if suspicion := _suspicion(body):
        return "body", f"nothing here was signed by this secret over these bytes, and {suspicion}; {_RAW}"
    return "secret", (
        "no signature here was made by this secret. The body looks untouched, so the secret is most likely another"
        " endpoint's or account's, or was rotated out"
    )


def _clock_problem(timestamp: int, now: int, tolerance: int) -> tuple[Part, str] | None:
    age = now - timestamp
    if abs(age) <= tolerance:
        return None
    place = f"{age} s ago" if age > 0 else f"{-age} s in the future"
    return "clock", (
        f"the signature is good, but was made {place}, and {tolerance} s are allowed: one of the two clocks is wrong,"
        " or the request was held back or played again (every retry is signed anew)"
    )


_RAW = "verify the bytes as they came, before anything parses them"


def _variants(body: bytes) -> Iterator[_Variant]:
    """What the body may have been before one of the usual accidents."""
    yield _Variant(body.rstrip(b"\r\n"), "a line break was added at its end")
    yield _Variant(body + b"\n", "the line break at its end was cut off")
    yield _Variant(body.replace(b"\r\n", b"\n"), "its line breaks were changed")
    yield _Variant(body.removeprefix(b"\xef\xbb\xbf"), "a byte order mark was put before it")
    value = _json_of(body)
    if value is not None:
        for signed in _serialisations(value):
            yield _Variant(signed, "it was parsed and written again as JSON")


def _serialisations(value: Any) -> Iterator[bytes]:
    """JSON as senders print it: with or without spaces, with other letters as they are or escaped."""
    for ascii_only, separators in product((False, True), ((",", ":"), (", ", ": "))):
        yield _dumped(value, ascii_only, separators)
        if isinstance(value, dict) and isinstance(value.get("data"), dict):
            # Ours: an envelope without spaces round the data as the platform printed it.
            data = _dumped(value["data"], ascii_only, separators)
            rest = {name: member for name, member in value.items() if name != "data"}
            yield _dumped(rest, False, (",", ":"))[:-1] + b',"data":' + data + b"}"


def _suspicion(body: bytes) -> str | None:
    """What tells that a body was touched although nothing could undo it."""
    value = _json_of(body)
    if not body:
        return "the body is empty"
    if value is None:
        return "the body is not whole JSON (cut off, or decoded)"
    if _dumped(value, False, (",", ":")) != body and _dumped(value, True, (",", ":")) != body:
        return "the body has been printed with spaces or in another way than senders print"
    return None


def _json_of(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _dumped(value: Any, ascii_only: bool, separators: tuple[str, str]) -> bytes:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    return text.encode("utf-8", "surrogatepass")
