"""An upgrade while events are published: two versions through a migration, and processes that replace one another."""

from __future__ import annotations

from dataclasses import replace

from faults import checker
from faults.balancer import Balancer
from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records
from faults.earlier import unpack_earlier
from faults.farm import Manners, farm
from faults.nemesis import Nemesis
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.settling import at_rest
from faults.system import Node, System, system_on

ENDPOINTS = 8
NODES = 2
ANSWER_SECONDS = 0.2
REPLACED = 4  # processes in a rolling restart
BETWEEN = (0.5, 1.5)
# As an operator sets it: longer than the balancer takes to notice, on a busy machine too.
SETTINGS = {"HOOKWRIGHT_UNREADY_SECONDS": "3"}


async def run(plan: Plan) -> Verdict:
    """By turns a migration with the version before, and a rolling restart; each round on a database of its own."""
    rounds: list[Records] = []
    exit_codes: list[int] = []
    for number in range(plan.rounds):
        folder = plan.folder / f"round-{number + 1}"
        folder.mkdir()
        records, codes = await _round(
            replace(plan, folder=folder, seed=plan.seed + number), migrating=number % 2 == 0
        )
        rounds.append(records)
        exit_codes += codes
    return _judged(rounds, exit_codes)


async def _round(plan: Plan, *, migrating: bool) -> tuple[Records, list[int]]:
    nemesis = Nemesis(plan.folder, plan.dice("moments"))
    earlier = {"PYTHONPATH": str(unpack_earlier(plan.folder))} if migrating else {}
    balancer = Balancer()
    async with system_on(plan, SETTINGS) as system:
        with farm(plan.folder, Manners(plan.seed, seconds=ANSWER_SECONDS)) as receivers:
            key = await system.key(earlier)
            old = [await system.start(environ=earlier) for _ in range(NODES)]
            for node in old:
                balancer.add(node)
            aims = await system.subscribe(old[0], receivers.url, ENDPOINTS)
            producer = Producer(plan.folder, key, aims, balancer.address, balanced=True, pause=0.02)
            async with balancer.looking(), producer.publishing(tasks=8):
                codes = [
                    await _replace_oldest(old, system, balancer, nemesis, by_hand=migrating)
                    for _ in range(NODES if migrating else REPLACED)
                ]
                await nemesis.wait(*BETWEEN)
            records = await at_rest(system.database_url, plan.folder)
    return records, codes


async def _replace_oldest(
    nodes: list[Node], system: System, balancer: Balancer, nemesis: Nemesis, *, by_hand: bool
) -> int:
    """A new process, then the end of the oldest one, whose exit code is answered.

    `by_hand` takes it out of the balancer first, since an earlier version may not know how to leave by itself.
    """
    await nemesis.wait(*BETWEEN)
    new = await system.start()
    nodes.append(new)
    balancer.add(new)
    await balancer.found(new)
    await nemesis.wait(*BETWEEN)
    oldest = nodes.pop(0)
    if by_hand:
        balancer.remove(oldest)
        await nemesis.wait(*BETWEEN)
    with nemesis.doing("SIGTERM", oldest.name):
        exit_code = await oldest.stop()
    if not by_hand:
        balancer.remove(oldest)
    return exit_code


def _judged(rounds: list[Records], exit_codes: list[int]) -> Verdict:
    problems: dict[str, list[str]] = {}
    for records in rounds:
        for name, lines in _problems(records).items():
            problems.setdefault(name, []).extend(lines)
    checks, evidence = as_checks(problems)
    for records in rounds:
        more, more_evidence = promised(records)
        checks, evidence = _added(checks, more), [*evidence, *more_evidence]
    ended = Check("processes that did not end in order", sum(code != 0 for code in exit_codes))
    done = {
        "upgrades": len(rounds),
        "processes replaced": len(exit_codes),
        "events": sum(len(records.dump.events) for records in rounds),
    }
    return Verdict(done, [*checks, ended], evidence)


def _problems(records: Records) -> dict[str, list[str]]:
    # Nobody is killed: an orderly end excuses no repeat.
    undisturbed = replace(records, deeds=())
    return {
        "API errors": [
            f"{each.key}: {each.status or each.error} at {each.asked_at}"
            for each in records.answers
            if each.answer != "ok"
        ],
        "repeats": checker.needless_repeats(undisturbed),
    }


def _added(checks: list[Check], more: list[Check]) -> list[Check]:
    """The checks of several rounds as one list: figures of the same name are added up."""
    figures = {check.name: check for check in checks}
    for check in more:
        before = figures.get(check.name)
        figures[check.name] = check if before is None else replace(check, seen=before.seen + check.seen)
    return list(figures.values())


UPGRADES = Case(
    name="upgrades",
    about="two versions running through a migration; a rolling restart under load",
    run=run,
    short=2,
    long=50,
    lasts_seconds=100,
)
