"""Reading the signature of Kit's webhook endpoints, as a receiver does."""

import hmac
from collections.abc import Mapping

from hookwright.core.verdicts import Signed
from hookwright.dialects.kit.envelopes import kit_signature

SIGNATURE = "x-kit-signature"


def read_signed(headers: Mapping[str, str]) -> Signed | None:
    """What this header says; None for another scheme's. Raises ValueError when it is not as Kit writes it."""
    text = headers.get(SIGNATURE)
    if text is None:
        return None
    parts = [tuple(part.strip().split("=", 1)) for part in text.split(",")]
    times = [part[1] for part in parts if len(part) == 2 and part[0] == "t"]
    digests = [part[1] for part in parts if len(part) == 2 and part[0] == "v1"]
    if len(times) != 1 or not times[0].isdecimal() or not digests:
        raise ValueError(f"{SIGNATURE} must be t=<unix seconds>,v1=<hex>, not {text!r}")
    timestamp = int(times[0])

    def is_by(secret: str, body: bytes) -> bool:
        expected = kit_signature([secret], timestamp, body).partition(",v1=")[2]
        return any(hmac.compare_digest(expected.encode(), digest.encode()) for digest in digests)

    return Signed(scheme="Kit", timestamp=timestamp, is_by=is_by)
