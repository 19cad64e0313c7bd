"""Request bodies: JSON:API documents and OAuth forms. Lenient in the media type, strict in the content."""

from starlette.requests import Request

from hookwright.core.errors import Invalid, Problem
from hookwright.web.forms import form_pairs, media_type_of
from hookwright.web.limits import parse_json, read_body


async def read_document(request: Request) -> object:
    """The JSON value of a request body.

    Kajabi's clients send it as `application/vnd.api+json`, as `application/json` or without a type, curl as a form
    unless it is told better: what begins as an object is one, whatever it is called. No body, or one of another type
    that is no JSON, is None: to Kajabi's framework it is a request without the parameters that a hook is made of.
    Raises Invalid for a body that should be JSON and is not, BodyTooLarge.
    """
    body = await read_body(request)
    media_type = media_type_of(request)
    is_meant_as_json = not media_type or _is_json(media_type) or body.lstrip().startswith(b"{")
    return parse_json(body) if is_meant_as_json and body.strip() else None


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
