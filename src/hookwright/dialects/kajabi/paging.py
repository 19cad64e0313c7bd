"""Pages of a list, and the links and meta that describe them.

Kajabi shows three shapes of `meta` and two of `links`; this is their union. The rules are those of the gem
jsonapi.rb: a number or size that is none falls back to the default, and links that lead nowhere are left out.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlencode

from starlette.requests import Request

from hookwright.dialects.kajabi.documents import Document

DEFAULT_SIZE = 30  # as in jsonapi.rb
MAX_SIZE = 100  # as for Kajabi's contact notes, the only list that states a maximum
MAX_NUMBER = 10**12  # so that an offset always fits in the database's integers

_ESCAPED_BRACKET = re.compile("%5[BD]", re.IGNORECASE)


class Page(NamedTuple):
    """One page of a list of `total` things; numbers count from 1."""

    number: int
    size: int
    total: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        return -(-self.total // self.size)


def page_of(params: Mapping[str, str], total: int) -> Page:
    """The page that `page[number]` and `page[size]` ask for."""
    number = _positive(params.get("page[number]")) or 1
    size = _positive(params.get("page[size]")) or DEFAULT_SIZE
    return Page(min(number, MAX_NUMBER), min(size, MAX_SIZE), total)


def page_document(request: Request, page: Page, data: list[Document]) -> Document:
    """A list as a document: its data, its links and its meta."""
    meta = {
        "total": page.total,
        "total_count": page.total,
        "total_pages": page.last,
        "current_page": page.number,
    }
    return {"data": data, "links": _links(request, page), "meta": meta}


def _links(request: Request, page: Page) -> dict[str, str]:
    numbers = {"current": page.number}
    if page.number > 1:
        numbers |= {"first": 1, "prev": page.number - 1}
    if page.number < page.last:
        numbers |= {"next": page.number + 1, "last": page.last}
    return {"self": _asked(request)} | {name: _link(request, number) for name, number in numbers.items()}


def _link(request: Request, number: int) -> str:
    """This request for another page. Brackets stay as they are, as in Kajabi's links."""
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "page[number]"]
    query = urlencode(sorted([*others, ("page[number]", str(number))]), safe="[]")
    return f"{_asked(request).partition('?')[0]}?{query}"


def _asked(request: Request) -> str:
    """The URL that a client asked for, its brackets as they are.

    As in Rails the scheme is what a proxy before us says of its own connection: a client follows these links. Who
    makes that header up misleads nobody else.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    url = request.url.replace(scheme="https") if forwarded == "https" else request.url
    return _ESCAPED_BRACKET.sub(lambda escaped: unquote(escaped[0]), str(url))


def _positive(text: str | None) -> int | None:
    """A whole number above zero, or None. Longer ones than any list has pages are cut, not parsed."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return int(text.lstrip("0")[:15] or "0") or None
