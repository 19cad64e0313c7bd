"""What requests to make, change and rotate a webhook endpoint ask for, or why they are refused.

Source: Kit openapi v4.json, "Create a webhook endpoint" and those beside it. `null` counts as absent: no property
is nullable there, and clients write it for what they do not set.
"""

from typing import NamedTuple

from msgspec import UNSET

from hookwright.core.addresses import TargetPolicy, parse_target, target_problem
from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import EndpointChange, Subscription
from hookwright.dialects.kit.endpoint_events import parse_events
from hookwright.dialects.kit.endpoint_objects import ShownStatus
from hookwright.dialects.kit.paging import parse_boolean, refused

MAX_NAME_LENGTH = 255
MAX_DESCRIPTION_LENGTH = 5_000


class NewEndpointRequest(NamedTuple):
    """The endpoint that somebody wants; without a name it gets that of its host."""

    url: str
    subscriptions: tuple[Subscription, ...]
    name: str
    description: str


class ChangeRequest(NamedTuple):
    """What of an endpoint is to change, and the status that it is to have, if one is named."""

    change: EndpointChange
    status: ShownStatus | None


def parse_new_endpoint(body: object, policy: TargetPolicy) -> NewEndpointRequest:
    """The endpoint that a request asks for. Raises Invalid with the client's text."""
    given = _given(body)
    for name in ("url", "events"):
        if name not in given:
            raise refused(name, "must be provided")
    url = _url(given["url"], policy)
    name = _text(given.get("name", ""), "name", MAX_NAME_LENGTH)
    return NewEndpointRequest(
        url=url,
        subscriptions=parse_events(given["events"]),
        name=name if name.strip() else parse_target(url).host,
        description=_text(given.get("description", ""), "description", MAX_DESCRIPTION_LENGTH),
    )


def parse_change(body: object, policy: TargetPolicy) -> ChangeRequest:
    """What a request wants to change; `events` replaces the whole set. Raises Invalid with the client's text."""
    given = _given(body)
    change = EndpointChange(
        url=_url(given["url"], policy) if "url" in given else UNSET,
        name=_new_name(given["name"]) if "name" in given else UNSET,
        description=_text(given["description"], "description", MAX_DESCRIPTION_LENGTH)
        if "description" in given
        else UNSET,
        subscriptions=parse_events(given["events"]) if "events" in given else UNSET,
    )
    return ChangeRequest(change, parse_status(given["status"]) if "status" in given else None)


def parse_force(body: object) -> bool:
    """Whether a rotation is forced. Raises Invalid with the client's text."""
    force = _given(body).get("force", False)
    if isinstance(force, str):  # in a form everything is a text
        return parse_boolean("force", force) if force else False
    if not isinstance(force, bool):
        raise refused("force", "must be true or false")
    return force


def parse_status(value: object) -> ShownStatus:
    """The status of an endpoint, as a body or a filter names it. Raises Invalid with the client's text."""
    if value == "active":
        return "active"
    if value == "disabled":
        return "disabled"
    raise refused("status", "must be active or disabled" + (f", not {value}" if isinstance(value, str) else ""))


def _given(body: object) -> dict[str, object]:
    """The members of a body that say something; an absent body says nothing, nor does `[]`, PHP's empty one."""
    if body is None or body == []:
        return {}
    if not isinstance(body, dict):
        raise Invalid(Problem("", "the body must be a JSON object"))
    return {name: value for name, value in body.items() if value is not None}


def _url(value: object, policy: TargetPolicy) -> str:
    if not isinstance(value, str):
        raise refused("url", "must be a string")
    if problem := target_problem(value, policy):
        raise refused("url", f"is invalid: {problem}")
    return value


def _new_name(value: object) -> str:
    name = _text(value, "name", MAX_NAME_LENGTH)
    if not name.strip():
        raise refused("name", "must not be blank")
    return name


def _text(value: object, name: str, max_length: int) -> str:
    if not isinstance(value, str):
        raise refused(name, "must be a string")
    if "\0" in value:  # PostgreSQL cannot store it
        raise refused(name, "must not contain NUL characters")
    if len(value) > max_length:
        raise refused(name, f"is too long (at most {max_length} characters)")
    return value
