"""How many requests may be under way, and to whom: by how long they take, as far as is known."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hookwright.core.model import SECOND, Claim
from hookwright.engine.under_way import (
    FIRST_REQUESTS,
    MOST_REMEMBERED,
    MOST_UNDER_WAY,
    SLOW_AFTER,
    Request,
    UnderWay,
)

NOW = 1_790_000_000_000_000


def claim_to(endpoint_id: int) -> Claim:
    return Claim(
        delivery_id=1,
        fence=1,
        account_id=1,
        event_id="event",
        event_type="contact.created",
        occurred_at=NOW,
        created_at=NOW,
        endpoint_id=endpoint_id,
        dialect="kit",
        dialect_event="contact.created",
        ordinal=1,
        url="https://receiver.example.com",
        body=b"{}",
        attempt=1,
        round_attempt=1,
        retry_schedule=None,
    )


class Requests:
    """Requests that do nothing, begun and ended by a test."""

    def __init__(self, concurrency: int) -> None:
        self.under_way = UnderWay(concurrency)
        self._all: list[Request] = []

    def begin(self, endpoint_id: int, now: int = NOW) -> Request:
        request: Request = asyncio.create_task(asyncio.sleep(0, result=True))
        self._all.append(request)
        self.under_way.add(request, (claim_to(endpoint_id),), now)
        return request

    def answer(self, endpoint_id: int, times: int, now: int = NOW) -> None:
        """So many requests to an endpoint, each answered at once."""
        for _ in range(times):
            self.under_way.remove(self.begin(endpoint_id, now), now)

    async def forget(self) -> None:
        await asyncio.gather(*self._all)


@pytest.fixture
async def many() -> AsyncIterator[Requests]:
    """So many at once that an endpoint's fourth is more than what a new one has."""
    requests = Requests(concurrency=64)
    yield requests
    await requests.forget()


@pytest.fixture
async def requests() -> AsyncIterator[Requests]:
    requests = Requests(concurrency=8)
    yield requests
    await requests.forget()


async def test_quick_requests_take_room_and_give_it_back(requests: Requests) -> None:
    under_way = requests.under_way
    begun = [requests.begin(number) for number in range(8)]
    assert (len(under_way), under_way.room(NOW), len(under_way.claims)) == (8, 0, 8)
    under_way.remove(begun[0], NOW)
    assert (len(under_way), under_way.room(NOW)) == (7, 1)


async def test_a_slow_request_takes_no_room_but_in_a_bound_on_all(requests: Requests) -> None:
    under_way = requests.under_way
    for second in range(MOST_UNDER_WAY):
        assert under_way.room(NOW + second * SLOW_AFTER) == 8
        slow = [requests.begin(number, NOW + second * SLOW_AFTER) for number in range(8)]
    later = NOW + MOST_UNDER_WAY * SLOW_AFTER
    assert under_way.room(later) == 0
    under_way.remove(slow[0], later)
    assert under_way.room(later) == 1


async def test_a_request_is_slow_after_a_second_not_before(requests: Requests) -> None:
    requests.begin(1)
    assert requests.under_way.room(NOW + SECOND - 1) == 7
    assert requests.under_way.room(NOW + SECOND) == 8


async def test_a_new_endpoint_has_few_and_slow_requests_count_against_it(requests: Requests) -> None:
    under_way = requests.under_way
    assert under_way.crowd().left(1) == 2
    requests.begin(1)
    assert under_way.crowd().left(1) == 1
    requests.begin(1)
    under_way.room(NOW + 5 * SECOND)
    crowd = under_way.crowd()
    assert (crowd.left(1), crowd.left(2), crowd.full()) == (0, 2, {1})


async def test_each_answer_that_is_not_slow_earns_one_more_up_to_all(requests: Requests) -> None:
    requests.answer(1, 3)
    assert requests.under_way.crowd().left(1) == 5
    requests.answer(1, 100)
    assert requests.under_way.crowd().left(1) == 8
    assert requests.under_way.crowd().left(2) == 2


async def test_the_first_slow_request_takes_back_what_was_earned(requests: Requests) -> None:
    requests.answer(1, 100)
    slow = [requests.begin(1) for _ in range(8)]
    requests.under_way.room(NOW + SLOW_AFTER)
    assert requests.under_way.crowd().left(1) == 0
    for request in slow:
        requests.under_way.remove(request, NOW + SLOW_AFTER)
    assert requests.under_way.crowd().left(1) == 2


async def test_a_crowded_endpoint_has_room_again_when_half_of_its_requests_have_ended(requests: Requests) -> None:
    under_way = requests.under_way
    others = [requests.begin(2) for _ in range(1)]
    requests.answer(1, 2)
    crowd = [requests.begin(1) for _ in range(4)]
    assert under_way.crowd().full() == {1}
    assert [under_way.remove(request, NOW) for request in (*others, *crowd)] == [False, False, True, False, False]


async def test_what_endpoints_have_earned_is_kept_for_those_that_answered_last(requests: Requests) -> None:
    for endpoint_id in range(MOST_REMEMBERED + 1):
        requests.answer(endpoint_id, 1)
    crowd = requests.under_way.crowd()
    assert (crowd.left(0), crowd.left(1), crowd.left(MOST_REMEMBERED)) == (2, 3, 3)


async def test_a_hundred_endpoints_that_hang_leave_slots_to_others_from_the_first_moment_on() -> None:
    requests = Requests(concurrency=256)
    for endpoint_id in range(100):
        for _ in range(requests.under_way.crowd().left(endpoint_id)):
            requests.begin(endpoint_id)
    assert requests.under_way.room(NOW) >= 50
    await requests.forget()


async def test_a_slow_receiver_that_answers_earns_a_fourth_and_no_more(many: Requests) -> None:
    under_way = many.under_way
    for number in range(100):
        began = NOW + number * SLOW_AFTER
        under_way.remove(many.begin(1, began), began + SLOW_AFTER)
    assert under_way.left(1) == 16


async def test_a_slow_request_leaves_a_fourth_and_one_without_an_answer_nothing_of_what_was_earned(
    many: Requests,
) -> None:
    under_way = many.under_way
    many.answer(1, 100)
    assert under_way.left(1) == 64
    slow = many.begin(1)
    under_way.room(NOW + SLOW_AFTER)
    assert under_way.left(1) == 16 - 1
    under_way.remove(slow, NOW + SLOW_AFTER, answered=False)
    assert under_way.left(1) == FIRST_REQUESTS


async def test_when_half_of_all_are_slow_an_endpoint_that_has_one_gets_no_more(many: Requests) -> None:
    under_way = many.under_way
    for endpoint_id in range(32):
        many.answer(endpoint_id, 100)
        for _ in range(8):
            many.begin(endpoint_id)
    later = NOW + SLOW_AFTER
    assert under_way.room(later) == 64
    assert (under_way.left(1), under_way.left(99)) == (0, FIRST_REQUESTS)
    one_more = many.begin(99, later)
    under_way.remove(one_more, later)
    assert under_way.left(99) == FIRST_REQUESTS + 1


async def test_what_has_ended_is_not_kept_while_the_clock_is_behind_where_it_was(requests: Requests) -> None:
    for number in range(100):
        request = requests.begin(1, NOW - number)
        requests.under_way.remove(request, NOW - number)
    assert len(requests.under_way._began) < 3
