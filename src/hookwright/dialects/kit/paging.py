"""Kit's cursor paging: newest first, a cursor is the base64 of a JSON array of one id (`WzJd` is `[2]`).

Source: Kit openapi v4.json, "List webhooks"; null cursors of an empty list as recorded by linyiru/kit-rb.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
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

    @property
    def walks_back(self) -> bool:
        """Whether it asks for what comes right before a cursor."""
        return self.before is not None and self.after is None


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
        count_all=parse_boolean("include_total_count", include_total_count) if include_total_count else False,
    )


async def read_page(store: Store, filters: EndpointQuery, page: PageRequest) -> Page:
    """One page of the endpoints that pass the filters."""
    endpoints, more = await _read_endpoints(store, filters, page)
    previous, following = await _neighbours(store, filters, page, endpoints, more)
    total = await store.count_endpoints(filters) if page.count_all else None
    return Page(endpoints, pagination_of([endpoint.id for endpoint in endpoints], previous, following, page, total))


def cut_page(endpoints: Sequence[Endpoint], page: PageRequest) -> Page:
    """One page of endpoints that are all at hand, newest first."""
    between = [
        endpoint
        for endpoint in endpoints
        if (page.after is None or endpoint.id < page.after) and (page.before is None or endpoint.id > page.before)
    ]
    shown = between[-page.per_page :] if page.walks_back else between[: page.per_page]
    newest, oldest = (shown[0].id, shown[-1].id) if shown else _where_nothing_is(page)
    previous = any(endpoint.id > newest for endpoint in endpoints)
    following = any(endpoint.id < oldest for endpoint in endpoints)
    return Page(shown, pagination_of([endpoint.id for endpoint in shown], previous, following, page, len(endpoints)))


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


def _where_nothing_is(page: PageRequest) -> tuple[int, int]:
    """Between which ids an empty page lies: it has nothing newer than the first, nothing older than the second."""
    if page.walks_back:
        return MAX_ID, (page.before or 0) + 1
    return MAX_ID if page.after is None else page.after - 1, 0


async def _read_endpoints(store: Store, filters: EndpointQuery, page: PageRequest) -> tuple[list[Endpoint], bool]:
    """The page's endpoints, and whether there are more in the direction that it walks."""
    # One more than the page holds tells whether another page follows.
    query = msgspec.structs.replace(
        filters, below=page.after, above=page.before, ascending=page.walks_back, limit=page.per_page + 1
    )
    found = await store.endpoints(query)
    endpoints = found[: page.per_page]
    return (endpoints[::-1] if page.walks_back else endpoints), len(found) > page.per_page


async def _neighbours(
    store: Store, filters: EndpointQuery, page: PageRequest, endpoints: list[Endpoint], more: bool
) -> tuple[bool, bool]:
    """Whether anything comes before the page and after it; what lies behind a cursor has to be looked up."""
    if page.after is None and page.before is None:
        return False, more
    if page.after is not None and page.before is not None and endpoints:
        newest, oldest = endpoints[0].id, endpoints[-1].id
        return await _any(store, filters, above=newest), await _any(store, filters, below=oldest)
    if page.walks_back:
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
    """A query parameter that says yes or no. Raises Invalid with the client's text."""
    if text.lower() not in _BOOLEANS:
        raise refused(name, "must be true or false")
    return _BOOLEANS[text.lower()]


def refused(name: str, message: str) -> Invalid:
    """The refusal of a parameter. Kit's errors are texts alone, so it is the text that names it."""
    return Invalid(Problem("", f"`{name}` {message}"))
