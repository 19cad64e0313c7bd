"""The query parameters that ask for a page, the same for every list."""

from typing import Annotated

from fastapi import Depends, Query

from hookwright.dialects.kit.paging import DEFAULT_PER_PAGE, MAX_PER_PAGE, PageRequest, parse_page_request


async def asked_page(
    after: Annotated[str | None, Query(description="A cursor: what is older than it")] = None,
    before: Annotated[str | None, Query(description="A cursor: what is newer than it")] = None,
    per_page: Annotated[
        str | None, Query(description=f"1 to {MAX_PER_PAGE}; {DEFAULT_PER_PAGE} when it is absent")
    ] = None,
    include_total_count: Annotated[str | None, Query(description="true, false, 1 or 0")] = None,
) -> PageRequest:
    """The page that a request asks for. Raises Invalid."""
    return parse_page_request(after, before, per_page, include_total_count)


AskedPage = Annotated[PageRequest, Depends(asked_page)]
