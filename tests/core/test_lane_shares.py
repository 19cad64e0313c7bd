"""Shares of lanes: even, stable, complete, and never taken from a worker that lives."""

from collections.abc import Collection, Mapping

import pytest

from hookwright.core.lane_shares import LaneLease, LaneTurn, next_turn

NOW = 1_000_000
LATER, BEFORE = NOW + 1, NOW


def leases(owners: Mapping[int, str], count: int = 8, until: int = LATER) -> list[LaneLease]:
    return [LaneLease(index, owners.get(index), until if index in owners else None) for index in range(count)]


def turns_until_even(workers: Collection[str], owners: dict[int, str], count: int) -> list[int]:
    """Let every worker have its turn, again and again; how many lanes each has then."""
    for _ in range(3):
        for me in workers:
            turn = next_turn(leases(owners, count), workers, me, NOW)
            owners = {index: owner for index, owner in owners.items() if index not in turn.give_up}
            owners |= dict.fromkeys(turn.lease, me)
    return sorted(list(owners.values()).count(worker) for worker in workers)


def test_a_worker_that_is_alone_takes_every_lane() -> None:
    assert next_turn(leases({}), [], "a", NOW) == LaneTurn(tuple(range(8)), ())


def test_what_is_held_up_to_the_share_is_kept_and_the_rest_given_up() -> None:
    turn = next_turn(leases(dict.fromkeys(range(8), "a")), ["a", "b"], "a", NOW)
    assert turn == LaneTurn((0, 1, 2, 3), (4, 5, 6, 7))


def test_nothing_is_taken_from_a_worker_whose_lease_runs() -> None:
    assert next_turn(leases(dict.fromkeys(range(8), "b")), ["a", "b"], "a", NOW) == LaneTurn((), ())


def test_a_lane_is_free_at_the_instant_that_its_lease_ends() -> None:
    held = dict.fromkeys(range(8), "b")
    assert next_turn(leases(held, until=LATER), ["a"], "a", NOW).lease == ()
    assert next_turn(leases(held, until=BEFORE), ["a"], "a", NOW).lease == tuple(range(8))


def test_ones_own_lease_that_has_ended_is_renewed_while_nobody_else_has_taken_it() -> None:
    turn = next_turn(leases({0: "a", 1: "a"}, count=2, until=BEFORE), ["a"], "a", NOW)
    assert turn == LaneTurn((0, 1), ())


def test_two_newcomers_do_not_reach_for_the_same_free_lanes() -> None:
    free = leases({})
    first, second = (next_turn(free, ["a", "b"], me, NOW).lease for me in ("a", "b"))
    assert sorted((*first, *second)) == list(range(8))


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 10, 63, 64, 70])
def test_all_lanes_are_shared_and_no_worker_has_two_more_than_another(workers: int) -> None:
    names = [f"worker-{number:02}" for number in range(workers)]
    shares = turns_until_even(names, dict.fromkeys(range(64), names[-1]), 64)
    assert sum(shares) == 64
    assert shares[-1] - shares[0] <= 1


def test_shares_that_are_even_stay_as_they_are() -> None:
    owners = {index: "ab"[index % 2] for index in range(8)}
    for me in "ab":
        turn = next_turn(leases(owners), ["a", "b"], me, NOW)
        assert set(turn.lease) == {index for index, owner in owners.items() if owner == me}
        assert turn.give_up == ()
