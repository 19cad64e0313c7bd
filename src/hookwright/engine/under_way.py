"""The requests that are under way: how many more there may be, and to whom."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator

from hookwright.core.model import SECOND, Claim, Instant
from hookwright.store.base import Crowd

# A request that has waited so long for its receiver costs next to nothing any more but a socket: what `concurrency`
# bounds is the work of signing, connecting and recording. Nearly every answer comes sooner.
SLOW_AFTER: Instant = SECOND

# So many times `concurrency` bounds all requests, slow ones included: their sockets and bodies. When slow ones are
# half of that, an endpoint that has one gets no more: however many hang, the other half is for those that answer.
MOST_UNDER_WAY = 8

# What an endpoint may have that has not answered lately. A hundred that hang take less than the slots of one second
# so, and everybody else keeps the rest (measured: with a fourth each, nobody else got a slot for a minute).
FIRST_REQUESTS = 2

# Each answer earns its endpoint one more, so that what it may have doubles with each round trip: up to all requests
# while it answers quickly, up to a fourth where it is slow. A flood to one that begins to hang leaves room for all
# others: the first slow request takes back what is beyond that fourth, one without an answer takes back the rest.
ENDPOINTS_SHARE = 4

# For how many endpoints it is kept what they have earned: those that answered last.
MOST_REMEMBERED = 256

Claims = tuple[Claim, ...]
Request = asyncio.Task[bool]  # whether the receiver answered


class UnderWay:
    """Requests under way, by when they began and to which endpoint they go."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._share = max(1, concurrency // ENDPOINTS_SHARE)
        self._first = min(FIRST_REQUESTS, self._share)
        self._requests: dict[Request, Claims] = {}
        self._began: deque[tuple[Instant, Request]] = deque()  # those that may be quick yet, oldest first
        self._quick: set[Request] = set()
        self._of_endpoint: Counter[int] = Counter()
        self._slow_of: Counter[int] = Counter()
        self._earned: OrderedDict[int, int] = OrderedDict()
        self._crowded: set[int] = set()

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    @property
    def claims(self) -> list[Claim]:
        """What they carry."""
        return [claim for claims in self._requests.values() for claim in claims]

    def endpoint_of(self, request: Request) -> int:
        """Whom a request goes to."""
        return self._requests[request][0].endpoint_id

    def add(self, request: Request, claims: Claims, now: Instant) -> None:
        """A request begins."""
        endpoint_id = claims[0].endpoint_id
        self._requests[request] = claims
        self._began.append((now, request))
        self._quick.add(request)
        self._of_endpoint[endpoint_id] += 1
        if self._left(endpoint_id) <= 0:
            self._crowded.add(endpoint_id)

    def remove(self, request: Request, now: Instant, answered: bool = True) -> bool:
        """A request has ended. Answers whether its endpoint was crowded and has room for several again."""
        self._find_slow(now)
        endpoint_id = self._requests.pop(request)[0].endpoint_id
        _count_down(self._of_endpoint, endpoint_id)
        if request in self._quick:
            self._quick.remove(request)
            self._earn(endpoint_id, self._concurrency)
        else:
            _count_down(self._slow_of, endpoint_id)
            if answered:
                self._earn(endpoint_id, self._share)
            else:
                self._earned.pop(endpoint_id, None)
        has_room_again = endpoint_id in self._crowded and 2 * self._left(endpoint_id) >= self._most(endpoint_id)
        if has_room_again:
            self._crowded.remove(endpoint_id)
        return has_room_again

    def room(self, now: Instant) -> int:
        """How many more may begin: slow ones do not count, but for a bound on all."""
        self._find_slow(now)
        return min(self._concurrency - len(self._quick), MOST_UNDER_WAY * self._concurrency - len(self._requests))

    def crowd(self) -> Crowd:
        """How many more may go to each endpoint."""
        known = self._of_endpoint.keys() | self._earned.keys()
        return Crowd({endpoint_id: max(0, self._left(endpoint_id)) for endpoint_id in known}, self._first)

    def left(self, endpoint_id: int) -> int:
        """How many more may go to an endpoint."""
        return max(0, self._left(endpoint_id))

    def has_room_for(self, endpoint_id: int) -> bool:
        """Whether another request may go to an endpoint."""
        return self._left(endpoint_id) > 0

    def has_earned_all(self, endpoint_id: int) -> bool:
        """Whether an endpoint may have every request: the last ones were answered quickly."""
        return self._most(endpoint_id) >= self._concurrency

    def _find_slow(self, now: Instant) -> None:
        while self._began and self._began[0][0] <= now - SLOW_AFTER:
            _, request = self._began.popleft()
            if request in self._quick:
                self._quick.remove(request)
                endpoint_id = self._requests[request][0].endpoint_id
                self._slow_of[endpoint_id] += 1
                if endpoint_id in self._earned:
                    self._earned[endpoint_id] = min(self._earned[endpoint_id], self._share - self._first)

    def _earn(self, endpoint_id: int, most: int) -> None:
        self._earned[endpoint_id] = min(self._earned.get(endpoint_id, 0) + 1, most - self._first)
        self._earned.move_to_end(endpoint_id)
        if len(self._earned) > MOST_REMEMBERED:
            self._earned.popitem(last=False)

    def _most(self, endpoint_id: int) -> int:
        return self._first + self._earned.get(endpoint_id, 0)

    def _left(self, endpoint_id: int) -> int:
        if endpoint_id in self._slow_of and self._half_are_slow():
            return 0
        return self._most(endpoint_id) - self._of_endpoint[endpoint_id]

    def _half_are_slow(self) -> bool:
        return 2 * (len(self._requests) - len(self._quick)) >= MOST_UNDER_WAY * self._concurrency


def _count_down(counter: Counter[int], endpoint_id: int) -> None:
    counter[endpoint_id] -= 1
    if not counter[endpoint_id]:
        del counter[endpoint_id]
