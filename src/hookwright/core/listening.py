"""Listeners: endpoints that fetch what is sent to them, instead of being dialled.

Their URL names nothing that could be dialled, `listen://<endpoint id>`, and nobody can give one: it is ours to make.
"""

from msgspec import Struct

from hookwright.core.model import Instant

LISTENER_SCHEME = "listen://"


class HeldRequest(Struct, frozen=True, kw_only=True):
    """A request that waits for its listener to fetch and answer it."""

    id: int
    endpoint_id: int
    headers: dict[str, str]
    body: bytes
    expires_at: Instant  # nobody waits for the answer any more from then on


class ListenersAnswer(Struct, frozen=True, kw_only=True):
    """What a request came to where the listener runs: a status, or an error in place of an answer."""

    status_code: int | None = None
    body: bytes = b""
    retry_after: str | None = None  # the header, as it came
    error: str | None = None
    detail: str | None = None


def listener_url(endpoint_id: int) -> str:
    """The URL of an endpoint that fetches."""
    return f"{LISTENER_SCHEME}{endpoint_id}"


def is_listener_url(url: str) -> bool:
    """Whether an endpoint with this URL fetches what is sent to it."""
    return url.startswith(LISTENER_SCHEME)


def listener_of(url: str) -> int:
    """The id of the endpoint that has this URL."""
    return int(url.removeprefix(LISTENER_SCHEME))
