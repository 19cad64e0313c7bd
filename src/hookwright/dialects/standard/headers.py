"""The headers of a request to one of Hookwright's own endpoints, signed by v1 or v1a.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Mapping

from hookwright.core.model import SECOND, Instant, Parcel, SigningKey
from hookwright.core.signing import join_signatures, signature_headers, signed_content
from hookwright.dialects.base import USER_AGENT, standard_headers
from hookwright.ed25519 import sign_ed25519


def headers_of(parcel: Parcel, keys: tuple[SigningKey, ...], now: Instant) -> Mapping[str, str]:
    """JSON, signed with every live key in the endpoint's scheme."""
    if parcel.first.signature == "v1a":
        return _asymmetric_headers(parcel, keys, now)
    return standard_headers(parcel, keys, now)


def _asymmetric_headers(parcel: Parcel, keys: tuple[SigningKey, ...], now: Instant) -> dict[str, str]:
    message_id, timestamp = parcel.first.message_id, now // SECOND
    content = signed_content(message_id, timestamp, parcel.body)
    signature = join_signatures("v1a", (sign_ed25519(key.key, content) for key in keys))
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signature_headers(message_id, timestamp, signature),
    }
