"""Request bodies: JSON:API documents and OAuth forms. Lenient in the media type, strict in the content."""

from starlette.requests import Request

from hookwright.core.errors import Invalid, Problem
from hookwright.dialects.kajabi.errors import Refused
from hookwright.web.forms import form_pairs, media_type_of
from hookwright.web.limits import parse_json, read_body


async def read_document(request: Request) -> object:
    """The JSON value of a request body.

    Kajabi's clients send it as `application/vnd.api+json`, as `application/json` or without a type, so all JSON types
    pass. No body at all is None: to Kajabi's framework it is a request without parameters. Raises Refused (415) for
    another type, Invalid for a body that is not JSON, BodyTooLarge.
    """
    media_type = media_type_of(request)
    if media_type and not _is_json(media_type):
        raise Refused(415, "The body must be application/vnd.api+json.")
    body = await read_body(request)
    return parse_json(body) if body.strip() else None


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, or the string members of a JSON object, by name.

    Kajabi documents urlencoded forms for its OAuth routes; its framework also takes multipart ones and JSON, which
    some clients send. Of a name that comes twice the last counts. Raises Invalid for anything else, BodyTooLarge.
    """
    body = await read_body(request)
    if _is_json(media_type_of(request)):
        return _string_members(parse_json(body))
    return dict(await form_pairs(request, body))


def _string_members(document: object) -> dict[str, str]:
    if not isinstance(document, dict):
        raise Invalid(Problem("", "the body is not a JSON object", "malformed"))
    return {name: value for name, value in document.items() if isinstance(value, str)}


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")
