"""Reading the headers of Standard Webhooks, as a receiver does; v1 and v1a."""

import hmac
from base64 import b64decode
from collections.abc import Mapping

from hookwright.core.signing import PUBLIC_KEY_PREFIX, decode_public_key, decode_secret, sign, signed_content
from hookwright.core.verdicts import Signed
from hookwright.ed25519 import is_signed_by

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def read_signed(headers: Mapping[str, str]) -> Signed | None:
    """What these headers, named in lower case, say; None for another scheme's. Raises ValueError for half of them."""
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if name not in headers]
    if len(missing) == 3:
        return None
    if missing:
        raise ValueError(f"missing {' and '.join(missing)}; a proxy may have dropped it")
    if not headers[TIMESTAMP].isdecimal():
        raise ValueError(f"{TIMESTAMP} must be unix seconds, not {headers[TIMESTAMP]!r}")
    message_id, timestamp = headers[ID], int(headers[TIMESTAMP])
    entries = [tuple(entry.split(",", 1)) for entry in headers[SIGNATURE].split()]
    signatures = [(entry[0], entry[1]) for entry in entries if len(entry) == 2]
    if not signatures or not all(_is_base64(text) for _, text in signatures):
        raise ValueError(f"{SIGNATURE} must hold signatures: v1, or v1a, a comma and base64 each")

    def is_by(secret: str, body: bytes) -> bool:
        if secret.startswith(PUBLIC_KEY_PREFIX):
            key, content = decode_public_key(secret), signed_content(message_id, timestamp, body)
            return any(is_signed_by(key, content, each) for each in _of_scheme("v1a", signatures))
        expected = sign([decode_secret(secret.strip())], message_id, timestamp, body)
        found = (f"v1,{each}" for scheme, each in signatures if scheme == "v1")
        _require_scheme("v1", signatures)
        return any(hmac.compare_digest(expected.encode(), each.encode()) for each in found)

    return Signed(scheme=f"Standard Webhooks {signatures[0][0]}", timestamp=timestamp, is_by=is_by)


def _of_scheme(scheme: str, signatures: list[tuple[str, str]]) -> list[bytes]:
    _require_scheme(scheme, signatures)
    return [b64decode(text) for name, text in signatures if name == scheme]


def _require_scheme(scheme: str, signatures: list[tuple[str, str]]) -> None:
    if all(name != scheme for name, _ in signatures):
        cure = "its public key, whpk_…, verifies it" if scheme == "v1" else "its secret, whsec_…, verifies it"
        raise ValueError(f"the request is signed by {signatures[0][0]}: {cure}")


def _is_base64(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True
