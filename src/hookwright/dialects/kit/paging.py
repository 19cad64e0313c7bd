"""Kit's cursor paging: newest first, a cursor is the base64 of a JSON array of one id (`WzJd` is `[2]`).

Source: Kit openapi v4.json, "List webhooks"; null cursors of an empty list as recorded by linyiru/kit-rb.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any, NamedTuple

import msgspec

from hookwright.core.errors import Invalid, Problem
from hookwright.core.lanes import MAX_ID
from hookwright.core.model import Endpoint
from hookwright.store.base import EndpointQuery, Store

DEFAULT_PER_PAGE, MAX_PER_PAGE = 500, 1000

# Kit's PHP SDK sends booleans as 1 and 0.
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class PageRequest(NamedTuple):
    """Which page: ids strictly below `after`, strictly above `before`, so many, and whether to count them all."""

    after: int | None = None
    before: int | None = None
    per_page: int = DEFAULT_PER_PAGE
    count_all: bool = False


class Page(NamedTuple):
    """Endpoints, newest first, and the `pagination` object that goes with them."""

    endpoints: list[Endpoint]
    pagination: dict[str, Any]


def parse_page_request(
    after: str | None, before: str | None, per_page: str | None, include_total_count: str | None
) -> PageRequest:
    """The page that query parameters ask for; empty ones count as absent. Raises Invalid with the client's text."""
    return PageRequest(
        after=_parse_cursor("after", after) if after else None,
        before=_parse_cursor("before", before) if before else None,
        per_page=_parse_per_page(per_page) if per_page else DEFAULT_PER_PAGE,
        count_all=_parse_boolean("include_total_count", include_total_count) if include_total_count else False,
    )


async def read_page(store: Store, filters: EndpointQuery, page: PageRequest) -> Page:
    """One page of the endpoints that pass the filters."""
    endpoints, more = await _read_endpoints(store, filters, page)
    previous, following = await _neighbours(store, filters, page, endpoints, more)
    pagination: dict[str, Any] = {
        "has_previous_page": previous,
        "has_next_page": following,
        "start_cursor": cursor_of(endpoints[0].id) if endpoints else None,
        "end_cursor": cursor_of(endpoints[-1].id) if endpoints else None,
        "per_page": page.per_page,
    }
    if page.count_all:
        pagination["total_count"] = await store.count_endpoints(filters)
    return Page(endpoints, pagination)


def cursor_of(id: int) -> str:
    """The cursor that stands at an id."""
    return b64encode(b"[%d]" % id).decode()


def _walks_back(page: PageRequest) -> bool:
    return page.before is not None and page.after is None


async def _read_endpoints(store: Store, filters: EndpointQuery, page: PageRequest) -> tuple[list[Endpoint], bool]:
    """The page's endpoints, and whether there are more in the direction that it walks."""
    walks_back = _walks_back(page)
    # One more than the page holds tells whether another page follows.
    query = msgspec.structs.replace(
        filters, below=page.after, above=page.before, ascending=walks_back, limit=page.per_page + 1
    )
    found = await store.endpoints(query)
    endpoints = found[: page.per_page]
    return (endpoints[::-1] if walks_back else endpoints), len(found) > page.per_page


async def _neighbours(
    store: Store, filters: EndpointQuery, page: PageRequest, endpoints: list[Endpoint], more: bool
) -> tuple[bool, bool]:
    """Whether anything comes before the page and after it; what lies behind a cursor has to be looked up."""
    if page.after is None and page.before is None:
        return False, more
    if page.after is not None and page.before is not None and endpoints:
        newest, oldest = endpoints[0].id, endpoints[-1].id
        return await _any(store, filters, above=newest), await _any(store, filters, below=oldest)
    if _walks_back(page):
        behind = endpoints[-1].id if endpoints else (page.before or 0) + 1
        return more, await _any(store, filters, below=behind)
    behind = endpoints[0].id if endpoints else (page.after or 0) - 1
    return await _any(store, filters, above=behind), more


async def _any(store: Store, filters: EndpointQuery, above: int | None = None, below: int | None = None) -> bool:
    return bool(await store.endpoints(msgspec.structs.replace(filters, above=above, below=below, limit=1)))


def _parse_cursor(name: str, text: str) -> int:
    try:
        (id,) = msgspec.json.decode(b64decode(text + "=" * (-len(text) % 4), validate=True), type=tuple[int])
    except (Base64Error, ValueError):  # msgspec's DecodeError is a ValueError, and so is non-ASCII base64
        raise _refused(name, "is not a cursor of this list") from None
    if not 0 <= id <= MAX_ID:
        raise _refused(name, "is not a cursor of this list")
    return int(id)


def _parse_per_page(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit():
        raise _refused("per_page", "must be an integer")
    # Over the maximum the vendor's behaviour is not documented: we give what we can and say how many that is.
    return 1 if text.startswith("-") else max(1, min(int(digits[:100]), MAX_PER_PAGE))


def _parse_boolean(name: str, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise _refused(name, "must be true or false")
    return _BOOLEANS[text.lower()]


def _refused(name: str, message: str) -> Invalid:
    return Invalid(Problem(f"/{name}", f"`{name}` {message}"))
