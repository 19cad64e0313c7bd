"""A worker stands still for two leases in the midst of its requests and goes on as if nothing had been."""

from __future__ import annotations

import asyncio
import signal

from faults import checker
from faults.case import Case, Check, Plan, Verdict
from faults.database import contents
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.settling import at_rest, settled
from faults.system import Node, system_on

ENDPOINTS = 24  # so that every worker has some in its lanes
WORKERS = 3
EVENTS = 300
LEASE_SECONDS = 4
# The answer is there when the zombie wakes, and it has something to write.
ANSWER_SECONDS = 0.5
# What the zombie wants to write it has tried by then: its first write follows its first breath.
AFTERLIFE_SECONDS = 3.0
# What the living may change while nothing is sent: who holds which lane, what they still look through, and what they
# have counted for charts, which a zombie has too and may add, since nothing is decided by it; and when the key was
# last used, which the process that accepts notes a minute later.
CHANGED_BY_THE_LIVING = ("lanes", "workers", "queues", "schema_migrations", "tallies", "keys")


async def run(plan: Plan) -> Verdict:
    """Stop one of three workers under load, let the others finish everything, wake it, and compare the database."""
    nemesis = Nemesis(plan.folder, plan.dice("choice"))
    changed: list[str] = []
    async with system_on(plan, {"HOOKWRIGHT_LEASE_SECONDS": str(LEASE_SECONDS)}) as system:
        with farm(plan.folder, Manners(plan.seed, seconds=ANSWER_SECONDS)) as receivers:
            api = await system.start("--role", "api")
            workers = [await system.start("--role", "worker") for _ in range(WORKERS)]
            aims = await system.subscribe(api, receivers.url, ENDPOINTS)
            for number in range(1, plan.rounds + 1):
                producer = Producer(plan.folder, await system.key(), aims, lambda: api.url, name=f"round-{number}")
                before = [_attempts(worker) for worker in workers]
                publishing = asyncio.create_task(producer.run(tasks=8, events=EVENTS))
                await producer.accepted(EVENTS // 2)
                # One that is at work: a worker that has no lanes yet has nothing to write when it wakes.
                busy = [worker for worker, sent in zip(workers, before, strict=True) if _attempts(worker) > sent]
                zombie = nemesis.dice.choice(busy or workers)
                changed += await _bury_and_wake(zombie, nemesis, publishing, system.database_url)
            records = await at_rest(system.database_url, plan.folder)
            refused = sum(line["status"] == "lease lost" for each in workers for line in each.logged("attempt"))
    checks, evidence = promised(records)
    more, more_evidence = as_checks(
        {
            "rows that a zombie changed": changed,
            "repeats of what was not in flight": checker.needless_repeats(records),
        }
    )
    taken = Check("deliveries taken from zombies", checker.repeats(records.arrivals), plan.rounds, side="at least")
    tried = Check("outcomes that zombies tried to write", refused, plan.rounds, side="at least")
    done = {"zombies": len(records.deeds), "events": len(records.dump.events)}
    return Verdict(done, [*checks, *more, taken, tried], [*evidence, *more_evidence])


def _attempts(worker: Node) -> int:
    return len(worker.logged("attempt"))


async def _bury_and_wake(
    zombie: Node, nemesis: Nemesis, publishing: asyncio.Task[None], database_url: str
) -> list[str]:
    """What was different in the database after a worker had woken up, a line for each row."""
    with nemesis.doing("SIGSTOP", zombie.name):
        zombie.send(signal.SIGSTOP)
        try:
            await asyncio.gather(publishing, asyncio.sleep(2 * LEASE_SECONDS))
            await settled(database_url)
            before = await contents(database_url, without=CHANGED_BY_THE_LIVING)
        finally:
            zombie.send(signal.SIGCONT)
    await asyncio.sleep(AFTERLIFE_SECONDS)
    after = await contents(database_url, without=CHANGED_BY_THE_LIVING)
    return [f"{table}: {row}" for table in before for row in sorted(before[table] ^ after[table])]


ZOMBIE = Case(
    name="zombie",
    about="SIGSTOP of a worker for two leases, then SIGCONT",
    run=run,
    short=3,
    long=100,
    lasts_seconds=50,
)
