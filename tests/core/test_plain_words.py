"""What msgspec says, in plain words."""

from typing import Annotated, Any

import msgspec
import pytest

from hookwright.core.plain_words import in_plain_words


@pytest.mark.parametrize(
    ("value", "wanted", "told"),
    [
        ("x", int, "must be a whole number"),
        ("x", int | None, "must be a whole number"),
        ("x", float, "must be a number"),
        (1, str, "must be text"),
        (0, Annotated[int, msgspec.Meta(ge=1)], "must be at least 1"),
        (70_000, Annotated[int, msgspec.Meta(le=65_535)], "must be at most 65535"),
        (0.0, Annotated[float, msgspec.Meta(gt=0)], "must be more than 0"),
        (1, list[str], "must be a list"),
        (1, dict[str, str], "must be an object"),
        ("x", bool, "must be true or false"),
    ],
)
def test_what_does_not_fit_is_told_without_names_of_types(value: Any, wanted: Any, told: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(value, wanted)
    assert in_plain_words(str(refusal.value)) == told


def test_every_other_message_stays_as_it_is() -> None:
    assert in_plain_words("there is no such event") == "there is no such event"
