"""Schemas as people read them."""

from typing import Any

import msgspec
import pytest

from hookwright.console.schema_trees import MOST_MEMBERS, Member, members_of_schema
from hookwright.core.vocabulary import EVENT_TYPES


def named(members: tuple[Member, ...]) -> dict[str, Member]:
    return {member.name: member for member in members}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_built_in_type_has_its_members(name: str) -> None:
    members = members_of_schema(msgspec.json.schema(EVENT_TYPES[name]))
    assert [member.name for member in members] == list(EVENT_TYPES[name].__struct_fields__)
    assert all(member.members for member in members)


def test_members_tell_what_they_hold_and_whether_they_must_be_there() -> None:
    contact = named(members_of_schema(msgspec.json.schema(EVENT_TYPES["contact.tag_added"])))["contact"]
    assert contact.is_required
    of_it = named(contact.members)
    assert of_it["id"].words == "integer"
    assert of_it["id"].is_required
    assert not of_it["first_name"].is_required
    products = named(members_of_schema(msgspec.json.schema(EVENT_TYPES["purchase.created"])))["products"]
    assert products.words == "list of object"
    assert "unit_price_in_cents" in named(products.members)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": ["string", "null"]}, "string or null"),
        ({"enum": ["a", 1]}, "a or 1"),
        ({"const": 5}, "5"),
        ({"type": "string", "format": "date-time"}, "string (date-time)"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"anyOf": "nonsense"}, "anything"),
        ({"$ref": "#/no/where"}, "anything"),
        ({"$ref": "https://example.com/schema"}, "anything"),
        (True, "anything"),
    ],
)
def test_what_a_schema_says_plainly_is_told(schema: Any, words: str) -> None:
    (member,) = members_of_schema({"properties": {"it": schema}})
    assert member.words == words


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "array", "items": {"$ref": "#"}},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"properties": {"again": {"$ref": "#"}}},
        {"properties": {f"again{number}": {"$ref": "#"} for number in range(50)}},
    ],
)
def test_a_schema_that_refers_to_itself_comes_to_an_end(schema: dict[str, Any]) -> None:
    members_of_schema(schema)


def test_of_very_many_members_none_is_told() -> None:
    assert members_of_schema({"properties": {str(each): {} for each in range(MOST_MEMBERS + 1)}}) == ()
