"""Every place where JSON does not fit a type."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Raw, Struct

from hookwright.core.misfits import MOST, problems_of


class Tag(Struct):
    id: int
    name: str = ""


class Order(Struct, forbid_unknown_fields=True):
    id: int
    at: datetime | None = None
    tag: Tag | None = None
    items: tuple[Tag, ...] = ()
    tags: Annotated[list[Tag], Meta(min_length=1)] = []
    data: Raw = Raw(b"null")


def pointers(content: bytes) -> dict[str, str]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(content, type=Order, strict=False)
    return {problem.pointer: problem.message for problem in problems_of(caught.value, content, Order)}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({}, {"/id": "is required"}),
        ({"id": "x", "tag": {}}, {"/id": "expected `int`, got `str`", "/tag/id": "is required"}),
        (
            {"id": "7", "tag": 5, "at": "now"},
            {"/at": "invalid RFC3339 encoded datetime", "/tag": "expected `object`, got `int`"},
        ),
        (
            {"items": [{"id": 1}, {}, {"id": []}], "tags": [{"name": 3}]},
            {
                "/id": "is required",
                "/items/1/id": "is required",
                "/items/2/id": "expected `int`, got `array`",
                "/tags/0/id": "is required",
                "/tags/0/name": "expected `str`, got `int`",
            },
        ),
        ({"id": 1, "tags": []}, {"/tags": "expected `array` of length >= 1"}),
        ({"id": None, "data": [1], "more": 1}, {"/id": "expected `int`, got `null`", "/more": "is unknown"}),
        ([], {"": "expected `object`, got `array`"}),
    ],
)  # fmt: skip
def test_every_place_is_named(content: Any, wrong: dict[str, str]) -> None:
    assert pointers(msgspec.json.encode(content)) == wrong


def test_what_comes_after_the_first_and_cannot_be_read_hides_the_others() -> None:
    assert pointers(b'{"id": "x", "tag": 5, "name": "\xff"}') == {"/id": "expected `int`, got `str`"}


def test_there_is_an_end_of_problems() -> None:
    content = msgspec.json.encode({"id": 1, "items": [{}] * 1_000})
    assert len(pointers(content)) == MOST
