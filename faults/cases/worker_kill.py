"""Workers are killed at random under load: what was in flight is taken over, and nothing else comes twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from faults import checker
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.records import SECOND, percentile
from faults.settling import at_rest
from faults.system import Node, System, free_port, system_on

ACCOUNTS = 8
ENDPOINTS_EACH = 3  # so that an event has deliveries whose worker is killed beside others whose is not
WORKERS = 6
KILLED_TOGETHER = 5
TAKEOVER_SECONDS = 10.0
FIRST_KILL = (6.0, 7.0)  # when the workers have shared the lanes
UNDISTURBED = (
    4,
    1,
)  # from so many seconds before the first kill to so many: what is accepted then has been sent by it
# Every request takes so long, so that a worker always has some in flight.
ANSWER_SECONDS = 0.5
# Until what a volley hit has been taken over, so that the next does not hit it again and blur what is measured.
BETWEEN_VOLLEYS = (10.5, 12.0)
BETWEEN_KILLS_OF_THE_ONLY_ONE = (2.0, 4.0)


async def run(plan: Plan) -> Verdict:
    """On PostgreSQL volleys against five of six workers; on SQLite the one process, again and again."""
    nemesis = Nemesis(plan.folder, plan.dice("kills"))
    async with system_on(plan) as system:
        with farm(plan.folder, Manners(plan.seed, seconds=ANSWER_SECONDS)) as receivers:
            port = free_port()
            front = await system.start(*(() if plan.database == "sqlite" else ("--role", "api")), port=port)
            aims = await system.subscribe(front, receivers.url, ACCOUNTS, endpoints_each=ENDPOINTS_EACH)
            producer = Producer(plan.folder, await system.key(), aims, lambda: front.url, pause=0.15)
            async with producer.publishing(tasks=4):
                if plan.database == "sqlite":
                    await _kill_the_only_one(plan, system, front, port, nemesis)
                else:
                    await _kill_in_volleys(plan, system, nemesis)
            records = await at_rest(system.database_url, plan.folder)
    return _judged(plan, records)


async def _kill_in_volleys(plan: Plan, system: System, nemesis: Nemesis) -> None:
    workers = await _start_workers(system, WORKERS)
    await nemesis.wait(*FIRST_KILL)
    while (left := plan.rounds - len(nemesis.deeds)) > 0:
        workers += await _start_workers(system, WORKERS - len(workers))
        await nemesis.wait(1.0, 2.0)
        doomed = nemesis.dice.sample(workers, min(KILLED_TOGETHER, left))
        for worker in doomed:
            await nemesis.wait(0, 0.1)
            await _kill(worker, nemesis)
        workers = [worker for worker in workers if worker not in doomed]
        await nemesis.wait(*BETWEEN_VOLLEYS)


async def _start_workers(system: System, number: int) -> list[Node]:
    return await asyncio.gather(*(system.start("--role", "worker") for _ in range(number)))


async def _kill_the_only_one(plan: Plan, system: System, node: Node, port: int, nemesis: Nemesis) -> None:
    for _ in range(plan.rounds):
        await nemesis.wait(*BETWEEN_KILLS_OF_THE_ONLY_ONE)
        await _kill(node, nemesis)
        node = await system.start(port=port)


async def _kill(node: Node, nemesis: Nemesis) -> None:
    with nemesis.doing("SIGKILL", node.name):
        await node.kill()


def _judged(plan: Plan, records: Records) -> Verdict:
    checks, evidence = promised(records)
    more, more_evidence = as_checks({"repeats of what was not in flight": checker.needless_repeats(records)})
    takeovers = checker.takeovers(records, records.deeds)
    checks += [*more, Check("deliveries hit in flight", len(takeovers), len(records.deeds), side="at least")]
    # A control: on a busy machine every step of a takeover waits for its turn, as do those of a sending.
    ordinary_wait = percentile(_waits_before_the_first_kill(records), 0.99)
    if plan.database == "postgres":
        # The one process on SQLite has nobody to be taken over by: it comes again itself.
        beyond = percentile(takeovers, 0.99) - ordinary_wait
        checks.append(
            Check("taken over, p99, beyond the wait before the first kill", beyond, TAKEOVER_SECONDS, unit="s")
        )
    done = {
        "kills": len(records.deeds),
        "events": len(records.dump.events),
        "repeats": checker.repeats(records.arrivals),
        "an event's wait before the first kill, p99 ms": ordinary_wait * 1_000,
    }
    return Verdict(done, checks, [*evidence, *more_evidence])


def _waits_before_the_first_kill(records: Records) -> list[float]:
    first_kill = min(deed.began_at for deed in records.deeds)
    begin, end = (first_kill - seconds * SECOND for seconds in UNDISTURBED)
    answers = [answer for answer in records.answers if begin <= answer.answered_at < end]
    return checker.latenesses(replace(records, answers=answers))


WORKER_KILL = Case(
    name="worker_kill",
    about="SIGKILL of workers at random",
    run=run,
    short=25,
    short_on_sqlite=10,
    long=1_000,
    lasts_seconds=120,
    databases=("postgres", "sqlite"),
)
