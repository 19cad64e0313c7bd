"""The disk is full, or refuses to be written to: nothing is accepted that is not kept, and it heals by itself.

The database is on it, and the log of the server: SQLite's, or PostgreSQL's data folder with its own log.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from faults import answered, checker
from faults.case import Case, Check, Plan, Skipped, Verdict
from faults.checker import read_records
from faults.database import dump
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.settling import settled
from faults.small_disk import SmallDisk, can_refuse_writes, read_only_for, small_disk
from faults.system import system_on

MEGABYTES = {"sqlite": 32, "postgres": 160}
MEGABYTES_OF_A_ROUND = 5  # what a round leaves for good, and a little more
# So that PostgreSQL's own log (two files of 16 MB) leaves the tables some room.
SMALL = {"max_wal_size": "32MB", "min_wal_size": "32MB"}
ENDPOINTS = 4
HEALED_SECONDS = 10.0
BEFORE = (2.0, 4.0)
MEANWHILE = (3.0, 5.0)
UNTIL_REFUSED = 60.0
SCHEDULE = (0, *[1] * 30)


async def run(plan: Plan) -> Verdict:
    """It is full in one round and read-only in the next; under PostgreSQL full each time."""
    nemesis = Nemesis(plan.folder, plan.dice("disk"))
    manners = Manners(plan.seed, refused=0.1, slow=0.3, slow_seconds=1.0)
    _ask_for_root(plan)
    megabytes = MEGABYTES[plan.database] + MEGABYTES_OF_A_ROUND * plan.rounds
    with small_disk(plan.folder / "disk", megabytes) as disk, farm(plan.folder, manners) as receivers:
        async with system_on(replace(plan, folder=disk.folder), postgres_settings=SMALL) as system:
            node = await system.start()
            aims = await system.subscribe(node, receivers.url, ENDPOINTS, retry_schedule=SCHEDULE)
            producer = Producer(plan.folder, await system.key(), aims, lambda: node.url, pause=0.02)
            publishing = asyncio.create_task(producer.run(tasks=4))
            for number in range(plan.rounds):
                await nemesis.wait(*BEFORE)
                is_full = number % 2 == 0 or not _can_be_read_only(plan)
                with nemesis.doing("full" if is_full else "read-only", node.name):
                    await _break(_full(disk) if is_full else read_only_for(node.pid), nemesis, producer)
                    if system.postgres is not None and not system.postgres.is_running:
                        # It stops itself when its own log finds no room, and whoever runs it starts it again.
                        await system.postgres.start_again()
                await asyncio.sleep(HEALED_SECONDS)
            producer.stop()
            await publishing
            await settled(system.database_url)
            await dump(system.database_url, plan.folder)
            ended = [] if node.is_running else [f"{node.name} ended with {node.process.returncode}"]
    return _judged(plan, ended)


def _ask_for_root(plan: Plan) -> None:
    if plan.database == "postgres" and os.getuid() != 0:
        raise Skipped("PostgreSQL does not start with root's rights in mounts of our own; run it as root")


def _can_be_read_only(plan: Plan) -> bool:
    # Those who write for PostgreSQL are many processes, of which strace would miss some.
    return plan.database == "sqlite" and can_refuse_writes()


async def _break(broken: AbstractAsyncContextManager[None], nemesis: Nemesis, producer: Producer) -> None:
    """Until something was refused for it, and a while longer."""
    answered = len(producer.answers)
    async with broken, asyncio.timeout(UNTIL_REFUSED):
        # The server refuses when it has to write more than it has room for.
        while all(answer.answer == "ok" for answer in producer.answers[answered:]):  # noqa: ASYNC110 - another process answers
            await asyncio.sleep(0.1)
        await nemesis.wait(*MEANWHILE)


@asynccontextmanager
async def _full(disk: SmallDisk) -> AsyncIterator[None]:
    disk.fill()
    try:
        yield
    finally:
        disk.free()


def _judged(plan: Plan, ended: list[str]) -> Verdict:
    records = read_records(plan.folder)
    checks, evidence = promised(records)
    more, more_evidence = as_checks(
        {
            "refusals that are no 503 with Retry-After": answered.unasked(records.answers),
            "requests without an answer": answered.unanswered(records.answers),
            "processes that ended": ended,
        }
    )
    refused = [answer for answer in records.answers if answer.status == 503]
    accepting, delivering = answered.longest_healing(records, records.deeds)
    figures = [
        Check("accepting again within", accepting, HEALED_SECONDS, unit="s"),
        Check("delivering again within", delivering, HEALED_SECONDS, unit="s"),
        Check("publishes refused with 503", len(refused), len(records.deeds), side="at least"),
    ]
    done = {
        "times the disk failed": len(records.deeds),
        "events": len({answer.event_id for answer in records.answers if answer.event_id}),
        "publishes refused": len(refused),
        "repeats": checker.repeats(records.arrivals),
    }
    is_missing = plan.database == "sqlite" and not can_refuse_writes()
    notes = [] if not is_missing else ["strace is not installed: the disk was full each time, never read-only"]
    return Verdict(done, [*checks, *more, *figures], [*evidence, *more_evidence], notes)


DISK_FULL = Case(
    name="disk_full",
    about="a full disk, then freed; a read-only one, then writable",
    run=run,
    short=2,
    long=20,
    lasts_seconds=45,
    databases=("sqlite", "postgres"),
)
