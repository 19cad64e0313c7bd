"""The clock, the dice, ids and tokens."""

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookwright.ambient import (
    AnchoredClock,
    Dice,
    MovableClock,
    claimed_id,
    digest,
    matches,
    monotonic_us,
    new_event_id,
    new_signing_key,
    new_token,
    parse_base36,
    public_id,
    row_id,
    token_id,
)
from hookwright.core.lanes import LANES, MAX_ID, lane_of_event
from hookwright.core.model import DAY, HOUR, SECOND

IDS = st.integers(0, MAX_ID)
NOON = 1_790_000_000 * SECOND


def test_an_anchored_clock_goes_on_from_its_anchor() -> None:
    clock = AnchoredClock()
    clock.anchor(1_000 * SECOND)
    first = clock.now()
    assert 1_000 * SECOND <= first <= clock.now() < 1_060 * SECOND


def test_an_anchored_clock_starts_with_this_machine_s_time() -> None:
    assert AnchoredClock().now() > 1_750_000_000 * SECOND


def test_a_movable_clock_stands_until_it_is_moved() -> None:
    clock = MovableClock(now=0)
    assert clock.now() == clock.now() == 0
    clock.move(seconds=1.5)
    clock.move(days=1)
    assert clock.now() == 1_500_000 + DAY


def test_the_monotonic_clock_never_goes_back() -> None:
    readings = [monotonic_us() for _ in range(1000)]
    assert readings == sorted(readings)


def test_dice_with_a_seed_fall_the_same_way_again() -> None:
    first, second = Dice(seed=7), Dice(seed=7)
    throws = [(first.jitter(), first.lane_index(64)) for _ in range(100)]
    assert throws == [(second.jitter(), second.lane_index(64)) for _ in range(100)]
    assert all(-1 <= jitter <= 1 and 0 <= lane < 64 for jitter, lane in throws)


@pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY])
def test_a_clock_that_holds_out_lives_on_through_a_step_of_what_it_is_anchored_to(step: int) -> None:
    clock = AnchoredClock(holds_out=True)
    assert clock.anchor(NOON)
    assert not clock.anchor(NOON + step)
    assert NOON <= clock.now() < NOON + SECOND
    assert NOON + step <= clock.time_of_day() < NOON + step + SECOND
    assert clock.anchor(NOON)
    assert NOON <= clock.time_of_day() < NOON + SECOND


def test_a_clock_that_holds_out_follows_a_drift() -> None:
    clock = AnchoredClock(holds_out=True)
    clock.anchor(NOON)
    assert clock.anchor(NOON - SECOND // 2)
    assert clock.now() < NOON


def test_a_clock_that_shares_its_database_follows_wherever_that_goes() -> None:
    clock = AnchoredClock()
    clock.anchor(NOON)
    assert clock.anchor(NOON + DAY)
    assert NOON + DAY <= clock.now() <= clock.time_of_day() < NOON + DAY + SECOND


@given(st.integers(0, 2**48 - 1), st.integers(0, 63))
def test_an_event_id_is_a_uuid_7_that_names_its_millisecond_and_its_lane(millis: int, lane_index: int) -> None:
    event_id = new_event_id(millis * 1000 + 999, lane_index)
    uuid = UUID(event_id)
    assert str(uuid) == event_id
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == millis
    assert lane_of_event(event_id) == LANES[lane_index]


def test_event_ids_differ_within_a_millisecond() -> None:
    assert len({new_event_id(0, 5) for _ in range(10_000)}) == 10_000


def test_signing_keys_are_32_bytes_and_differ() -> None:
    assert len(new_signing_key()) == 32
    assert new_signing_key() != new_signing_key()


@given(IDS)
def test_a_token_names_its_row(id: int) -> None:
    token = new_token("kit", id)
    assert token.startswith("kit_")
    assert token_id(token, "kit") == id
    assert len(token.rpartition("_")[2]) == 72


def test_two_tokens_of_a_row_differ() -> None:
    assert new_token("hw", 1) != new_token("hw", 1)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "kit",
        "kit_",
        "kit__",
        "kit_1",
        "kit_1_",
        "kitat_1_abc",
        "hw_1_abc",
        "kit_A_abc",
        "kit_-1_abc",
        "kit_1_2_abc",
        "kit_1_" + "a" * 63,
        "kit_1_" + "a" * 72,
        f"kit_A_{'a' * 64}",
        f"kit_1_2_{'a' * 64}",
        f"hw_1_{'a' * 64}",
        f"_1_{'a' * 64}",
    ],
)
def test_what_is_no_token_names_nothing(token: str) -> None:
    assert token_id(token, "kit") is None


@given(IDS, st.integers(0, 80), st.sampled_from("0123456789abcdefxyz"))
@example(0, 70, "0")
def test_a_mistyped_token_names_nothing(id: int, place: int, typed: str) -> None:
    token = new_token("kit", id)
    place %= len(token)
    mistyped = token[:place] + typed + token[place + 1 :]
    assert mistyped == token or token_id(mistyped, "kit") is None
    assert token_id(token + typed, "kit") is None
    # One that is cut off at its checksum looks like those of before; its digest is another, so it opens nothing.
    looks_older = len(token[:place].rpartition("_")[2]) == 64
    assert token_id(token[:place], "kit") == (id if looks_older else None)


def test_a_token_of_before_there_were_checksums_names_its_row() -> None:
    assert token_id(f"kit_1z_{'0a' * 32}", "kit") == 71


@given(IDS)
def test_a_public_id_can_be_read_back(id: int) -> None:
    assert row_id(public_id("kj", id), "kj") == id
    assert row_id(public_id("kj", id), "k") is None


@pytest.mark.parametrize("text", ["", "A", "-1", " 1", "1_000", "١", "2gosa7pa2gw", "z" * 12])
def test_what_is_no_id_in_base_36_reads_as_none(text: str) -> None:
    assert parse_base36(text) is None


def test_a_secret_matches_its_own_digest_only() -> None:
    assert matches("s3cret", digest("s3cret"))
    assert not matches("s3cret ", digest("s3cret"))
    assert not matches("s3cret", None)


@given(st.text())
def test_no_token_is_too_strange_to_read(text: str) -> None:
    token_id(text, "kit")
    token_id(f"kit_{text}", "kit")
    parse_base36(text)


def test_a_token_that_is_not_whole_still_claims_a_row_which_its_digest_has_to_prove() -> None:
    token = new_token("hw", 64)
    for text in (token, token[:-1]):
        assert claimed_id(text, "hw") == 64
    assert token_id(token[:-1], "hw") is None
    for text in ("", "hw", "kit_1s_00", "hw_!_00"):
        assert claimed_id(text, "hw") is None
