"""Checking one request as its receiver would, whichever of the schemes signed it."""

from collections.abc import Mapping

from hookwright.core.verdicts import TOLERANCE_SECONDS, Verdict, judge, unreadable
from hookwright.dialects.kit.verification import read_signed as read_signed_by_kit
from hookwright.dialects.standard.verification import read_signed as read_standard

READERS = (read_standard, read_signed_by_kit)

UNSIGNED = "there is no signature: no webhook-id, webhook-timestamp and webhook-signature, and no x-kit-signature"


def verify(
    headers: Mapping[str, str], body: bytes, secret: str, now: int, tolerance: int = TOLERANCE_SECONDS
) -> Verdict:
    """Whether a request verifies, and if not, which part of it is wrong. `now` is unix seconds.

    `secret` is the `whsec_…` of the endpoint or account, or the `whpk_…` of an endpoint that signs by v1a.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        signed = next((found for read in READERS if (found := read(named)) is not None), None)
    except ValueError as error:
        return unreadable(str(error))
    return unreadable(UNSIGNED) if signed is None else judge(signed, secret, body, now, tolerance)
