"""The check of a signature that a receiver computed: right, or wrong for which reason."""

import hashlib
import hmac
import json
from base64 import b64encode

import pytest

from hookwright.core.model import SigningKey
from hookwright.core.signature_check import check_signature
from hookwright.core.signing import encode_secret, sign

ID, TIMESTAMP, BODY = "0199-1", 1_790_000_000, b'{"a":1,"b":"\xc3\xa9"}'
KEYS = [SigningKey(encode_secret(bytes([number]) * 32), bytes([number]) * 32) for number in (1, 2)]
NEWEST = KEYS[0]
CONTENT = b"%b.%d.%b" % (ID.encode(), TIMESTAMP, BODY)


def made(key: bytes, content: bytes) -> str:
    return b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def content_of(body: bytes) -> bytes:
    return b"%b.%d.%b" % (ID.encode(), TIMESTAMP, body)


@pytest.mark.parametrize("form", ["{}", "v1,{}", ' "v1,{}" '])
def test_the_right_signature_is_right_with_or_without_its_version(form: str) -> None:
    verdict = check_signature(form.format(made(NEWEST.key, CONTENT)), ID, TIMESTAMP, BODY, KEYS)
    assert verdict.is_right
    assert "the newest secret" in verdict.told
    assert made(NEWEST.key, CONTENT) in sign([NEWEST.key], ID, TIMESTAMP, BODY)


def test_the_signature_of_an_older_secret_is_right_and_told() -> None:
    verdict = check_signature(made(KEYS[1].key, CONTENT), ID, TIMESTAMP, BODY, KEYS)
    assert verdict.is_right
    assert "an older secret" in verdict.told


@pytest.mark.parametrize(
    ("computed", "told"),
    [
        (hmac.digest(NEWEST.key, CONTENT, hashlib.sha256).hex(), "written in hex"),
        (made(NEWEST.secret.encode(), CONTENT), "the text of the secret"),
        (made(NEWEST.secret.removeprefix("whsec_").encode(), CONTENT), "the base64 text"),
        (made(NEWEST.key, BODY), "Only the body was signed"),
        (made(NEWEST.key, CONTENT.partition(b".")[2]), "The id is missing"),
        (made(NEWEST.key, CONTENT.replace(b"1790000000", b"1790000000000")), "milliseconds"),
        (made(NEWEST.key, content_of(json.dumps(json.loads(BODY)).encode())), "parsed and written again"),
        (made(NEWEST.key, content_of(json.dumps(json.loads(BODY), indent=2, ensure_ascii=False).encode())), "again"),
        (made(NEWEST.key, content_of(BODY + b"\n")), "A line break"),
        (made(NEWEST.key, content_of(b"")), "The body was empty"),
        (made(b"another", CONTENT), "none of the live secrets"),
        ("é", "none of the live secrets"),
        ("", "Paste"),
    ],
)
def test_each_usual_mistake_is_told_by_name(computed: str, told: str) -> None:
    verdict = check_signature(computed, ID, TIMESTAMP, BODY, KEYS)
    assert not verdict.is_right
    assert told in verdict.told


def test_a_body_that_is_no_json_is_checked_all_the_same() -> None:
    assert not check_signature("x", ID, TIMESTAMP, b"\xff[[[", KEYS).is_right
