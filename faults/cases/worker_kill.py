"""Workers are killed at random under load: what was in flight is taken over, and nothing else comes twice."""

from __future__ import annotations

import asyncio

from faults import checker
from faults.case import Case, Check, Plan, Verdict
from faults.checker import read_records
from faults.database import dump
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.records import percentile
from faults.settling import settled
from faults.system import Node, System, free_port, system_on

ENDPOINTS = 8
WORKERS = 6
TAKEOVER_SECONDS = 10.0
KILLED_TOGETHER = 5
# Until what a volley hit has been taken over, so that the next does not hit it again and blur what is measured.
BETWEEN_VOLLEYS = (10.5, 12.0)
BETWEEN_RESTARTS = (2.0, 4.0)


async def run(plan: Plan) -> Verdict:
    """On PostgreSQL volleys against five of six workers; on SQLite the one process again and again."""
    nemesis = Nemesis(plan.folder, plan.dice("kills"))
    manners = Manners(plan.seed, slow=0.3, slow_seconds=0.3)
    async with system_on(plan) as system:
        with farm(plan.folder, manners) as receivers:
            port = free_port()
            front = await system.start(*(() if plan.database == "sqlite" else ("--role", "api")), port=port)
            aims = await system.subscribe(front, receivers.url, ENDPOINTS)
            producer = Producer(plan.folder, await system.key(), aims, lambda: front.url, pause=0.02)
            publishing = asyncio.create_task(producer.run(tasks=4))
            if plan.database == "sqlite":
                kills = await _kill_the_only_one(plan, system, front, port, nemesis)
            else:
                kills = await _kill_in_volleys(plan, system, nemesis)
            producer.stop()
            await publishing
            await settled(system.database_url)
            await dump(system.database_url, plan.folder)
    return _judged(plan, kills)


async def _kill_in_volleys(plan: Plan, system: System, nemesis: Nemesis) -> int:
    workers = [await system.start("--role", "worker") for _ in range(WORKERS)]
    kills = 0
    while kills < plan.rounds:
        await nemesis.wait(1.0, 2.0)
        doomed = nemesis.dice.sample(workers, min(KILLED_TOGETHER, plan.rounds - kills))
        for worker in doomed:
            await nemesis.wait(0, 0.1)
            await _kill(worker, nemesis)
        kills += len(doomed)
        workers = [worker for worker in workers if worker not in doomed]
        await nemesis.wait(*BETWEEN_VOLLEYS)
        workers += [await system.start("--role", "worker") for _ in doomed]
    return kills


async def _kill_the_only_one(plan: Plan, system: System, node: Node, port: int, nemesis: Nemesis) -> int:
    for _ in range(plan.rounds):
        await nemesis.wait(*BETWEEN_RESTARTS)
        await _kill(node, nemesis)
        node = await system.start(port=port)
    return plan.rounds


async def _kill(node: Node, nemesis: Nemesis) -> None:
    with nemesis.doing("SIGKILL", node.name):
        await node.kill()


def _judged(plan: Plan, kills: int) -> Verdict:
    records = read_records(plan.folder)
    checks, evidence = promised(records)
    more, more_evidence = as_checks({"repeats of what was not in flight": checker.needless_repeats(records)})
    takeovers = checker.takeovers(records, records.deeds)
    taken_over = Check("taken over within, p99", percentile(takeovers, 0.99), TAKEOVER_SECONDS, unit="s")
    hit = Check("deliveries hit in flight", len(takeovers), kills / 2, side="at least")
    done = {
        "kills": kills,
        "events": len({answer.event_id for answer in records.answers if answer.event_id}),
        "repeats": checker.repeats(records.arrivals),
    }
    return Verdict(done, [*checks, *more, taken_over, hit], [*evidence, *more_evidence])


WORKER_KILL = Case(
    name="worker_kill",
    about="SIGKILL of workers at random",
    run=run,
    short=25,
    long=1_000,
    databases=("postgres", "sqlite"),
    patience_seconds=240,
)
