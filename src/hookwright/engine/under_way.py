"""The requests that are under way: how many more there may be, and to whom."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator

from hookwright.core.model import SECOND, Claim, Instant
from hookwright.store.base import Crowd

# One endpoint may have a fourth of the requests: a flood to it leaves room for others at once, and they are still
# enough to keep a receiver busy that answers within a few hundredths of a second.
ENDPOINTS_SHARE = 4

# A request that has waited so long for its receiver costs next to nothing any more but a socket: what `concurrency`
# bounds is the work of signing, connecting and recording. Nearly every answer comes sooner.
SLOW_AFTER: Instant = SECOND

# So many times `concurrency` bounds all requests, slow ones included: their sockets and bodies. It takes 32 endpoints
# that hang, each with its whole share, before anybody else waits for them.
MOST_UNDER_WAY = 8

Claims = tuple[Claim, ...]
Request = asyncio.Task[None]


class UnderWay:
    """Requests under way, by when they began and to which endpoint they go."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._most_of_one = max(1, concurrency // ENDPOINTS_SHARE)
        self._requests: dict[Request, Claims] = {}
        self._began: deque[tuple[Instant, Request]] = deque()  # those that may still be quick, oldest first
        self._quick: set[Request] = set()
        self._of_endpoint: Counter[int] = Counter()
        self._crowded: set[int] = set()

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    @property
    def claims(self) -> list[Claim]:
        """What they carry."""
        return [claim for claims in self._requests.values() for claim in claims]

    def add(self, request: Request, claims: Claims, now: Instant) -> None:
        """A request begins."""
        endpoint_id = claims[0].endpoint_id
        self._requests[request] = claims
        self._began.append((now, request))
        self._quick.add(request)
        self._of_endpoint[endpoint_id] += 1
        if self._of_endpoint[endpoint_id] >= self._most_of_one:
            self._crowded.add(endpoint_id)

    def remove(self, request: Request) -> bool:
        """A request has ended. Answers whether its endpoint was crowded and has room for several again."""
        endpoint_id = self._requests.pop(request)[0].endpoint_id
        self._quick.discard(request)
        self._of_endpoint[endpoint_id] -= 1
        left = self._of_endpoint[endpoint_id]
        if not left:
            del self._of_endpoint[endpoint_id]
        has_room_again = endpoint_id in self._crowded and left <= self._most_of_one // 2
        if has_room_again:
            self._crowded.remove(endpoint_id)
        return has_room_again

    def room(self, now: Instant) -> int:
        """How many more may begin: as many as are not quick any more do not count, up to a bound on all."""
        while self._began and self._began[0][0] <= now - SLOW_AFTER:
            self._quick.discard(self._began.popleft()[1])
        return min(self._concurrency - len(self._quick), MOST_UNDER_WAY * self._concurrency - len(self._requests))

    def crowd(self) -> Crowd:
        """How many are on their way to each endpoint, and how many may be."""
        return Crowd(self._most_of_one, dict(self._of_endpoint))
