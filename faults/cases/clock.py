"""One process's clock is put forward or back by an hour or a day: nothing comes early, stalls or floods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from faults import checker, punctuality
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records, read_records
from faults.database import dump
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.punctuality import Retry
from faults.settling import settled
from faults.stepped_clock import SteppedClock
from faults.system import Node, System, system_on

HOUR, DAY = 3_600, 86_400
ENDPOINTS = 4
SCHEDULE = (0, 2, 3, 4, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1)
# Of the requests. Ten refusals in a row open an endpoint's breaker, and what waits behind that is late by 30 seconds:
# with a third of them that happens once in 36,000 requests (it did, in the long form), with a fifth in ten million.
REFUSED = 0.2
QUIET_SECONDS = 6.0
# A process asks its database for the time every ten seconds: what a step does is seen when it has asked twice.
AFTER_A_STEP = (11.0, 13.0)
LATEST_SECONDS = 2.0
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
BUSIEST = 2.0


async def run(plan: Plan) -> Verdict:
    """On PostgreSQL one of two workers at a time; on SQLite the one process. A round is a step there and back."""
    nemesis = Nemesis(plan.folder, plan.dice("steps"))
    manners = Manners(plan.seed, refused=REFUSED, retry_after=3)
    with farm(plan.folder, manners) as receivers, _home(plan) as home:
        async with system_on(replace(plan, folder=home)) as system:
            clocks = [SteppedClock(plan.folder / f"clock-{number}") for number in range(_processes_of(plan))]
            front = await _start(plan, system, clocks)
            aims = await system.subscribe(front, receivers.url, ENDPOINTS, retry_schedule=SCHEDULE)
            producer = Producer(plan.folder, await system.key(), aims, lambda: front.url, pause=0.1)
            publishing = asyncio.create_task(producer.run(tasks=4))
            await asyncio.sleep(QUIET_SECONDS)
            for number in range(plan.rounds):
                await _there_and_back(clocks, nemesis, (HOUR, DAY)[number % 2])
            producer.stop()
            await publishing
            await settled(system.database_url)
            await dump(system.database_url, plan.folder)
    return _judged(plan, manners)


@contextmanager
def _home(plan: Plan) -> Iterator[Path]:
    """A folder for the database. A SQLite file is kept in memory: it is no disk that is to be slow here."""
    if plan.database == "postgres":
        yield plan.folder
        return
    with TemporaryDirectory(prefix="hookwright-faults-clock-", dir=IN_MEMORY) as folder:
        yield Path(folder)


def _processes_of(plan: Plan) -> int:
    return 1 if plan.database == "sqlite" else 2


async def _start(plan: Plan, system: System, clocks: list[SteppedClock]) -> Node:
    """Every process that sends has a clock of its own; the front is the one to publish to."""
    if plan.database == "sqlite":
        return await system.start(environ=clocks[0].environ)
    front = await system.start("--role", "api")
    for clock in clocks:
        await system.start("--role", "worker", environ=clock.environ)
    return front


async def _there_and_back(clocks: list[SteppedClock], nemesis: Nemesis, size: int) -> None:
    clock = nemesis.dice.choice(clocks)
    sign = nemesis.dice.choice((1, -1))
    for seconds in (sign * size, -sign * size):
        with nemesis.doing(f"{seconds:+d} s", f"clock-{clocks.index(clock)}"):
            clock.step(seconds)
        await nemesis.wait(*AFTER_A_STEP)


def _judged(plan: Plan, manners: Manners) -> Verdict:
    records = read_records(plan.folder)
    checks, evidence = promised(records)
    retries = punctuality.retries(records.arrivals, SCHEDULE, manners)
    more, more_evidence = as_checks(
        {
            "retries that came early": punctuality.early(retries),
            "repeats of what had succeeded": checker.needless_repeats(records, unwritten_seconds=0),
            "publishes refused": checker.unasked(records.answers, allowed=()),
        }
    )
    # The control of the same minute: what is late before the first step is the machine's.
    first_step = min((deed.began_at for deed in records.deeds), default=0)
    before = _latest(retries, records, lambda at: at < first_step)
    after = _latest(retries, records, lambda at: at >= first_step)
    rush = punctuality.rush(records.arrivals, [deed.began_at for deed in records.deeds], AFTER_A_STEP[0])
    figures = [
        Check("latest request after its due time, beyond that before", after - before, LATEST_SECONDS, unit="s"),
        Check("busiest second after a step, to that before", rush, BUSIEST),
        Check("retries seen", len(retries), 20 * plan.rounds, side="at least"),
    ]
    done = {
        "steps": len(records.deeds),
        "events": len({answer.event_id for answer in records.answers if answer.event_id}),
        "retries": len(retries),
        "latest before the first step, ms": before * 1_000,
    }
    return Verdict(done, [*checks, *more, *figures], [*evidence, *more_evidence])


def _latest(retries: Sequence[Retry], records: Records, is_of_then: Callable[[int], bool]) -> float:
    """How late the latest request was, a retry or the first of an event, of those that were due at some time."""
    first_requests = replace(records, answers=[each for each in records.answers if is_of_then(each.answered_at)])
    late = [retry.late_seconds for retry in retries if is_of_then(retry.due_until)]
    return max([*late, *checker.latenesses(first_requests)], default=0.0)


CLOCK = Case(
    name="clock",
    about="steps of an hour and a day of one process's clock, either way",
    run=run,
    short=2,
    long=50,
    lasts_seconds=75,
    databases=("sqlite", "postgres"),
)
