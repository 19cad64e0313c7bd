"""`make bench`: deliveries a second, end to end, beside the bare sender's rate in the same run.

End to end is: accept events in batches (one transaction each), claim, sign, POST, record the attempt; on SQLite and
on a real PostgreSQL, both with durable commits. The bare sender posts the same bodies, signed the same way, with no
store. Every run is reconciled: the receiver's count must be exactly the number of deliveries accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvloop

from benchmarks.receiving import ReceiverProcess, receiver_process
from hookwright.ambient import AnchoredClock, Dice, new_event_id, new_signing_key
from hookwright.app import Hookwright
from hookwright.config import Settings
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import SECOND, Subscription
from hookwright.core.signing import signed_headers
from hookwright.engine.sender import Sender
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.testing.postgres import database_url, postgres_server, run

BODY_BYTES = 1_024
IN_FLIGHT = 256
BATCH = 500
MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

Measure = Callable[[], Coroutine[Any, Any, float]]


def contact_data() -> bytes:
    """Event data whose Kit payload has about 1 KB."""
    fields = {f"field_{number}": "x" * 60 for number in range(11)}
    contact = {"id": 1, "email": "ada@example.com", "first_name": "Ada", "fields": fields}
    return msgspec.json.encode({"contact": contact, "tag": {"id": 123, "name": "VIP"}})


async def bare_sender(receiver: ReceiverProcess, requests: int) -> float:
    """Signed POSTs a second with no store: what end to end is compared with."""
    clock = AnchoredClock()
    sender = Sender(clock, TargetPolicy(allow_private=True))
    keys = (new_signing_key(),)
    body = b"x" * BODY_BYTES
    before = receiver.count()
    left = requests

    async def send_some() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            now = clock.now()
            headers = {
                "content-type": "application/json",
                **signed_headers(keys, new_event_id(now, 0), now // SECOND, body),
            }
            outcome = await sender.send(receiver.url + "/", headers, body)
            assert outcome.status_code == 200, outcome

    began = time.perf_counter()
    await asyncio.gather(*(send_some() for _ in range(IN_FLIGHT)))
    seconds = time.perf_counter() - began
    await sender.close()
    assert receiver.count() - before == requests, "the receiver's count does not reconcile"
    return requests / seconds


async def end_to_end(settings: Settings, receiver: ReceiverProcess, events: int) -> float:
    """Deliveries a second from the first publish to the last request that the receiver has had."""
    hookwright = await Hookwright.open(settings, dice=Dice(seed=1))
    account = (await create_account(hookwright.services, "benchmark")).account
    wanted = [Subscription("subscriber.tag_add", "123")]
    await create_endpoint(hookwright.services, account.id, "kit", receiver.url + "/", wanted)
    request = Publish(type="contact.tag_added", account=account.id, data=msgspec.Raw(contact_data()))
    before = receiver.count()
    hookwright.start()
    began = time.perf_counter()
    for _ in range(events // BATCH):
        await publish(hookwright.services, [request] * BATCH, "/events")
    await receiver.reached(before + events)
    seconds = time.perf_counter() - began
    await hookwright.drain()
    await hookwright.close()
    assert receiver.count() - before == events, "the receiver's count does not reconcile"
    return events / seconds


async def on_sqlite(receiver: ReceiverProcess, events: int) -> float:
    with tempfile.TemporaryDirectory(prefix="hookwright-bench-") as folder:
        url = f"sqlite:{Path(folder) / 'bench.sqlite3'}"
        return await end_to_end(_settings(url), receiver, events)


async def on_postgres(server_url: str, receiver: ReceiverProcess, events: int) -> float:
    await run(server_url, "DROP DATABASE IF EXISTS hookwright_bench", "CREATE DATABASE hookwright_bench")
    return await end_to_end(_settings(database_url(server_url, "hookwright_bench")), receiver, events)


def _settings(url: str) -> Settings:
    return Settings(
        database_url=url, master_key=MASTER_KEY, allow_private_targets=True, concurrency=IN_FLIGHT, log_level="error"
    )


def measure(rounds: int, events: int) -> dict[str, list[float]]:
    """The rates of each measure, a round after another, so that a noisy minute touches all of them."""
    rates: dict[str, list[float]] = {"bare sender": [], "SQLite": [], "PostgreSQL": []}
    with receiver_process() as receiver, postgres_server() as server_url:
        measures: dict[str, Measure] = {
            "bare sender": lambda: bare_sender(receiver, events),
            "SQLite": lambda: on_sqlite(receiver, events),
            "PostgreSQL": lambda: on_postgres(server_url, receiver, events),
        }
        for _ in range(rounds):
            for name, take in measures.items():
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    rates[name].append(runner.run(take()))
    return rates


def report(rates: dict[str, list[float]]) -> str:
    """The medians with their spread, and the ratio to the bare sender."""
    bare = statistics.median(rates["bare sender"])
    lines = [f"{'measure':<28}{'a second':>10}{'from':>10}{'to':>10}{'of bare':>10}"]
    for name, values in rates.items():
        median = statistics.median(values)
        label = name if name == "bare sender" else f"end to end, {name}"
        lines.append(f"{label:<28}{median:>10,.0f}{min(values):>10,.0f}{max(values):>10,.0f}{median / bare:>10.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=10_000, help=f"a round, a multiple of {BATCH}")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    rates = measure(arguments.rounds, arguments.events)
    if arguments.json:
        json.dump({"rates": rates, "python": platform.python_version(), "machine": platform.platform()}, sys.stdout)
        print()
    else:
        print(f"{arguments.rounds} rounds of {arguments.events:,} deliveries, 1 KB, {IN_FLIGHT} in flight")
        print(report(rates))


if __name__ == "__main__":
    main()
