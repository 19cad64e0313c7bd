"""Declared schemas: what is a schema, what a violation points to, and what a schema may not do."""

from typing import Any

import pytest

from hookwright.core.errors import Invalid, Problem
from hookwright.core.nesting import MAX_DEPTH
from hookwright.json_schema import MAX_PROBLEMS, META_SCHEMA, Validator

INVOICE = {
    "$schema": META_SCHEMA,
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "a/b": {"type": "string", "pattern": "^[a-z]+$"},
        "email": {"type": "string", "format": "email"},
    },
    "required": ["id"],
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "required": ["amount"]}},
}


@pytest.mark.parametrize(
    "value", [{"id": 1}, {"id": 1, "lines": [{"amount": 5}], "a/b": "x", "email": "ada@example.com"}]
)
def test_data_that_fits_has_no_problems(value: Any) -> None:
    assert Validator(INVOICE).problems(value) == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, Problem("/data/id", "is required", "blank")),
        ({"id": 1, "x/y": 2}, Problem("/data/x~1y", "is not known here", "unknown")),
        ({"id": "1"}, Problem("/data/id", 'is not of type "integer"')),
        ({"id": 0}, Problem("/data/id", "is less than the minimum of 1")),
        ({"id": 1, "lines": [{"amount": 1}, {}]}, Problem("/data/lines/1/amount", "is required", "blank")),
        ({"id": 1, "a/b": "X"}, Problem("/data/a~1b", 'does not match "^[a-z]+$"')),
        ({"id": 1, "email": "ada"}, Problem("/data/email", 'is not a "email"')),
        ([], Problem("/data", 'is not of type "object"')),
    ],
)
def test_a_violation_points_to_its_place_and_does_not_repeat_the_value(value: Any, problem: Problem) -> None:
    assert Validator(INVOICE).problems(value, "/data") == [problem]


def test_every_violation_is_told_up_to_a_limit() -> None:
    assert [problem.pointer for problem in Validator(INVOICE).problems({"lines": 1})] == ["/lines", "/id"]
    many = Validator({"items": {"type": "string"}})
    assert len(many.problems(list(range(1000)))) == MAX_PROBLEMS


def test_members_that_no_part_of_a_schema_evaluates_are_named() -> None:
    schema = {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}
    assert Validator(schema).problems({"a": 1, "b": 2}) == [Problem("/b", "is not known here", "unknown")]


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "nonsense"}, "/schema/type"),
        ({"properties": {"a": {"minLength": -1}}}, "/schema/properties/a/minLength"),
        ({"properties": {"a/b": {"type": 5}}}, "/schema/properties/a~1b/type"),
        ({"pattern": "("}, "/schema/pattern"),
        ({"pattern": "(?=look)"}, "/schema/pattern"),
        ({"items": [{"type": "string"}]}, "/schema/items"),
        ({"$ref": "#/$defs/missing"}, "/schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/schema/$schema"),
        ({"$schema": 5}, "/schema/$schema"),
    ],
)
def test_what_is_no_schema_of_2020_12_is_refused_with_a_pointer(schema: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        Validator(schema, "/schema")
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"$ref": "https://example.com/schema"}, "/$ref"),
        ({"$ref": "file:///etc/passwd"}, "/$ref"),
        ({"$ref": "other.json#/a"}, "/$ref"),
        ({"items": {"anyOf": [True, {"$dynamicRef": "http://example.com#a"}]}}, "/items/anyOf/1/$dynamicRef"),
        ({"$ref": META_SCHEMA}, "/$ref"),
        ({"properties": {"a": {"$id": "https://example.com/a"}}}, "/properties/a/$id"),
    ],
)
def test_a_schema_reaches_nothing_outside_itself(schema: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        Validator(schema)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_a_schema_may_describe_trees() -> None:
    tree = Validator(
        {
            "$id": "https://example.com/tree",
            "$defs": {"node": {"$anchor": "node", "required": ["value"], "properties": {"left": {"$ref": "#node"}}}},
            "$ref": "#/$defs/node",
        }
    )
    assert tree.problems({"value": 1, "left": {"value": 2}}) == []
    assert tree.problems({"value": 1, "left": {"left": {"value": 3}}}) == [
        Problem("/left/value", "is required", "blank")
    ]


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"not": {"$ref": "#"}}])
def test_a_reference_that_leads_to_itself_ends(schema: Any) -> None:
    Validator(schema).problems({"a": 1})


@pytest.mark.parametrize("name", ["d{}", "%64{}"])
def test_references_that_unroll_beyond_measure_are_refused(name: str) -> None:
    definitions: dict[str, Any] = {"d0": {"type": "integer"}}
    for number in range(1, 20):
        before = {"$ref": f"#/$defs/{name.format(number - 1)}"}
        definitions[f"d{number}"] = {"anyOf": [before, before]}
    with pytest.raises(Invalid, match="too many ways"):
        Validator({"$defs": definitions, "$ref": "#/$defs/d19"})


def test_a_chain_of_references_that_is_too_long_to_follow_is_refused() -> None:
    definitions: dict[str, Any] = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(1500)}
    with pytest.raises(Invalid):
        Validator({"$ref": "#/$defs/d0", "$defs": {**definitions, "d1500": True}})


def test_a_schema_has_bounds_in_depth_and_in_size() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 1):
        deep = {"not": deep}
    with pytest.raises(Invalid, match="nested too deeply"):
        Validator(deep)
    with pytest.raises(Invalid, match="too long"):
        Validator({"description": "x" * 70_000})


def test_a_pattern_is_matched_in_linear_time() -> None:
    # Exponential in an engine that backtracks.
    assert Validator({"pattern": "^(a+)+$"}).problems("a" * 100_000 + "b")


def test_data_that_is_nested_deeply_is_refused_or_checked_but_never_a_fault() -> None:
    value: Any = 1
    for _ in range(900):
        value = [value]
    Validator({"items": {"type": "array"}}).problems(value)
