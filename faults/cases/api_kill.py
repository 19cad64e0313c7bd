"""The API is killed under concurrent publishes, also between commit and answer; clients retry with their keys."""

from __future__ import annotations

from faults import checker
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records
from faults.farm import farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import promised
from faults.settling import at_rest
from faults.system import Node, free_port, system_on

ENDPOINTS = 1  # of one account, so that all publishers share their commits
PUBLISHERS = 32
# How many answers a process lives for. Those who share a commit are answered one after another: the kill that follows
# one of these answers soon finds others between their commit and their answer.
ANSWERS = (1, 60)
SOON_SECONDS = (0, 0.02)


async def run(plan: Plan) -> Verdict:
    """The process that accepts is killed and started on the same port, as often as the plan says."""
    nemesis = Nemesis(plan.folder, plan.dice("kills"))
    api_alone = plan.database == "postgres"
    async with system_on(plan) as system:
        with farm(plan.folder) as receivers:
            port = free_port()
            arguments = ("--role", "api") if api_alone else ()
            api = await system.start(*arguments, port=port)
            if api_alone:
                await system.start("--role", "worker")
            aims = await system.subscribe(api, receivers.url, ENDPOINTS)
            producer = Producer(plan.folder, await system.key(), aims, lambda: api.url)
            async with producer.publishing(PUBLISHERS):
                for _ in range(plan.rounds):
                    await producer.accepted(nemesis.dice.randint(*ANSWERS))
                    await nemesis.wait(*SOON_SECONDS)
                    await _kill(api, nemesis)
                    api = await system.start(*arguments, port=port)
            records = await at_rest(system.database_url, plan.folder)
    return _judged(records)


async def _kill(api: Node, nemesis: Nemesis) -> None:
    with nemesis.doing("SIGKILL", api.name):
        await api.kill()


def _judged(records: Records) -> Verdict:
    checks, evidence = promised(records)
    unanswered = len(checker.committed_unanswered(records.answers))
    # Without one the kills never fell between commit and answer, and the case has shown nothing.
    meant = Check("commits that were killed before their answer", unanswered, 1, side="at least")
    done = {
        "kills": len(records.deeds),
        "events": len(records.dump.events),
        "answers that never came": sum(answer.answer == "unknown" for answer in records.answers),
    }
    return Verdict(done, [*checks, meant], evidence)


API_KILL = Case(
    name="api_kill",
    about="SIGKILL of the API between commit and answer",
    run=run,
    short=25,
    long=500,
    databases=("postgres", "sqlite"),
)
