"""Bodies that are forms, in both of HTML's media types: PHP's curl sends `multipart/form-data` for an array."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from hookwright.core.errors import Invalid, Problem

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MAX_FIELDS = 50


def media_type_of(request: Request) -> str:
    """The media type of a request's body, without its parameters; empty when it says none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_form(request: Request) -> bool:
    """Whether a request says that its body is a form."""
    return media_type_of(request) in (FORM, MULTIPART)


async def form_pairs(request: Request, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in their order; what says nothing of itself is urlencoded. Raises Invalid."""
    try:
        if media_type_of(request) == MULTIPART:
            return await _parts(request, body)
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except (ValueError, MultiPartException):  # also what a body that is not UTF-8 raises
        raise Invalid(Problem("", f"the body is not {media_type_of(request) or FORM}", "malformed")) from None


async def _parts(request: Request, body: bytes) -> list[tuple[str, str]]:
    async def whole() -> AsyncIterator[bytes]:
        yield body

    parser = MultiPartParser(
        request.headers,
        whole(),  # type: ignore[arg-type]  # it only iterates over it
        max_files=0,
        max_fields=MAX_FIELDS,
    )
    parts = await parser.parse()
    return [(name, value) for name, value in parts.multi_items() if isinstance(value, str)]
