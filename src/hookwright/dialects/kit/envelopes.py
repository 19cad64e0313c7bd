"""How Kit's webhook endpoints are sent to: the envelope, its signature, the headers, the retries.

Sources: developers.kit.com "Delivery format", "Verifying signatures" and "Retries"; linyiru/kit-rb
`lib/kit/webhooks/delivery.rb`.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from hookwright.core.model import SECOND, Claim, Instant, Parcel, SigningKey, WireForm

# Events in one request; all of them are of one type.
BATCH_LIMIT = 100

# Seconds before each of the eight attempts: at once, then 30 s, 2 min, 15 min, 1 h, 4 h, 12 h, 24 h.
RETRY_SCHEDULE = (0, 30, 120, 900, 3_600, 14_400, 43_200, 86_400)

USER_AGENT = "Kit-Webhooks/2.0"
DELIVERY_HEADER = "X-Kit-Delivery"


def kit_signature(secrets: Iterable[str], timestamp: int, body: bytes) -> str:
    """The `X-Kit-Signature` header: `t=<unix seconds>,v1=<hex>`, with one `v1` for each secret, in their order.

    The key is the whole text of a secret, its `whsec_` included: Kit does not decode it.
    """
    signed = b"%d.%b" % (timestamp, body)
    digests = (hmac.digest(secret.encode(), signed, hashlib.sha256).hex() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])


def envelope(claims: Sequence[Claim]) -> bytes:
    """`{"delivery_id": …, "events": […]}` of the claims that go out together."""
    return b'{"delivery_id":%d,"events":[%b]}' % (_delivery_id(claims[0]), b",".join(claim.body for claim in claims))


def endpoint_headers(parcel: Parcel, keys: tuple[SigningKey, ...], now: Instant) -> dict[str, str]:
    """The headers of one request, signed with every live secret of the endpoint."""
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        DELIVERY_HEADER: str(_delivery_id(parcel.first)),
        "X-Kit-Signature": kit_signature([key.secret for key in keys], now // SECOND, parcel.body),
    }


def _delivery_id(first: Claim) -> int:
    return first.delivery_id if first.batch_id is None else first.batch_id


# Kit documents the schedule to the second, and of a 410 only that the delivery has failed. What disables an endpoint,
# it documents nowhere but in the update that its owner makes.
ENDPOINT_FORM = WireForm(
    headers=endpoint_headers,
    own_secret=True,
    envelope=envelope,
    batch_limit=BATCH_LIMIT,
    retry_schedule=RETRY_SCHEDULE,
    exact_schedule=True,
    may_disable=False,
    delivery_header=DELIVERY_HEADER,
)
