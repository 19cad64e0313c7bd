"""Every place where JSON does not fit a type."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Raw, Struct

from hookwright.core.misfits import MOST, MOST_ITEMS, first_items, misfits, problems_of


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
            {"/at": "invalid RFC3339 encoded datetime", "/tag": "expected `object | null`, got `int`"},
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
    assert pointers(b'{"id": "x", "tag": 5, "name": "') == {"/id": "expected `int`, got `str`"}


def test_there_is_an_end_of_problems() -> None:
    content = msgspec.json.encode({"id": 1, "items": [{}] * 1_000})
    assert len(pointers(content)) == MOST


def test_of_many_members_that_nobody_knows_the_first_is_named() -> None:
    assert pointers(b'{"id": 1, "more": 1, "and": 2, "more": 3}') == {"/more": "is unknown"}


def test_what_is_wrong_is_looked_for_only_as_it_is_asked_for() -> None:
    """A list may be as long as a body: whoever stops asking has paid for what was told."""
    looked_at = 0

    class Counted(Struct):
        id: int

        def __post_init__(self) -> None:
            nonlocal looked_at
            looked_at += 1

    class Counts(Struct):
        items: list[Counted]

    problems = misfits(b'{"items": [{}' + b', {}, {"id": 1}' * 100_000 + b"]}", Counts, "")
    assert [next(problems).pointer for _ in range(3)] == ["/items/0/id", "/items/1/id", "/items/3/id"]
    assert looked_at == 1


def test_what_is_wrong_far_down_a_list_is_named_by_its_first_place_alone() -> None:
    far = MOST_ITEMS + 5
    content = msgspec.json.encode({"id": 1, "items": [{"id": 1}] * far + [{}, {}]})
    assert pointers(content) == {f"/items/{far}/id": "is required"}


def test_the_beginning_of_a_list_ends_where_the_list_does() -> None:
    assert [bytes(item) for item in first_items(b"[1, {}, [2], 3]", 3)] == [b"1", b"{}", b"[2]"]
    assert [bytes(item) for item in first_items(b"[1, {}]", 3)] == [b"1", b"{}"]
