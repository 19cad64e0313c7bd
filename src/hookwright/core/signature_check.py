"""Why a receiver computes another signature than we sent: the usual mistakes, tried one after another."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hookwright.core.model import SigningKey
from hookwright.core.signing import SECRET_PREFIX, signed_content


class Verdict(NamedTuple):
    """Whether a signature is the right one, and what to tell whoever computed it."""

    is_right: bool
    told: str


def check_signature(
    computed: str, message_id: str, timestamp: int, body: bytes, keys: Sequence[SigningKey]
) -> Verdict:
    """Judge a signature (v1) that a receiver computed for a message: right, or wrong for which reason."""
    given = computed.strip().strip("\"'").split(",")[-1].strip()
    if not given:
        return Verdict(False, "Paste what your code computed, or the header that it got.")
    for number, key in enumerate(keys):
        if _same(given, _signature(key.key, signed_content(message_id, timestamp, body))):
            which = "the newest secret" if number == 0 else "an older secret that is still live"
            return Verdict(True, f"That is right: it fits the id, the time, the body and {which}.")
    for key in keys:
        for told, wrong in _mistakes(key, message_id, timestamp, body):
            if _same(given, wrong):
                return Verdict(False, told)
    return Verdict(
        False,
        "It fits none of the live secrets, nor any of the usual mistakes. Compare the secret first: each endpoint may"
        " have its own, and a rotated one stops signing after a day. Then the bytes, which must be those that came.",
    )


def _mistakes(key: SigningKey, message_id: str, timestamp: int, body: bytes) -> Iterator[tuple[str, str]]:
    """What each mistake comes to, and what to tell of it."""
    content = signed_content(message_id, timestamp, body)
    text = key.secret.removeprefix(SECRET_PREFIX)
    yield "It is right but written in hex; the header has base64.", _hex(key.key, content)
    for wrong_key, told in (
        (
            key.secret.encode(),
            f"The key was the text of the secret. It is what base64 gives after {SECRET_PREFIX}.",
        ),
        (text.encode(), f"The key was the base64 text. Decode what stands after {SECRET_PREFIX} first."),
    ):
        yield told, _signature(wrong_key, content)
        yield told, _hex(wrong_key, content)
    yield (
        "Only the body was signed. What is signed is the id, a dot, the timestamp, a dot, and the body.",
        _signature(key.key, body),
    )
    yield "The id is missing in front of the timestamp.", _signature(key.key, b"%d.%b" % (timestamp, body))
    yield (
        "The timestamp was taken in milliseconds; it is the text of the header webhook-timestamp.",
        _signature(key.key, signed_content(message_id, timestamp * 1000, body)),
    )
    for again in _parsed_and_written_again(body):
        yield (
            "The body was parsed and written again, which changed its bytes. Verify the raw body before parsing.",
            _signature(key.key, signed_content(message_id, timestamp, again)),
        )
    for ended, told in (
        (body + b"\n", "A line break was added to the end of the body. Verify the raw body as it arrived."),
        (body.strip(), "The body was stripped. Verify the raw body as it arrived."),
        (b"", "The body was empty when it was verified: something had read it before. Keep the raw bytes."),
    ):
        yield told, _signature(key.key, signed_content(message_id, timestamp, ended))


def _parsed_and_written_again(body: bytes) -> Iterator[bytes]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    for separators in ((",", ":"), (", ", ": ")):
        for in_ascii in (False, True):
            for sort in (False, True):
                written = json.dumps(value, separators=separators, ensure_ascii=in_ascii, sort_keys=sort)
                yield written.encode(errors="surrogatepass")
    yield json.dumps(value, indent=2, ensure_ascii=False).encode(errors="surrogatepass")


def _signature(key: bytes, content: bytes) -> str:
    return b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def _hex(key: bytes, content: bytes) -> str:
    return hmac.digest(key, content, hashlib.sha256).hex()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
