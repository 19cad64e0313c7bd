"""The search language: what each word looks for, and what is told of those that make no sense."""

import pytest
from msgspec import structs

from hookwright.core.model import DAY, HOUR, MINUTE
from hookwright.core.search_language import Search, parse_search

NOW = 1_790_000_000_000_000


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("type:contact.*", {"event_type": "contact.*"}),
        ("type:contact.tag_added", {"event_type": "contact.tag_added"}),
        ("status:failed", {"statuses": ("failed",)}),
        ("status:failed,delivered status:pending", {"statuses": ("failed", "delivered", "waiting")}),
        ("endpoint:12 account:64", {"endpoint_id": 12, "account_id": 64}),
        ("since:1h", {"since": NOW - HOUR}),
        ("since:15m until:5min", {"since": NOW - 15 * MINUTE, "until": NOW - 5 * MINUTE}),
        ("since:2d", {"since": NOW - 2 * DAY}),
        ("since:2026-09-21T00:00", {"since": 1_789_948_800_000_000}),
        ("order_123", {"text": "order_123"}),
        ('"Ada Lovelace" status:dead', {"text": "Ada Lovelace", "statuses": ("dead",)}),
        ("Ada's", {"text": "Ada's"}),
        ("https://example.com/a", {"text": "https://example.com/a"}),
        ("type:order.created Ada status:dead Lovelace", {
            "event_type": "order.created", "statuses": ("dead",), "text": "Ada Lovelace"}),
    ],
)  # fmt: skip
def test_each_word_narrows_the_search(query: str, found: dict[str, object]) -> None:
    assert parse_search(query, NOW) == structs.replace(Search(), **found)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("status:broken", "status:broken is none"),
        ("endpoint:twelve", "ids are numbers"),
        (f"endpoint:{2**53}", "ids are numbers"),
        ("endpoint:٣", "ids are numbers"),
        (f"endpoint:{'0' * 17}{'9' * 20}", "ids are numbers"),
        (f"account:{'9' * 400}", "ids are numbers"),
        ("since:yesterday", "is no time"),
        ("type:Contact", "is no event type"),
        ("colour:red", "colour: is no filter"),
    ],
)
def test_what_makes_no_sense_is_told_and_left_out(query: str, told: str) -> None:
    search = parse_search(f"{query} status:dead", NOW)
    (problem,) = search.problems
    assert told in problem
    assert structs.replace(search, problems=()) == Search(statuses=("dead",))
