from typing import Any

import pytest

from hookwright.core.errors import Invalid
from hookwright.core.model import Subscription
from hookwright.dialects.kit.events import PARAMETERS, parse_event, shown_event, shown_new_event

LINK = "https://example.com/Offer?utm_source=kit"


def message_of(event: object) -> str:
    with pytest.raises(Invalid) as refused:
        parse_event(event)
    return refused.value.problems[0].message


def test_there_are_fifteen_events() -> None:
    assert len(PARAMETERS) == 15


@pytest.mark.parametrize("given", [44, "44", "0044"])
def test_an_id_may_be_an_integer_or_a_numeric_string(given: object) -> None:
    assert parse_event({"name": "subscriber.tag_add", "tag_id": given}) == Subscription("subscriber.tag_add", "44")


@pytest.mark.parametrize("name", ["subscriber.course_subscribe", "subscriber.course_complete"])
def test_course_id_is_an_alias_of_sequence_id(name: str) -> None:
    assert parse_event({"name": name, "course_id": "18"}) == Subscription(name, "18")
    assert parse_event({"name": name, "sequence_id": 18, "course_id": 3}) == Subscription(name, "18")


def test_a_link_is_kept_to_the_letter() -> None:
    event = {"name": "subscriber.link_click", "initiator_value": LINK}
    assert parse_event(event) == Subscription("subscriber.link_click", LINK)


def test_parameters_that_an_event_does_not_require_are_ignored() -> None:
    event = {"name": "subscriber.subscriber_activate", "tag_id": 44, "form_id": None}
    assert parse_event(event) == Subscription("subscriber.subscriber_activate")


@pytest.mark.parametrize("name", [name for name, parameter in PARAMETERS.items() if parameter])
def test_a_missing_parameter_is_named(name: str) -> None:
    expected = f"`{PARAMETERS[name]}` must be provided for the event `{name}`"
    assert message_of({"name": name}) == expected
    assert message_of({"name": name, str(PARAMETERS[name]): None}) == expected
    assert message_of({"name": name, str(PARAMETERS[name]): ""}) == expected


@pytest.mark.parametrize(
    "given", [True, 4.4, "4.4", "four", -4, "-4", " 4", "٤", [4], {"id": 4}, 2**63, str(2**63), "9" * 5000, "0" * 30]
)
def test_what_is_no_id_is_refused_and_the_parameter_named(given: object) -> None:
    assert message_of({"name": "subscriber.form_subscribe", "form_id": given}) == "`form_id` must be an integer"


@pytest.mark.parametrize("given", [4, "example.com", "javascript:alert(1)", ["https://example.com"]])
def test_what_is_no_link_is_refused(given: object) -> None:
    message = message_of({"name": "subscriber.link_click", "initiator_value": given})
    assert message == "`initiator_value` must be the URL of a link"


@pytest.mark.parametrize("given", ["https://example.com/\0", "https://example.com/" + "é" * 1000])
def test_a_link_that_the_store_cannot_hold_is_refused(given: str) -> None:
    assert "NUL" in message_of({"name": "subscriber.link_click", "initiator_value": given})


@pytest.mark.parametrize("name", ["tag_add", "subscriber.tag_added", "", None, 4, ["subscriber.tag_add"]])
def test_an_unknown_name_is_answered_with_the_known_ones(name: object) -> None:
    assert message_of({"name": name}).startswith("`name` of `event` must be one of subscriber.subscriber_activate, ")


@pytest.mark.parametrize("event", ["subscriber.subscriber_activate", 4, ["name"]])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    assert message_of(event) == "`event` must be an object with a `name`"


@pytest.mark.parametrize(
    ("subscription", "shown"),
    [
        # Kit openapi v4.json, example of "List webhooks"
        (Subscription("subscriber.tag_add", "44"), {"name": "tag_add", "tag_id": 44}),
        (Subscription("subscriber.form_subscribe", "10"), {"name": "form_subscribe", "form_id": 10}),
        # developers.kit.com, "Create a webhook"
        (
            Subscription("subscriber.subscriber_activate"),
            {"name": "subscriber_activate", "initiator_value": None},
        ),
        # ConvertKit/developers-documentation, _webhooks.md
        (Subscription("subscriber.course_complete", "18"), {"name": "course_complete", "sequence_id": 18}),
        (Subscription("subscriber.link_click", LINK), {"name": "link_click", "initiator_value": LINK}),
        (Subscription("purchase.purchase_create"), {"name": "purchase_create", "initiator_value": None}),
    ],
)
def test_an_answer_says_an_event_as_the_vendor_does(subscription: Subscription, shown: dict[str, Any]) -> None:
    assert shown_event(subscription) == shown


def test_the_answer_to_a_creation_always_has_an_initiator_value_as_its_schema_requires() -> None:
    shown = shown_new_event(Subscription("subscriber.tag_add", "44"))
    assert shown == {"name": "tag_add", "tag_id": 44, "initiator_value": None}
    assert shown_new_event(Subscription("subscriber.link_click", LINK))["initiator_value"] == LINK
