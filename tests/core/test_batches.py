"""Batches: one event name, a number and a size at most, and the same again on every retry."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.batches import Member, Queued, Standing, batches_of, standing_of, why_not_again


def fresh(id: int, event: str = "tag.created", size: int = 10, expires_at: int | None = None) -> Queued:
    return Queued(id, event, size, expires_at)


def test_events_of_one_name_go_together_and_names_never_mix() -> None:
    queued = [fresh(1), fresh(2, "tag.deleted"), fresh(3), fresh(4, "tag.deleted")]
    assert batches_of(queued, 100) == [[1, 3], [2, 4]]


def test_a_batch_is_full_at_its_limit() -> None:
    assert batches_of([fresh(id) for id in range(1, 6)], 2) == [[1, 2], [3, 4], [5]]


def test_a_batch_is_split_where_it_would_grow_too_large() -> None:
    assert batches_of([fresh(1, size=60), fresh(2, size=40), fresh(3, size=1)], 100, max_bytes=100) == [[1, 2], [3]]


def test_one_that_is_too_large_goes_alone() -> None:
    assert batches_of([fresh(1), fresh(2, size=999), fresh(3)], 100, max_bytes=100) == [[1], [2], [3]]


def test_what_expires_goes_only_with_what_expires_at_the_same_instant() -> None:
    queued = [fresh(1), fresh(2, expires_at=7), fresh(3, expires_at=8), fresh(4, expires_at=7), fresh(5)]
    assert batches_of(queued, 100) == [[1, 5], [2, 4], [3]]


@given(
    st.lists(
        st.builds(
            Queued, st.integers(), st.sampled_from("ab"), st.integers(0, 60), st.none() | st.sampled_from([7, 8])
        ),
        unique_by=lambda queued: queued.id,
    ),
    st.integers(1, 5),
)
def test_every_delivery_is_in_exactly_one_batch(queued: list[Queued], limit: int) -> None:
    batches = batches_of(queued, limit, max_bytes=100)
    assert sorted(id for batch in batches for id in batch) == sorted(each.id for each in queued)
    by_id = {each.id: each for each in queued}
    for batch in batches:
        members = [by_id[id] for id in batch]
        assert len({(each.event, each.expires_at) for each in members}) == 1
        assert len(batch) <= limit
        assert len(batch) == 1 or sum(each.size for each in members) <= 100


PENDING = Member(1, "pending")


@pytest.mark.parametrize(
    ("members", "standing"),
    [
        ((PENDING, PENDING), "goes"),
        ((PENDING, Member(2, "in_flight")), "waits"),
        ((PENDING, Member(2, "delivered")), "broken"),
        ((PENDING, Member(2, "dead", has_expired=True)), "broken"),
        ((PENDING,), "broken"),
        ((PENDING, Member(2, "pending", has_payload=False)), "broken"),
        ((PENDING, Member(2, "pending", is_in_turn=False)), "aside"),
        ((PENDING, Member(2, "pending", has_expired=True)), "waits"),
        ((Member(1, "pending", has_expired=True), Member(2, "pending", has_expired=True)), "aside"),
        ((Member(1, "pending", has_expired=True), Member(2, "in_flight", has_expired=True)), "waits"),
    ],
)
def test_a_batch_goes_again_only_with_all_of_its_members(members: Sequence[Member], standing: Standing) -> None:
    assert standing_of(members, 2) == standing


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ((Member(1, "delivered"), Member(2, "dead")), None),
        ((Member(1, "pending"), Member(2, "pending")), None),
        ((Member(1, "delivered"), Member(2, "in_flight")), "delivery 1 is being sent at this moment"),
        ((Member(1, "delivered"),), "not everything that went out with delivery 1 is kept any more"),
        (
            (Member(1, "delivered", has_payload=False), Member(2, "delivered")),
            "the payload of delivery 1 is not kept any more",
        ),
        (
            (Member(1, "delivered"), Member(2, "delivered", has_payload=False)),
            "the payload of delivery 2, which goes out with delivery 1, is not kept any more",
        ),
        ((Member(1, "dead", has_expired=True), Member(2, "dead")), "delivery 1 has expired"),
        (
            (Member(1, "dead"), Member(2, "dead", has_expired=True)),
            "delivery 2, which goes out with delivery 1, has expired",
        ),
    ],
)
def test_what_cannot_go_out_once_more_as_it_was_says_why(members: Sequence[Member], why: str | None) -> None:
    assert why_not_again(1, members, 2) == why
