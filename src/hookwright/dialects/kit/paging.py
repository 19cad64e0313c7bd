"""Kit's cursor paging: newest first, a cursor is the base64 of a JSON array of one id (`WzJd` is `[2]`).

Source: Kit openapi v4.json, "List webhooks"; null cursors of an empty list as recorded by linyiru/kit-rb.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from hookwright.core.errors import Invalid, Problem
from hookwright.core.lanes import MAX_ID
from hookwright.core.model import Delivery, Endpoint

DEFAULT_PER_PAGE, MAX_PER_PAGE = 500, 1000

# Kit's PHP SDK sends booleans as 1 and 0.
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class PageRequest(NamedTuple):
    """Which page: ids strictly below `after`, strictly above `before`, so many, and whether to count them all."""

    after: int | None = None
    before: int | None = None
    per_page: int = DEFAULT_PER_PAGE
    count_all: bool = False

    @property
    def walks_back(self) -> bool:
        """Whether it asks for what comes right before a cursor."""
        return self.before is not None and self.after is None


Item = TypeVar("Item", Endpoint, Delivery)
Place = TypeVar("Place")


class Stretch(NamedTuple, Generic[Place]):
    """A part of a list: what lies between two places, without them, from its newest end or its oldest."""

    newer_than: Place | None = None
    older_than: Place | None = None
    oldest_first: bool = False
    limit: int = 1


class Listing(Protocol[Item, Place]):
    """A list that pages can be cut from. A place is where in it something stands; a cursor names it by an id."""

    async def place_at(self, name: str, id: int) -> Place:
        """The place that a cursor names. Raises Invalid with the parameter's name."""
        ...

    def place_of(self, item: Item) -> Place: ...

    async def read(self, stretch: Stretch[Place]) -> list[Item]: ...

    async def count(self) -> int:
        """How long the whole list is."""
        ...


class Page(NamedTuple, Generic[Item]):
    """Items, newest first, and the `pagination` object that goes with them."""

    items: list[Item]
    pagination: dict[str, Any]


def parse_page_request(
    after: str | None, before: str | None, per_page: str | None, include_total_count: str | None
) -> PageRequest:
    """The page that query parameters ask for; empty ones count as absent. Raises Invalid with the client's text."""
    return PageRequest(
        after=_parse_cursor("after", after) if after else None,
        before=_parse_cursor("before", before) if before else None,
        per_page=_parse_per_page(per_page) if per_page else DEFAULT_PER_PAGE,
        count_all=parse_boolean("include_total_count", include_total_count) if include_total_count else False,
    )


async def read_page(listing: Listing[Item, Place], page: PageRequest) -> Page[Item]:
    """One page of a list. Raises Invalid for a cursor of another list."""
    between = Stretch(
        newer_than=None if page.before is None else await listing.place_at("before", page.before),
        older_than=None if page.after is None else await listing.place_at("after", page.after),
        oldest_first=page.walks_back,
        limit=page.per_page + 1,  # one more than the page holds tells whether another page follows
    )
    found = await listing.read(between)
    items, more = found[: page.per_page], len(found) > page.per_page
    if page.walks_back:
        items.reverse()
    previous, following = await _neighbours(listing, page, items, more)
    total = await listing.count() if page.count_all else None
    return Page(items, pagination_of([item.id for item in items], previous, following, page, total))


def pagination_of(
    ids: Sequence[int], previous: bool, following: bool, page: PageRequest, total: int | None
) -> dict[str, Any]:
    """The `pagination` object of a page that shows these ids; `total` only if the request wants it."""
    pagination: dict[str, Any] = {
        "has_previous_page": previous,
        "has_next_page": following,
        "start_cursor": cursor_of(ids[0]) if ids else None,
        "end_cursor": cursor_of(ids[-1]) if ids else None,
        "per_page": page.per_page,
    }
    return {**pagination, "total_count": total} if page.count_all else pagination


def cursor_of(id: int) -> str:
    """The cursor that stands at an id."""
    return b64encode(b"[%d]" % id).decode()


async def _neighbours(
    listing: Listing[Item, Place], page: PageRequest, items: Sequence[Item], more: bool
) -> tuple[bool, bool]:
    """Whether anything comes before the page and after it; what lies behind a cursor has to be looked up."""
    if page.after is None and page.before is None:
        return False, more
    if not items:
        # Nothing lies beyond the cursor, so whatever there is lies on its other side.
        anything = bool(await listing.read(Stretch()))
        return anything and not page.walks_back, anything and page.walks_back
    newest, oldest = listing.place_of(items[0]), listing.place_of(items[-1])
    previous = more if page.walks_back else bool(await listing.read(Stretch(newer_than=newest)))
    following = more if page.before is None else bool(await listing.read(Stretch(older_than=oldest)))
    return previous, following


def _parse_cursor(name: str, text: str) -> int:
    try:
        (id,) = msgspec.json.decode(b64decode(text + "=" * (-len(text) % 4), validate=True), type=tuple[int])
    except (Base64Error, ValueError):  # msgspec's DecodeError is a ValueError, and so is non-ASCII base64
        raise refused(name, "is not a cursor of this list") from None
    if not 0 <= id <= MAX_ID:
        raise refused(name, "is not a cursor of this list")
    return int(id)


def _parse_per_page(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit():
        raise refused("per_page", "must be an integer")
    # Over the maximum the vendor's behaviour is not documented: we give what we can and say how many that is.
    return 1 if text.startswith("-") else max(1, min(int(digits[:100]), MAX_PER_PAGE))


def parse_boolean(name: str, text: str) -> bool:
    """A parameter of a query or a form that says yes or no. Raises Invalid with the client's text."""
    if text.lower() not in _BOOLEANS:
        raise refused(name, "must be true or false")
    return _BOOLEANS[text.lower()]


def refused(name: str, message: str) -> Invalid:
    """The refusal of a parameter. Kit's errors are texts alone, so it is the text that names it."""
    return Invalid(Problem("", f"`{name}` {message}"))
