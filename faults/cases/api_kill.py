"""The API is killed under concurrent publishes, also between commit and answer; clients retry with their keys."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from faults import answered
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records
from faults.commit_watch import CommitWatch, file_watch, gate_watch
from faults.farm import farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import promised
from faults.settling import at_rest
from faults.system import SQLITE_FILE, Node, System, free_port, system_on

ENDPOINTS = 1  # of one account, so that all publishers share their commits
PUBLISHERS = 32
ANSWERS = (1, 60)  # how many a process lives for
AT_A_COMMIT = 0.8  # the share of the kills that wait for one; the others fall at any moment
SOON_SECONDS = (0, 0.02)
HIT = 0.4  # the share that has to fall between commit and answer, or the case has shown little


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
            async with _watch(system) as watch, producer.publishing(PUBLISHERS):
                for _ in range(plan.rounds):
                    await producer.accepted(nemesis.dice.randint(*ANSWERS))
                    await _kill(api, nemesis, watch)
                    api = await system.start(*arguments, port=port)
            records = await at_rest(system.database_url, plan.folder)
    return _judged(plan, records)


def _watch(system: System) -> AbstractAsyncContextManager[CommitWatch]:
    return file_watch(system.folder / SQLITE_FILE) if system.postgres is None else gate_watch(system.database_url)


async def _kill(api: Node, nemesis: Nemesis, watch: CommitWatch) -> None:
    at_a_commit = nemesis.dice.random() < AT_A_COMMIT
    await nemesis.wait(*SOON_SECONDS)
    with nemesis.doing("SIGKILL at a commit" if at_a_commit else "SIGKILL", api.name):
        if at_a_commit:
            await watch.kill(api.pid)
            await api.process.wait()
        else:
            await api.kill()


def _judged(plan: Plan, records: Records) -> Verdict:
    checks, evidence = promised(records)
    hits = answered.kills_before_the_answer(records.answers, records.deeds)
    meant = Check("kills between commit and answer", hits, round(HIT * plan.rounds), side="at least")
    done = {
        "kills": len(records.deeds),
        "commits killed before their answer": len(answered.committed_unanswered(records.answers)),
        "events": len(records.dump.events),
        "answers that never came": sum(answer.answer == "unknown" for answer in records.answers),
    }
    return Verdict(done, [*checks, meant], evidence)


API_KILL = Case(
    name="api_kill",
    about="SIGKILL of the API between commit and answer",
    run=run,
    short=25,
    short_on_sqlite=10,
    long=500,
    lasts_seconds=80,
    databases=("postgres", "sqlite"),
)
