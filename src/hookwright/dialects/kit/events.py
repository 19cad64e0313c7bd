"""Kit's fifteen webhook events: their names, the parameter each requires, and how a request and an answer say them.

Source: developers.kit.com "Create a webhook" (API v4). `course_id` is what v3's documentation and Kit's own PHP
SDK (src/ConvertKit_API_Traits.php) call `sequence_id`.
"""

import re
from collections.abc import Mapping

from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import ANY_RESOURCE, Subscription

INITIATOR_VALUE = "initiator_value"

# Each event and the parameter that it requires, or None.
PARAMETERS: Mapping[str, str | None] = {
    "subscriber.subscriber_activate": None,
    "subscriber.subscriber_unsubscribe": None,
    "subscriber.subscriber_bounce": None,
    "subscriber.subscriber_complain": None,
    "subscriber.form_subscribe": "form_id",
    "subscriber.course_subscribe": "sequence_id",
    "subscriber.course_complete": "sequence_id",
    "subscriber.link_click": INITIATOR_VALUE,
    "subscriber.product_purchase": "product_id",
    "subscriber.tag_add": "tag_id",
    "subscriber.tag_remove": "tag_id",
    "purchase.purchase_create": None,
    "custom_field.field_created": None,
    "custom_field.field_deleted": None,
    "custom_field.field_value_updated": "custom_field_id",
}

_ALIASES: Mapping[str, str] = {"sequence_id": "course_id"}

_MAX_RESOURCE_ID = 2**63 - 1
_DECIMAL = re.compile(r"[0-9]{1,19}")
# What PostgreSQL can index: an entry of a B-tree holds at most a third of an 8 kB page.
_MAX_LINK_BYTES = 2000

ShownEvent = dict[str, str | int | None]


def parse_event(event: object) -> Subscription:
    """The subscription that a request's `event` object asks for. Raises Invalid with the text for the client."""
    if not isinstance(event, dict):
        raise _refused("/event", "`event` must be an object with a `name`")
    name = event.get("name")
    if not isinstance(name, str) or name not in PARAMETERS:
        raise _refused("/event/name", f"`name` of `event` must be one of {', '.join(PARAMETERS)}")
    parameter = PARAMETERS[name]
    if parameter is None:
        return Subscription(name)
    value = _given(event, parameter)
    if value is None or value == "":
        raise _refused(f"/event/{parameter}", f"`{parameter}` must be provided for the event `{name}`")
    return Subscription(name, _link(value) if parameter == INITIATOR_VALUE else _resource_id(parameter, value))


def shown_event(subscription: Subscription) -> ShownEvent:
    """The `event` object of an answer: `{"name": "tag_add", "tag_id": 44}`.

    The name loses what stands before its dot. Events without a resource show `initiator_value`, which is null.
    Source: Kit openapi v4.json, example of "List webhooks".
    """
    name = subscription.event.partition(".")[2]
    parameter = PARAMETERS[subscription.event] or INITIATOR_VALUE
    if subscription.resource == ANY_RESOURCE:
        return {"name": name, parameter: None}
    if parameter == INITIATOR_VALUE:
        return {"name": name, parameter: subscription.resource}
    return {"name": name, parameter: int(subscription.resource)}


def shown_new_event(subscription: Subscription) -> ShownEvent:
    """The `event` object of the answer to a creation, whose schema requires `initiator_value` of every event.

    Source: developers.kit.com "Create a webhook", schema of the 201 answer.
    """
    shown = shown_event(subscription)
    return {**shown, INITIATOR_VALUE: shown.get(INITIATOR_VALUE)}


def _given(event: Mapping[object, object], parameter: str) -> object:
    value = event.get(parameter)
    return event.get(_ALIASES[parameter]) if value is None and parameter in _ALIASES else value


def _resource_id(parameter: str, value: object) -> str:
    # Kit's PHP SDK sends ids as strings ("264073"), other clients as integers. True is an int to Python only.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_RESOURCE_ID:
        return str(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value) and int(value) <= _MAX_RESOURCE_ID:
        return str(int(value))
    raise _refused(f"/event/{parameter}", f"`{parameter}` must be an integer")


def _link(value: object) -> str:
    if not isinstance(value, str) or not value.lower().startswith(("http://", "https://")):
        raise _refused(f"/event/{INITIATOR_VALUE}", f"`{INITIATOR_VALUE}` must be the URL of a link")
    if "\0" in value or len(value.encode()) > _MAX_LINK_BYTES:
        raise _refused(
            f"/event/{INITIATOR_VALUE}",
            f"`{INITIATOR_VALUE}` must be at most {_MAX_LINK_BYTES} bytes long and without NUL characters",
        )
    return value


def _refused(pointer: str, message: str) -> Invalid:
    return Invalid(Problem(pointer, message))
