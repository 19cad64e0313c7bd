"""Cursors: where a page of a list ended. Opaque to callers; a mangled one is a 422, never a fault."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from hookwright.core.errors import Invalid, Problem
from hookwright.core.lanes import MAX_ID

DEFAULT_LIMIT, MAX_LIMIT = 50, 100

T = TypeVar("T")

_decoder = msgspec.json.Decoder(list[int])


def encode_cursor(place: Sequence[int]) -> str:
    """The cursor of a row: base64url of a JSON list of the numbers that the list is ordered by."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode_cursor(text: str, length: int) -> tuple[int, ...]:
    """The `length` numbers inside a cursor. Raises Invalid with the pointer `/cursor`."""
    try:
        place = _decoder.decode(b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except ValueError:  # of base64, of a text that is not ASCII, or of msgspec
        place = []
    if len(place) != length or not all(0 <= number <= MAX_ID for number in place):
        raise Invalid(Problem("/cursor", "is not a cursor of this list"))
    return tuple(place)


def cut(found: Sequence[T], limit: int, place_of: Callable[[T], Sequence[int]]) -> tuple[Sequence[T], str | None]:
    """One page of what a query found when it was asked for one row more than the page holds, and the next cursor."""
    if len(found) <= limit:
        return found, None
    page = found[:limit]
    return page, encode_cursor(place_of(page[-1]))
