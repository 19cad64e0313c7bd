"""PostgreSQL dies with all its children under load and comes back; nobody restarts us."""

from __future__ import annotations

from faults import answered, checker
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.settling import at_rest
from faults.system import system_on

ENDPOINTS = 8
BACK_SECONDS = 5.0
ANSWER_SECONDS = 15.0
ANSWER_DELAY = 0.1
DOWN_SECONDS = (0.5, 3.0)
UP_SECONDS = (3.0, 5.0)


async def run(plan: Plan) -> Verdict:
    """Two servers, both publishing and sending; the database is killed under them again and again."""
    nemesis = Nemesis(plan.folder, plan.dice("kills"))
    async with system_on(plan) as system:
        assert system.postgres is not None
        with farm(plan.folder, Manners(plan.seed, seconds=ANSWER_DELAY)) as receivers:
            nodes = [await system.start() for _ in range(2)]
            aims = await system.subscribe(nodes[0], receivers.url, ENDPOINTS)
            urls, addresses = [node.url for node in nodes], plan.dice("addresses")
            producer = Producer(plan.folder, await system.key(), aims, lambda: addresses.choice(urls), pause=0.05)
            async with producer.publishing(tasks=8):
                for _ in range(plan.rounds):
                    await nemesis.wait(*UP_SECONDS)
                    with nemesis.doing("SIGKILL", "PostgreSQL"):
                        await system.postgres.kill()
                        await nemesis.wait(*DOWN_SECONDS)
                        await system.postgres.start_again()
                await nemesis.wait(*UP_SECONDS)
            records = await at_rest(system.database_url, plan.folder)
            ended = sum(not node.is_running for node in nodes)
    return _judged(records, ended)


def _judged(records: Records, ended: int) -> Verdict:
    checks, evidence = promised(records)
    more, more_evidence = as_checks(
        {
            "repeats of what was not in flight": checker.needless_repeats(records),
            "refusals other than a 503 with Retry-After": answered.unasked(records.answers),
            "requests without an answer": answered.unanswered(records.answers),
        }
    )
    back = max(answered.delivering_after(records, deed.ended_at) for deed in records.deeds)
    times = [
        Check("delivering again after it is back", back, BACK_SECONDS, unit="s"),
        Check("slowest answer", answered.slowest(records.answers), ANSWER_SECONDS, unit="s"),
        Check("processes that ended", ended),
    ]
    done = {
        "kills": len(records.deeds),
        "events": len(records.dump.events),
        "answers of 503": sum(answer.status == 503 for answer in records.answers),
        "repeats": checker.repeats(records.arrivals),
    }
    return Verdict(done, [*checks, *more, *times], [*evidence, *more_evidence])


POSTGRES_KILL = Case(
    name="postgres_kill",
    about="SIGKILL of PostgreSQL with all its children",
    run=run,
    short=3,
    long=100,
    lasts_seconds=30,
)
