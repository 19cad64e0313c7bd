"""Limits: how large a request may be and how many a credential may make."""

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from hookwright.ambient import Clock
from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import MINUTE, SECOND, Instant
from hookwright.core.nesting import MAX_DEPTH, is_nested_deeper

MAX_BODY_BYTES = 256 * 1024

# Some levels more than what a body carries, which is refused at a place of its own.
MAX_BODY_DEPTH = MAX_DEPTH + 8
_TOO_DEEP = Problem("", f"the body is nested too deeply (at most {MAX_BODY_DEPTH} levels)", "malformed")


class BodyTooLarge(Exception):
    """A request body over the limit; each surface answers 413 in its own shape."""


async def read_body(request: Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """The whole request body. Raises BodyTooLarge as soon as it exceeds the limit, whatever its headers said."""
    return await receive_body(request.receive, limit)


async def receive_body(receive: Receive, limit: int = MAX_BODY_BYTES) -> bytes:
    """As `read_body`, from the connection itself. Raises ClientDisconnect too, when the body ends early."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def parse_json(body: bytes) -> object:
    """The JSON value of a body. Raises Invalid, with the pointer "", when it is none or is nested too deeply.

    Of a member that is there twice the last counts.
    """
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(Problem("", f"the body is not valid JSON: {error}", "malformed")) from None
    except RecursionError:
        raise Invalid(_TOO_DEEP) from None
    if is_nested_deeper(value, MAX_BODY_DEPTH):
        raise Invalid(_TOO_DEEP)
    return value


class TooManyRequests(Exception):
    """One request too many for its credential; a surface that raises it answers 429 in its own shape."""

    def __init__(self, seconds_left: int) -> None:
        super().__init__(f"too many requests; try again in {seconds_left} seconds")
        self.seconds_left = seconds_left


WINDOW: Instant = MINUTE


class RateLimiter:
    """So many requests a minute for each credential, counted in fixed windows in this process."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._window_number = -1
        self._counts: dict[object, int] = {}

    def admits(self, credential: object) -> bool:
        """Count one request; False when it is one too many."""
        window_number = self._clock.now() // WINDOW
        if window_number != self._window_number:
            self._window_number, self._counts = window_number, {}
        count = self._counts.get(credential, 0) + 1
        self._counts[credential] = count
        return count <= self._limit

    def seconds_left(self) -> int:
        """Until the next window begins, for a Retry-After header."""
        return (WINDOW - self._clock.now() % WINDOW) // SECOND + 1
