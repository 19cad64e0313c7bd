"""Which part of a request is wrong, told apart for both schemes."""

import json
from base64 import b64encode

import pytest

from hookwright.core.model import SigningKey
from hookwright.core.signing import (
    encode_public_key,
    encode_secret,
    signature_headers,
    signed_content,
    signed_headers,
)
from hookwright.core.verdicts import Verdict
from hookwright.dialects.kit.envelopes import kit_signature
from hookwright.ed25519 import public_key_of, sign_ed25519
from hookwright.verification import verify

NOW = 1_790_000_000
KEY = SigningKey(encode_secret(b"k" * 32), b"k" * 32)
OTHER = encode_secret(b"o" * 32)
DATA = {"contact": {"id": 1, "email": "ada@example.com", "name": "Adä"}, "tag": {"id": 123}}
BODY = json.dumps({"type": "contact.tag_added", "data": DATA}, ensure_ascii=False, separators=(",", ":")).encode()
STANDARD = signed_headers([b"x" * 32, KEY.key], "msg-1", NOW, BODY)
KIT = {"X-Kit-Signature": kit_signature([OTHER, KEY.secret], NOW, BODY)}


def verdict(headers: dict[str, str], body: bytes = BODY, secret: str = KEY.secret, now: int = NOW) -> Verdict:
    return verify(headers, body, secret, now)


@pytest.mark.parametrize("headers", [STANDARD, KIT])
def test_a_request_verifies_with_any_of_the_secrets_that_signed_it(headers: dict[str, str]) -> None:
    found = verdict(headers, now=NOW + 299)
    assert (found.valid, found.wrong, found.age_seconds) == (True, None, 299)


def test_the_case_of_header_names_does_not_matter() -> None:
    assert verdict({name.upper(): value for name, value in STANDARD.items()}).valid


def test_a_public_key_verifies_v1a() -> None:
    seed = b"s" * 32
    signature = b64encode(sign_ed25519(seed, signed_content("msg-1", NOW, BODY))).decode()
    headers = signature_headers("msg-1", NOW, f"v1a,{signature}")
    assert verdict(headers, secret=encode_public_key(public_key_of(seed))).valid
    assert verdict(headers, secret=encode_public_key(public_key_of(b"t" * 32))).wrong == "secret"
    assert "public key" in verdict(headers).message


@pytest.mark.parametrize("headers", [STANDARD, KIT])
@pytest.mark.parametrize(("now", "words"), [(NOW + 301, "301 s ago"), (NOW - 4000, "4000 s in the future")])
def test_a_good_signature_at_the_wrong_time_is_the_clocks_fault(
    headers: dict[str, str], now: int, words: str
) -> None:
    found = verdict(headers, now=now)
    assert found.wrong == "clock"
    assert words in found.message


@pytest.mark.parametrize("headers", [STANDARD, KIT])
@pytest.mark.parametrize(
    ("received", "change"),
    [
        (json.dumps(json.loads(BODY)).encode(), "parsed and written again"),
        (json.dumps(json.loads(BODY), indent=2, ensure_ascii=False).encode(), "parsed and written again"),
        (BODY + b"\n", "a line break was added"),
        (b"\xef\xbb\xbf" + BODY, "byte order mark"),
    ],
)
def test_a_body_that_was_written_again_is_named(headers: dict[str, str], received: bytes, change: str) -> None:
    found = verdict(headers, received)
    assert found.wrong == "body"
    assert change in found.message


def test_data_that_the_platform_printed_with_spaces_is_recognised_inside_our_own_envelope() -> None:
    body = b'{"type":"contact.tag_added","data":' + json.dumps(DATA, ensure_ascii=False).encode() + b"}"
    headers = signed_headers([KEY.key], "msg-1", NOW, body)
    assert "the secret is right" in verdict(headers, BODY).message


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (BODY[:-5], "not whole JSON"),
        (b"", "empty"),
        (json.dumps(json.loads(BODY), sort_keys=True).encode(), "in another way"),
    ],
)
def test_a_body_that_cannot_be_restored_is_suspected(received: bytes, words: str) -> None:
    found = verdict(STANDARD, received)
    assert found.wrong == "body"
    assert words in found.message


@pytest.mark.parametrize("headers", [STANDARD, KIT])
def test_an_untouched_body_that_another_secret_signed_is_the_secrets_fault(headers: dict[str, str]) -> None:
    assert verdict(headers, secret=encode_secret(b"n" * 32)).wrong == "secret"


@pytest.mark.parametrize(
    ("secret", "words"),
    [("hello", "starts with whsec_"), ("whsec_!", "base64"), ("whsec_aaaa", "24 to 64 bytes"), ("whpk_aaaa", "32")],
)
def test_what_is_no_secret_is_named(secret: str, words: str) -> None:
    found = verdict(STANDARD, secret=secret)
    assert found.wrong == "secret"
    assert words in found.message


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content-type": "application/json"}, "there is no signature"),
        ({name: value for name, value in STANDARD.items() if name != "webhook-id"}, "missing webhook-id"),
        ({**STANDARD, "webhook-timestamp": "soon"}, "unix seconds"),
        ({**STANDARD, "webhook-signature": "v1"}, "must hold signatures"),
        ({"x-kit-signature": "v1=abc"}, "t=<unix seconds>"),
    ],
)
def test_headers_that_nobody_could_verify_are_named(headers: dict[str, str], words: str) -> None:
    found = verdict(headers)
    assert found.wrong == "headers"
    assert words in found.message
