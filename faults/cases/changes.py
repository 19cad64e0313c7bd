"""Endpoints are deleted, paused and rotated under load: nothing starts after the end, and everything verifies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from faults import changed, checker
from faults.case import Case, Check, Plan, Verdict
from faults.changed import Change, read_changes
from faults.changing import Diary, Place
from faults.checker import Records, read_records
from faults.database import dump
from faults.farm import Manners, farm
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.settling import settled
from faults.system import Node, System, system_on

PLACES = 24
WORKERS = 2
RETRIES = (0, 1, 1, 1)
PRODUCERS = 12
# With a fifth of all requests refused a breaker opens now and then, for half a minute at first.
PATIENCE_SECONDS = 120.0


async def run(plan: Plan) -> Verdict:
    """On PostgreSQL the changes are made in one process and the requests in two others; on SQLite all in one."""
    manners = Manners(plan.seed, refused=0.2, slow=0.3, slow_seconds=0.4)
    with farm(plan.folder, manners) as receivers:
        async with system_on(plan) as system:
            front = await _start(plan, system)
            diary = Diary(plan.folder)
            async with system.client(front.url) as client:
                fields = {"retry_schedule": RETRIES}
                places = [Place(client, diary, receivers.url, f"p{number}", fields) for number in range(PLACES)]
                aims = [await place.open() for place in places]
                producer = Producer(plan.folder, await system.key(), aims, lambda: front.url, pause=0.01)
                publishing = asyncio.create_task(producer.run(tasks=PRODUCERS))
                turns = iter(range(plan.rounds))
                await asyncio.gather(
                    *(place.change_now_and_then(turns, plan.dice(f"place {n}")) for n, place in enumerate(places))
                )
                producer.stop()
                await publishing
                while not all([await place.replays_done() for place in places]):  # noqa: ASYNC110 - another process does them
                    await asyncio.sleep(0.2)
                await settled(system.database_url, PATIENCE_SECONDS)
            await dump(system.database_url, plan.folder)
    replays = sum(place.replays for place in places)
    return _judged(read_records(plan.folder), read_changes(plan.folder), diary.counts, replays)


async def _start(plan: Plan, system: System) -> Node:
    if plan.database == "sqlite":
        return await system.start()
    front = await system.start("--role", "api")
    for _ in range(WORKERS):
        await system.start("--role", "worker")
    return front


def _judged(records: Records, changes: Sequence[Change], counts: Mapping[str, int], replays: int) -> Verdict:
    problems = {
        "requests started over 1 s after the answer": changed.started_in_stillness(records, changes),
        "requests that no key verifies": changed.unverifiable(records.arrivals, changes),
        "requests without a live key's signature": changed.missing_signatures(records.arrivals, changes),
        "deliveries missing": changed.uncreated(records),
        "deliveries left behind": changed.left_behind(records, changes, len(RETRIES)),
    }
    checks, evidence = as_checks(problems)
    promise, promise_evidence = promised(records, delivered=False)
    retries = sum(attempt.number > 1 for attempt in records.dump.attempts)
    repeats = checker.repeats(records.arrivals)
    tried = [
        Check("requests that were retries", retries, 1, side="at least"),
        Check("requests that were replays", repeats, 1, side="at least"),
    ]
    done = {
        "deleted": counts.get("delete", 0),
        "paused": counts.get("pause", 0),
        "rotated": counts.get("rotate", 0),
        "events": len(records.answers),
        "requests": len(records.arrivals),
        "replays": replays,
    }
    return Verdict(done, [*checks, *tried, *promise], [*evidence, *promise_evidence])


CHANGES = Case(
    name="changes",
    about="endpoints deleted, paused and rotated while they are sent to, with retries and replays",
    run=run,
    short=200,
    long=5_000,
    lasts_seconds=40,
    databases=("postgres", "sqlite"),
)
