"""Deliveries that were claimed as they were accepted and wait in memory until there is a slot for them.

They save a look each: what a burst leaves, or an event for thousands of endpoints, is sent without being read again.
Whatever may be wrong with waiting in memory is bounded: how many wait and how large they are, for how long, and how
long a change of their endpoint goes unnoticed. What exceeds a bound goes back into the store for anyone to claim.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import NamedTuple

from hookwright.core.model import SECOND, Claim, Instant

MOST_WAITING = 20_000
MOST_BYTES = 32 * 1024 * 1024

# A delivery that waits for so long goes back: its receivers are slower than they were taken for.
LONGEST_WAIT: Instant = 5 * SECOND

# For so long what was seen of an endpoint is believed. Somebody may pause or delete it, or change its URL, also when
# this process cannot ask, since it is cut off or its connections are all busy.
BELIEVED_FOR: Instant = 7 * SECOND // 10


class _Waiting(NamedTuple):
    claim: Claim
    since: Instant
    lease_until: Instant
    seen_at: Instant  # its endpoint was read no earlier, and might be sent to


class Check(NamedTuple):
    """Which endpoints may still be sent what was matched since an instant, as they were read after `began_at`."""

    sendable: Collection[int]
    unchanged_since: Instant
    began_at: Instant


class Waiting:
    """Claims in the order in which they are to be sent: endpoint by endpoint in turn, each in its own order.

    An endpoint that may not be sent to when its turn comes has no more turns until `may_go_again` says so: however
    many there are of those, nobody else waits for them, and nobody asks them over and over.
    """

    def __init__(self) -> None:
        self._of_endpoint: dict[int, deque[_Waiting]] = {}
        self._turns: OrderedDict[int, None] = OrderedDict()
        self._number = 0
        self._bytes = 0
        self._most = MOST_WAITING
        self._check = Check((), 0, 0)

    def __len__(self) -> int:
        return self._number

    @property
    def claims(self) -> list[Claim]:
        """What waits."""
        return [each.claim for each in self._all()]

    def claims_until(self, lease_until: Instant) -> list[Claim]:
        """What waits whose lease ends by then."""
        return [each.claim for each in self._all() if each.lease_until <= lease_until]

    @property
    def endpoint_ids(self) -> list[int]:
        """The endpoints that something waits for."""
        return list(self._of_endpoint)

    @property
    def seen_since(self) -> Instant:
        """When the first of these endpoints was read for what waits for it. Something must wait."""
        return min(each.seen_at for each in self._all())

    @property
    def room(self) -> int:
        """How many more may wait."""
        return max(0, self._most - self._number)

    @property
    def room_in_bytes(self) -> int:
        """How large the bodies of those may be."""
        return max(0, MOST_BYTES - self._bytes)

    def number_for(self, endpoint_id: int) -> int:
        """How many wait for this endpoint."""
        return len(self._of_endpoint.get(endpoint_id, ()))

    def earn(self) -> None:
        """A receiver answered quickly: one more may wait."""
        if self._most < MOST_WAITING:
            self._most += 1

    def add(self, claim: Claim, now: Instant, lease_until: Instant, seen_at: Instant) -> None:
        """Wait, behind whatever waits for the same endpoint. That was read no earlier than `seen_at`."""
        endpoint_id = claim.endpoint_id
        line = self._of_endpoint.get(endpoint_id)
        if line is None:
            line = self._of_endpoint[endpoint_id] = deque()
            self._turns[endpoint_id] = None
        line.append(_Waiting(claim, now, lease_until, seen_at))
        self._number += 1
        self._bytes += len(claim.body)

    def take(self, may_go: Callable[[int], bool], now: Instant) -> Claim | None:
        """The next one, to an endpoint that may be sent to and was seen lately; None if there is none.

        One whose lease has ended, since this process stood still, is somebody else's by now, and is forgotten.
        """
        while self._turns:
            endpoint_id, _ = self._turns.popitem(last=False)
            line = self._of_endpoint[endpoint_id]
            while line and line[0].lease_until <= now:
                self._forget(line.popleft())
            if line and not (self._seen_at(line[0]) > now - BELIEVED_FOR and may_go(endpoint_id)):
                continue
            next_one = line.popleft() if line else None
            if line:
                self._turns[endpoint_id] = None
            else:
                del self._of_endpoint[endpoint_id]
            if next_one is not None:
                self._forget(next_one)
                return next_one.claim
        return None

    def next_ones(self, most: int) -> list[Claim]:
        """What goes next, as it looks now: the first of each endpoint that has a turn."""
        return [self._of_endpoint[endpoint_id][0].claim for endpoint_id in islice(self._turns, most)]

    def may_go_again(self, endpoint_id: int) -> None:
        """Something has changed for this endpoint: it has turns again, if anything waits for it."""
        if endpoint_id in self._of_endpoint and endpoint_id not in self._turns:
            self._turns[endpoint_id] = None

    def all_may_go_again(self) -> None:
        """Something may have changed for any of them."""
        for endpoint_id in self._of_endpoint:
            self.may_go_again(endpoint_id)

    def renewed(self, delivery_ids: Collection[int], lease_until: Instant) -> None:
        """These are ours for longer."""
        for line in self._of_endpoint.values():
            for place, each in enumerate(line):
                if each.claim.delivery_id in delivery_ids:
                    line[place] = each._replace(lease_until=lease_until)

    def checked(self, check: Check) -> None:
        """These endpoints may be sent to."""
        self._check = check

    def take_out(self, unsendable: Collection[int], now: Instant) -> list[Claim]:
        """Whatever waits for these endpoints, or has waited for too long: it is to go back.

        After one that has waited for too long nothing may wait until it is earned again.
        """
        too_late = now - LONGEST_WAIT
        out = [each for each in self._all() if each.since <= too_late or each.claim.endpoint_id in unsendable]
        if any(each.since <= too_late for each in out):
            self._most = 0
        return self._without(out)

    def take_all(self) -> list[Claim]:
        """Whatever waits: it is to go back."""
        return self._without(list(self._all()))

    def _seen_at(self, each: _Waiting) -> Instant:
        # What was not in memory when the check began may have been matched before a change that it did not ask for.
        is_checked = each.claim.endpoint_id in self._check.sendable and each.seen_at >= self._check.unchanged_since
        return max(each.seen_at, self._check.began_at) if is_checked else each.seen_at

    def _without(self, out: list[_Waiting]) -> list[Claim]:
        gone = {each.claim.delivery_id for each in out}
        for endpoint_id in {each.claim.endpoint_id for each in out}:
            line = self._of_endpoint[endpoint_id]
            left = deque(each for each in line if each.claim.delivery_id not in gone)
            if left:
                self._of_endpoint[endpoint_id] = left
            else:
                del self._of_endpoint[endpoint_id]
                self._turns.pop(endpoint_id, None)
        for each in out:
            self._forget(each)
        return [each.claim for each in out]

    def _all(self) -> Iterator[_Waiting]:
        return (each for line in self._of_endpoint.values() for each in line)

    def _forget(self, each: _Waiting) -> None:
        self._number -= 1
        self._bytes -= len(each.claim.body)
