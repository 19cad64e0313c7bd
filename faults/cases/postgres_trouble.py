"""PostgreSQL lives and does not serve us: connections are cut, a hot table is locked, others hold them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import asyncpg

from faults import answered, checker
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records
from faults.farm import farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.records import Deed
from faults.settling import at_rest
from faults.system import system_on

ENDPOINTS = 8
MAX_CONNECTIONS = 40
STORM_SECONDS = 3.0
LOCKED_SECONDS = 30.0
EXHAUSTED_SECONDS = 10.0
HEALED_SECONDS = 10.0
ANSWER_SECONDS = 15.0
QUIET_SECONDS = 12.0  # between two troubles, so that each is seen to heal

CUT_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hookwright'"

Trouble = Callable[[str], Awaitable[None]]


async def run(plan: Plan) -> Verdict:
    """One server under load; in each round every trouble once."""
    nemesis = Nemesis(plan.folder, plan.dice("moments"))
    async with system_on(plan, postgres_settings={"max_connections": str(MAX_CONNECTIONS)}) as system:
        with farm(plan.folder) as receivers:
            node = await system.start()
            aims = await system.subscribe(node, receivers.url, ENDPOINTS)
            producer = Producer(
                plan.folder, await system.key(), aims, lambda: node.url, pause=0.05, request_seconds=60
            )
            async with producer.publishing(tasks=8):
                for _ in range(plan.rounds):
                    for name, trouble in TROUBLES.items():
                        await nemesis.wait(0.5, 1.5)
                        with nemesis.doing(name, "PostgreSQL", goes_on=name in GO_ON):
                            await trouble(system.database_url)
                        await asyncio.sleep(QUIET_SECONDS)
            records = await at_rest(system.database_url, plan.folder)
            ended = int(not node.is_running)
    return _judged(records, ended)


async def _cut_connections(url: str) -> None:
    async with _connected(url) as db:
        for _ in range(int(STORM_SECONDS * 10)):
            await db.execute(CUT_OTHERS)
            await asyncio.sleep(0.1)


async def _lock_a_hot_table(url: str) -> None:
    async with _connected(url) as db, db.transaction():
        await db.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(LOCKED_SECONDS)


async def _take_every_connection(url: str) -> None:
    """Cut what the server holds and take its place, until nobody gets one any more; then keep them for a while."""
    async with AsyncExitStack() as taken:
        first = await taken.enter_async_context(_connected(url))
        until = asyncio.get_running_loop().time() + EXHAUSTED_SECONDS
        while asyncio.get_running_loop().time() < until:
            try:
                await taken.enter_async_context(_connected(url))
            except asyncpg.TooManyConnectionsError:
                if not await first.fetch(CUT_OTHERS):
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    db = await asyncpg.connect(url)
    try:
        yield db
    finally:
        with suppress(asyncpg.PostgresError, OSError):
            await db.close()


TROUBLES: dict[str, Trouble] = {
    "connections cut": _cut_connections,
    "deliveries locked": _lock_a_hot_table,
    "connections exhausted": _take_every_connection,
}
# They cut again what was connected meanwhile, so any of it may have been kept from writing an outcome.
GO_ON = frozenset({"connections cut", "connections exhausted"})


def _judged(records: Records, ended: int) -> Verdict:
    checks, evidence = promised(records)
    more, more_evidence = as_checks(
        {
            "repeats of what was not in flight": checker.needless_repeats(records),
            "refusals other than a 503 with Retry-After": answered.unasked(records.answers),
            "requests without an answer": answered.unanswered(records.answers),
        }
    )
    checks += [*more, Check("slowest answer", answered.slowest(records.answers), ANSWER_SECONDS, unit="s")]
    for name in TROUBLES:
        healed, delivering = answered.longest_healing(records, _deeds_of(records, name))
        checks.append(Check(f"{name}: accepting again after it", healed, HEALED_SECONDS, unit="s"))
        checks.append(Check(f"{name}: delivering again after it", delivering, HEALED_SECONDS, unit="s"))
        if name != "connections cut":  # new connections may come so soon that nobody is refused
            checks.append(Check(f"{name}: answers of 503 meanwhile", _refused(records, name), 1, side="at least"))
    checks.append(Check("processes that ended", ended))
    done = {
        "troubles": len(records.deeds),
        "events": len(records.dump.events),
        "answers of 503": sum(answer.status == 503 for answer in records.answers),
    }
    return Verdict(done, checks, [*evidence, *more_evidence])


def _deeds_of(records: Records, name: str) -> list[Deed]:
    return [deed for deed in records.deeds if deed.deed == name]


def _refused(records: Records, name: str) -> int:
    def during(deed: Deed) -> int:
        own = answered.asked_between(records.answers, deed.began_at, deed.ended_at)
        return sum(answer.status == 503 for answer in own)

    return min(map(during, _deeds_of(records, name)))


POSTGRES_TROUBLE = Case(
    name="postgres_trouble",
    about="PostgreSQL: connections cut, a hot table locked for 30 s, no connection left",
    run=run,
    short=1,
    long=50,
    lasts_seconds=90,
)
