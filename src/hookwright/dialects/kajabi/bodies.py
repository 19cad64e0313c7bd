"""Request bodies: JSON:API documents and OAuth forms. Lenient in the media type, strict in the content."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from hookwright.core.errors import Invalid, Problem
from hookwright.dialects.kajabi.errors import Refused
from hookwright.web.limits import parse_json, read_body

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 50


async def read_document(request: Request) -> object:
    """The JSON value of a request body.

    Kajabi's clients send it as `application/vnd.api+json`, as `application/json` or without a type, so all JSON types
    pass. No body at all is None: to Kajabi's framework it is a request without parameters. Raises Refused (415) for
    another type, Invalid for a body that is not JSON, BodyTooLarge.
    """
    media_type = _media_type(request)
    if media_type and not _is_json(media_type):
        raise Refused(415, "The body must be application/vnd.api+json.")
    body = await read_body(request)
    return parse_json(body) if body.strip() else None


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, or the string members of a JSON object, by name.

    Kajabi documents forms for its OAuth routes; its framework also takes JSON, which some clients send. Of a name
    that comes twice the last counts. Raises Invalid for what is neither, BodyTooLarge.
    """
    body = await read_body(request)
    if _is_json(_media_type(request)):
        return _string_members(parse_json(body))
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError:  # also what a body that is not UTF-8 raises
        raise Invalid(Problem("", f"the body is not {FORM_TYPE}", "malformed")) from None
    return dict(fields)


def _string_members(document: object) -> dict[str, str]:
    if not isinstance(document, dict):
        raise Invalid(Problem("", "the body is not a JSON object", "malformed"))
    return {name: value for name, value in document.items() if isinstance(value, str)}


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")
