"""Which endpoints want a notice: the same as the stores' own matching, in small."""

import pytest

from hookwright.core.matching import is_wanted
from hookwright.core.model import Endpoint, Notice, Subscription

NOTICE = Notice(
    dialect="kajabi", event="tag_added", families=("*",), resources=("41",), site_id=7, render=lambda: b"{}"
)


def endpoint(*wanted: Subscription, dialect: str = "kajabi", site_id: int | None = 7) -> Endpoint:
    return Endpoint(
        id=1,
        account_id=1,
        site_id=site_id,
        dialect=dialect,
        url="https://receiver.example.com",
        subscriptions=wanted,
        status_changed_at=0,
        created_at=0,
        updated_at=0,
    )


@pytest.mark.parametrize(
    ("candidate", "wanted"),
    [
        (endpoint(Subscription("tag_added")), True),
        (endpoint(Subscription("tag_added", "41")), True),
        (endpoint(Subscription("*")), True),
        (endpoint(Subscription("tag_added", "42")), False),
        (endpoint(Subscription("tag_removed"), Subscription("purchase", "41")), False),
        (endpoint(Subscription("tag_added"), dialect="kit"), False),
        (endpoint(Subscription("tag_added"), site_id=8), False),
        (endpoint(Subscription("tag_added"), site_id=None), False),
    ],
)
def test_dialect_site_event_and_resource_have_to_fit(candidate: Endpoint, wanted: bool) -> None:
    assert is_wanted(NOTICE, candidate) == wanted
