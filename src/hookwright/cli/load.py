"""A load for a server of this machine: events for an account made for it, to a receiver here, each accounted for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from math import ceil
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hookwright.ambient import monotonic_us
from hookwright.cli.server_calls import Server
from hookwright.core.errors import HookwrightError
from hookwright.core.model import SECOND
from hookwright.core.samples import SAMPLES
from hookwright.testing.receiver import Receiver

EVENT_TYPE = "contact.created"
IN_ONE_REQUEST = 100
REQUESTS_AT_ONCE = 4
ONE_BY_ONE = 100  # events for the times
PATIENCE_SECONDS = 30.0
SLOWEST_A_SECOND = 20  # a rate below which it is given up


class NotHere(HookwrightError):
    """The server runs elsewhere: what it sends cannot arrive here."""


class Taken(NamedTuple):
    """A measurement: of how many events in which time, of each of some others how long, and what did not add up."""

    events: int
    published_in_us: int
    delivered_in_us: int
    took_us: Sequence[int]
    problem: str | None

    def figures(self) -> dict[str, Any]:
        """What people want to know."""
        return {
            "events": self.events,
            "deliveries_per_second": round(self.events * SECOND / self.delivered_in_us),
            "published_per_second": round(self.events * SECOND / self.published_in_us),
            "median_ms": percentile(self.took_us, 50) / 1_000,
            "p95_ms": percentile(self.took_us, 95) / 1_000,
            "p99_ms": percentile(self.took_us, 99) / 1_000,
        }


async def take(server: Server, events: int) -> Taken:
    """Publish events and have them arrive. Raises NotHere, Unreachable, Refused."""
    _require_local(server)
    async with Receiver(keep=events * 2 + ONE_BY_ONE) as receiver, _account(server, receiver.url) as account_id:
        began = monotonic_us()
        ids = await _publish_many(server, account_id, events)
        published = monotonic_us()
        problem = await _arrival_of(receiver, events)
        delivered = monotonic_us()
        took: list[int] = []
        while problem is None and len(took) < ONE_BY_ONE:
            asked = monotonic_us()
            publishing = asyncio.create_task(_publish(server, account_id, 1))
            problem = await _arrival_of(receiver, events + len(took) + 1)
            took.append(monotonic_us() - asked)
            ids += await publishing
        arrived = [request.headers.get("webhook-id", "") for request in receiver.requests]
    return Taken(events, published - began, delivered - began, took, problem or difference(ids, arrived))


def difference(published: Iterable[str], arrived: Iterable[str]) -> str | None:
    """How what arrived differs from what was published; None if it is each event, exactly once."""
    wanted, had = Counter(published), Counter(arrived)
    missing, surplus = (wanted - had).total(), (had - wanted).total()
    if not missing and not surplus:
        return None
    return f"of {wanted.total():,} events {missing:,} did not arrive, and {surplus:,} arrived that should not have"


def percentile(values: Sequence[int], percent: int) -> int:
    """The least of the values that so many percent do not exceed; 0 where there is none."""
    return sorted(values)[ceil(len(values) * percent / 100) - 1] if values else 0


def _require_local(server: Server) -> None:
    host = urlsplit(server.url).hostname or ""
    try:
        is_local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise NotHere(f"{server.url} is not on this machine, which has the receiver: run bench where the server runs")


@asynccontextmanager
async def _account(server: Server, receiver_url: str) -> AsyncIterator[int]:
    """An account with one endpoint; it is deleted afterwards, with all that is left."""
    account_id = int((await asyncio.to_thread(server.send, "POST", "/accounts", {"name": "hookwright bench"}))["id"])
    try:
        endpoint = {"account": account_id, "url": receiver_url, "events": [EVENT_TYPE]}
        await asyncio.to_thread(server.send, "POST", "/endpoints", endpoint)
        yield account_id
    finally:
        # Not awaited in a thread: whoever ended us by a signal does not let us wait.
        server.send("DELETE", f"/accounts/{account_id}")


async def _publish_many(server: Server, account_id: int, events: int) -> list[str]:
    free = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def publish_some(number: int) -> list[str]:
        async with free:
            return await _publish(server, account_id, number)

    sizes = [min(IN_ONE_REQUEST, events - done) for done in range(0, events, IN_ONE_REQUEST)]
    return [id for ids in await asyncio.gather(*map(publish_some, sizes)) for id in ids]


async def _publish(server: Server, account_id: int, number: int) -> list[str]:
    event = {"type": EVENT_TYPE, "account": account_id, "data": SAMPLES[EVENT_TYPE]}
    if number == 1:
        return [(await asyncio.to_thread(server.send, "POST", "/events", event))["event_id"]]
    answer = await asyncio.to_thread(server.send, "POST", "/events/batch", {"events": [event] * number})
    return [result["event_id"] for result in answer["results"]]


async def _arrival_of(receiver: Receiver, count: int) -> str | None:
    """Wait until so many requests have come in all; what is wrong if they have not."""
    try:
        await receiver.wait_for(count, timeout=PATIENCE_SECONDS + count / SLOWEST_A_SECOND)
    except AssertionError as error:
        return str(error)
    return None
