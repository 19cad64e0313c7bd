"""What a sending can come to other than an answer.

These are the codes in `Outcome.error`. They are the receiver's failures, or its network's; only `not_made` is ours.

| code                | what happened                                                    | was it sent? |
|---------------------|------------------------------------------------------------------|--------------|
| address_not_allowed | the URL, or an address its name resolves to, is refused; no dial | no           |
| dns_failed          | the name has no address, or was not resolved in time             | no           |
| connect_refused     | the receiver's machine refused the connection                    | no           |
| connect_timeout     | no connection, TLS included, within `connect_seconds`            | no           |
| connect_failed      | the network could not reach the receiver                         | no           |
| tls_failed          | the certificate or the handshake is not acceptable, to either    | no           |
| timeout             | no whole head of an answer within `total_seconds`                | perhaps      |
| reset               | the connection was closed before the head of an answer was whole | perhaps      |
| bad_answer          | not an HTTP/1.1 answer, or its head is beyond our limits         | yes          |
| no_listener         | nobody fetches for an endpoint whose requests are fetched        | no           |
| not_made            | our request could not be made: its secret does not open, say     | no           |

An answer of any status, redirects and 5xx included, is an answer: a status code and no error. So is one whose body
comes too late, breaks off or is no HTTP, since only the status is asked for; `detail` says so.
"""

import ssl
from typing import Literal

from hookwright.core.addresses import ADDRESS_NOT_ALLOWED

SendError = Literal[
    "address_not_allowed",
    "dns_failed",
    "connect_refused",
    "connect_timeout",
    "connect_failed",
    "tls_failed",
    "timeout",
    "reset",
    "bad_answer",
    "no_listener",
    "not_made",
]


class SendFailed(Exception):
    """No answer; becomes the outcome's `error` and `detail` and never leaves the sender."""

    def __init__(self, error: SendError, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail


class NotAllowed(SendFailed):
    """The URL, or an address that its name resolves to, is refused: one text, and one timing, whatever the reason."""

    def __init__(self) -> None:
        super().__init__("address_not_allowed", ADDRESS_NOT_ALLOWED)


class Unanswered(SendFailed):
    """The connection ended before the first byte of an answer."""

    def __init__(
        self, error: SendError = "reset", detail: str = "the connection was closed before an answer"
    ) -> None:
        super().__init__(error, detail)


def tls_reason(error: ssl.SSLError) -> str:
    """What OpenSSL says of it, in words."""
    return (error.reason or "unknown reason").replace("_", " ").lower()
