"""Changes laid over data, and values put at a path."""

import pytest

from hookwright.core.changes import merged, with_value_at

DATA = {"contact": {"id": 1, "fields": {"role": None}}, "products": [{"id": 7}, {"id": 8}]}


def test_objects_are_laid_into_objects_and_anything_else_replaces() -> None:
    assert merged(DATA, {"contact": {"fields": {"role": "x"}}, "products": []}) == {
        "contact": {"id": 1, "fields": {"role": "x"}},
        "products": [],
    }
    assert merged({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}


def test_what_was_there_is_left_as_it_is() -> None:
    merged(DATA, {"contact": {"id": 2}})
    with_value_at(DATA, "products.1.id", 9)
    assert DATA == {"contact": {"id": 1, "fields": {"role": None}}, "products": [{"id": 7}, {"id": 8}]}


def test_a_value_is_put_into_objects_and_lists_and_missing_objects_are_made() -> None:
    assert with_value_at(DATA, "products.1.id", 9)["products"] == [{"id": 7}, {"id": 9}]
    assert with_value_at(DATA, "products.0", 9)["products"] == [9, {"id": 8}]
    assert with_value_at({}, "a.b", 1) == {"a": {"b": 1}}


@pytest.mark.parametrize("path", ["", "contact.", "products.2.id", "products.x", "contact.id.x"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        with_value_at(DATA, path, 1)
