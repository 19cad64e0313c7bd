"""Batches: one event name, a number and a size at most, and the same again on every retry."""

from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.batches import Queued, batches_of


def fresh(id: int, event: str = "tag.created", size: int = 10) -> Queued:
    return Queued(id, event, size, None)


def test_events_of_one_name_go_together_and_names_never_mix() -> None:
    queued = [fresh(1), fresh(2, "tag.deleted"), fresh(3), fresh(4, "tag.deleted")]
    assert batches_of(queued, 100) == [[1, 3], [2, 4]]


def test_a_batch_is_full_at_its_limit() -> None:
    assert batches_of([fresh(id) for id in range(1, 6)], 2) == [[1, 2], [3, 4], [5]]


def test_a_batch_is_split_where_it_would_grow_too_large() -> None:
    assert batches_of([fresh(1, size=60), fresh(2, size=40), fresh(3, size=1)], 100, max_bytes=100) == [[1, 2], [3]]


def test_one_that_is_too_large_goes_alone() -> None:
    assert batches_of([fresh(1), fresh(2, size=999), fresh(3)], 100, max_bytes=100) == [[1], [2], [3]]


def test_what_went_out_together_goes_out_together_again_and_nothing_joins_it() -> None:
    queued = [Queued(1, "tag.created", 10, 1), fresh(2), Queued(3, "tag.created", 10, 1), fresh(4)]
    assert batches_of(queued, 100) == [[1, 3], [2, 4]]


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
        if members[0].batch_id is None:
            assert len({each.event for each in members}) == 1
            assert len(batch) <= limit
            assert len(batch) == 1 or sum(each.size for each in members) <= 100
