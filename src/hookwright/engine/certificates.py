"""What is wrong with a certificate that was refused, in words.

The receiver wrote it, and nobody need have signed it: OpenSSL compares the names before it looks at the signature.
"""

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hookwright.core.model import SECOND
from hookwright.core.times import iso_seconds

MOST_NAMES = 5
MOST_OF_A_NAME = 253  # as many characters as a host name has (RFC 1035 §2.3.4, without the dot of the root)

# OpenSSL's X509_V_ERR_… (x509_vfy.h).
NOT_YET_VALID, HAS_EXPIRED, HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH = 9, 10, 62, 64


def refusal_of(error: ssl.SSLCertVerificationError) -> str:
    """OpenSSL's reason, with the date or the names of the certificate that make it plain."""
    certificate: Mapping[str, Any] = getattr(error, "refused_certificate", {})
    remark = None
    with suppress(Exception):  # whatever stands in it, the refusal itself is told
        remark = _remark(error.verify_code, certificate)
    return f"{error.verify_message} ({remark})" if remark else str(error.verify_message)


def _remark(code: int, certificate: Mapping[str, Any]) -> str | None:
    if code == HAS_EXPIRED and "notAfter" in certificate:
        return f"on {_date(certificate['notAfter'])}"
    if code == NOT_YET_VALID and "notBefore" in certificate:
        return f"from {_date(certificate['notBefore'])} on"
    if code in (HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH):
        names = [_printable(str(value)) for _, value in certificate.get("subjectAltName", ())]
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return f"it is for {', '.join(names[:MOST_NAMES])}{more}" if names else "it is for no name"
    return None


def _printable(name: str) -> str:
    return re.sub(r"[^ -~]", "?", name[:MOST_OF_A_NAME])


def _date(text: str) -> str:
    return iso_seconds(ssl.cert_time_to_seconds(text) * SECOND)
