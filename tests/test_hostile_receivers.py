"""The hostile receivers of the fault harness: what is wrong with a record is seen, and the bombs are bombs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec
import pytest
from faults.hostile import attempts
from faults.hostile.attempts import Attempted, Expected
from faults.hostile.farm import HOSTILITIES
from faults.hostile.floods import gzip_bomb, gzip_bomb_in_gzip, zstd_bomb

ECHO = Expected("second_answer_late", frozenset({"200"}), echoes=True)
HANG = Expected("hang_after_request", frozenset({"timeout"}), echoes=False)
EXPECTED = {1: ECHO, 2: HANG}
ANSWERED = Attempted(
    endpoint_id=1,
    event_id="event-1",
    status="delivered",
    number=1,
    duration_us=2_000,
    status_code=200,
    response_body=b"event-1",
)
TIMED_OUT = Attempted(
    endpoint_id=2,
    event_id="event-1",
    status="dead",
    number=1,
    duration_us=4_000_000,
    error="timeout",
    detail="no answer within 4 s",
    response_body=b"",
)
REFUSED = msgspec.structs.replace(
    ANSWERED, status_code=500, response_headers='{"kept":[["x-a","12",0],["set-cookie",null,0]],"left_out":3}'
)
GOOD = [ANSWERED, TIMED_OUT]


def with_change(row: Attempted, **changes: object) -> list[Attempted]:
    return [msgspec.structs.replace(each, **changes) if each is row else each for each in GOOD]


def test_attempts_that_came_to_what_was_expected_break_nothing() -> None:
    assert attempts.misjudged(GOOD, EXPECTED) == []
    assert attempts.miscounted(GOOD, EXPECTED, passes=1) == []
    assert attempts.stolen(GOOD, EXPECTED) == []
    assert attempts.longest_seconds(GOOD) == 4
    assert attempts.longest_answer(GOOD) == 7


def test_the_headers_that_were_kept_are_counted_and_measured() -> None:
    assert (attempts.most_headers(GOOD), attempts.longest_headers(GOOD)) == (0, 0)
    assert attempts.most_headers([*GOOD, REFUSED]) == 2
    assert attempts.longest_headers([*GOOD, REFUSED]) == len("x-a" + "12" + "set-cookie")


@pytest.mark.parametrize("changes", [{"error": "reset"}, {"error": None, "status_code": 200}])
def test_an_attempt_that_is_recorded_as_something_else_is_seen(changes: dict[str, object]) -> None:
    assert len(attempts.misjudged(with_change(TIMED_OUT, **changes), EXPECTED)) == 1


@pytest.mark.parametrize(
    "rows",
    [GOOD[:1], [*GOOD, TIMED_OUT], with_change(ANSWERED, number=None), with_change(ANSWERED, number=2)],
    ids=["never met", "met twice", "no attempt", "a second attempt"],
)
def test_a_receiver_that_was_not_met_just_once_is_seen(rows: list[Attempted]) -> None:
    assert len(attempts.miscounted(rows, EXPECTED, passes=1)) == 1


@pytest.mark.parametrize("body", [b"stolen", b"", b"event-2"])
def test_an_answer_that_was_meant_for_another_request_is_seen(body: bytes) -> None:
    assert len(attempts.stolen(with_change(ANSWERED, response_body=body), EXPECTED)) == 1


def test_every_hostility_has_a_name_of_its_own_and_is_expected_to_come_to_something() -> None:
    assert len({each.name for each in HOSTILITIES}) == len(HOSTILITIES)
    assert all(each.comes_to for each in HOSTILITIES)


def unpacked_sizes(packed: bytes) -> Iterator[int]:
    """The sizes of the pieces that gzip unpacks to, none of them large."""
    unpacker = zlib.decompressobj(wbits=31)
    while packed and not unpacker.eof:
        yield len(unpacker.decompress(packed, 1024**2))
        packed = unpacker.unconsumed_tail
    assert unpacker.eof, "not a whole gzip stream"


def test_small_bodies_unpack_to_a_gibibyte_and_more() -> None:
    assert sum(unpacked_sizes(gzip_bomb())) == 1024**3
    assert sum(unpacked_sizes(gzip_bomb_in_gzip())) == len(gzip_bomb())
    assert len(zstd_bomb()) < 65_536, "an answer is read no further: less of it would be no bomb"
