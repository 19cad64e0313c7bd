"""The data of events: typed where the type is built in."""

import pytest

from hookwright.core.errors import Invalid
from hookwright.core.vocabulary import TagData, typed_data


def test_the_data_of_a_built_in_type_is_typed_and_numeric_ids_may_be_strings() -> None:
    data = typed_data("tag.created", b'{"tag":{"id":"41"}}')
    assert isinstance(data, TagData)
    assert data.tag.id == 41


def test_data_that_is_not_what_its_type_says_is_refused_with_a_pointer() -> None:
    with pytest.raises(Invalid) as refusal:
        typed_data("tag.created", b'{"tag":{"id":"x"}}')
    assert refusal.value.problems[0].pointer == "/data/tag/id"


def test_the_data_of_any_other_type_has_no_type_of_ours() -> None:
    assert typed_data("invoice.paid", b"{}") is None
