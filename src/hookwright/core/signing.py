"""Standard Webhooks signatures: v1 (HMAC-SHA256), and the texts of v1a (Ed25519), whose arithmetic is elsewhere.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache

from hookwright.core.model import SignatureScheme

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of every secret
PUBLIC_KEY_PREFIX = "whpk_"
PUBLIC_KEY_BYTES = 32
REMEMBERED_KEYS = 1024
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64


def encode_secret(key: bytes) -> str:
    """The `whsec_` form of a signing key of 24 to 64 bytes."""
    return SECRET_PREFIX + b64encode(key).decode()


def decode_secret(text: str) -> bytes:
    """The key inside a `whsec_` secret. Raises ValueError when it is not one."""
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(f"a signing secret starts with {SECRET_PREFIX}")
    try:
        key = b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:
        raise ValueError("a signing secret is base64 after its prefix") from error
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"a signing secret holds {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes")
    return key


def sign(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,` entry for each live key, separated by spaces.

    `timestamp` is unix seconds, the value of the `webhook-timestamp` header of the same request.
    """
    signed = signed_content(message_id, timestamp, body)
    return join_signatures("v1", (_hmac(key, signed) for key in keys))


def _hmac(key: bytes, signed: bytes) -> bytes:
    authenticator = _begun_with(key).copy()
    authenticator.update(signed)
    return authenticator.digest()


@lru_cache(REMEMBERED_KEYS)
def _begun_with(key: bytes) -> hmac.HMAC:
    # Both hashes have taken the key in: that is half the cost of signing a short body, and the same for every body.
    return hmac.new(key, digestmod=hashlib.sha256)


def signed_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    """The bytes that a signature of either scheme covers."""
    return b"%b.%d.%b" % (message_id.encode(), timestamp, body)


def join_signatures(scheme: SignatureScheme, signatures: Iterable[bytes]) -> str:
    """The `webhook-signature` header: `v1,<base64> v1,<base64>`."""
    return " ".join(f"{scheme},{b64encode(signature).decode()}" for signature in signatures)


def encode_public_key(key: bytes) -> str:
    """The `whpk_` form of an Ed25519 public key, which a receiver verifies v1a with."""
    return PUBLIC_KEY_PREFIX + b64encode(key).decode()


def decode_public_key(text: str) -> bytes:
    """The key inside a `whpk_` public key. Raises ValueError when it is not one."""
    try:
        key = b64decode(text.strip().removeprefix(PUBLIC_KEY_PREFIX), validate=True)
    except ValueError as error:
        raise ValueError("a public key is base64 after its prefix") from error
    if len(key) != PUBLIC_KEY_BYTES:
        raise ValueError(f"a public key holds {PUBLIC_KEY_BYTES} bytes")
    return key


def signed_headers(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three Standard Webhooks headers of one request, signed by v1."""
    return signature_headers(message_id, timestamp, sign(keys, message_id, timestamp, body))


def signature_headers(message_id: str, timestamp: int, signature: str) -> dict[str, str]:
    """The three Standard Webhooks headers with a signature that is made already."""
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
