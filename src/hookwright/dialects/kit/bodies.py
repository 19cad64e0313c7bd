"""Request bodies as Kit's framework reads them: JSON, or a form whose names say how it is nested."""

import re
from collections.abc import Iterable

from starlette.requests import Request

from hookwright.web.forms import form_pairs, is_form
from hookwright.web.limits import parse_json, read_body

_NESTED_NAME = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")


async def read_value(request: Request) -> object:
    """The value that a request's body is; None when it is empty. Raises Invalid, BodyTooLarge.

    curl calls whatever it sends a form unless it is told better, so JSON that is called one is JSON all the same.
    """
    body = await read_body(request)
    if not body.strip():
        return None
    if is_form(request) and body.lstrip()[:1] not in (b"{", b"["):
        return nested(await form_pairs(request, body))
    return parse_json(body)


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """`event[name]=…` becomes `{"event": {"name": …}}` and `events[]=…` a list, as Rails reads forms."""
    values: dict[str, object] = {}
    for name, value in pairs:
        parts = _NESTED_NAME.fullmatch(name)
        if parts is None:
            values[name] = value
        elif parts[2]:
            values[parts[1]] = {**_members(values.get(parts[1])), parts[2]: value}
        else:
            values[parts[1]] = [*_items(values.get(parts[1])), value]
    return values


def _members(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
