"""End to end beside the bare sender: one after the other in each round, so that a noisy minute touches both."""

from __future__ import annotations

from benchmarks.bare import Job, bare_rate
from benchmarks.delivering import BATCH_CONNECTIONS, SINGLE_CONNECTIONS, Line, postgres_line, sqlite_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.publishing import Aim

MANY_ACCOUNTS = 100
SINGLE_SHARE = 4  # single publishes are slower: a round has a fourth of the events
BARE_WARM_UP = 512
PROCESSES = 2
PROCESSES_CONNECTIONS = 8  # enough that each process has some, however the kernel deals them out


async def on_postgres(stage: Stage) -> list[Round]:
    """Batch publish, one account with one endpoint."""
    async with postgres_line(stage) as line:
        return await _batch_rounds(line, stage)


async def on_postgres_by_processes(stage: Stage) -> list[Round]:
    """Batch publish, one account with one endpoint, and a server of several processes."""
    async with postgres_line(stage, processes=PROCESSES) as line:
        return await _batch_rounds(line, stage, connections=PROCESSES_CONNECTIONS)


async def on_postgres_for_many_accounts(stage: Stage) -> list[Round]:
    """Batch publish, each event of a batch for another account, each account with one endpoint."""
    async with postgres_line(stage) as line:
        return await _batch_rounds(line, stage, MANY_ACCOUNTS)


async def on_sqlite(stage: Stage) -> list[Round]:
    """Batch publish, one account with one endpoint."""
    async with sqlite_line(stage) as line:
        return await _batch_rounds(line, stage)


async def on_postgres_one_by_one(stage: Stage) -> list[Round]:
    """One event a request, one account with one endpoint."""
    async with postgres_line(stage) as line:
        aims = await subscribed(line, 1)
        await line.warm_up(aims)
        publications = line.singles(aims, stage.scale.events // SINGLE_SHARE)
        return [
            compared(await _bare(line, aims, stage), await line.rate(publications, SINGLE_CONNECTIONS))
            for _ in range(stage.scale.rounds)
        ]


async def subscribed(line: Line, accounts: int) -> list[Aim]:
    """So many accounts with one endpoint each, at the line's receiver."""
    urls = line.receiver.urls
    return [await line.server.subscribe(f"{urls[number % len(urls)]}/{number}") for number in range(accounts)]


def compared(bare: Round, end_to_end: Round) -> Round:
    """A round of both, with the ratio of their rates."""
    return {**bare, **end_to_end, "ratio": end_to_end["end_to_end_per_second"] / bare["bare_per_second"]}


async def _batch_rounds(
    line: Line, stage: Stage, accounts: int = 1, connections: int = BATCH_CONNECTIONS
) -> list[Round]:
    aims = await subscribed(line, accounts)
    await line.warm_up(aims)
    publications = line.batches(aims, stage.scale.events)
    return [
        compared(await _bare(line, aims, stage), await line.rate(publications, connections))
        for _ in range(stage.scale.rounds)
    ]


async def _bare(line: Line, aims: list[Aim], stage: Stage) -> Round:
    urls = [f"{line.receiver.url}/{aim.path}" for aim in aims]
    return await bare_rate(line.receiver, Job(urls, requests=stage.scale.events, warm_up=BARE_WARM_UP))


POSTGRES_BATCH = Measure(
    name="postgres_batch",
    figures=(
        Figure("ratio", "end to end ÷ bare sender, PostgreSQL, batch publish", "", Reach("at least", 0.5)),
        Figure("end_to_end_per_second", "deliveries, end to end", "/s"),
        Figure("bare_per_second", "requests of the bare sender", "/s"),
    ),
    take=on_postgres,
)
POSTGRES_SINGLE = Measure(
    name="postgres_single",
    figures=(
        Figure("ratio", "end to end ÷ bare sender, PostgreSQL, one event a request", "", Reach("at least", 0.35)),
        Figure("end_to_end_per_second", "deliveries, end to end", "/s"),
    ),
    take=on_postgres_one_by_one,
)
POSTGRES_MANY_ACCOUNTS = Measure(
    name="postgres_many_accounts",
    figures=(
        Figure("ratio", f"end to end ÷ bare sender, PostgreSQL, batches of {MANY_ACCOUNTS} accounts", ""),
        Figure("end_to_end_per_second", "deliveries, end to end", "/s"),
    ),
    take=on_postgres_for_many_accounts,
)
POSTGRES_PROCESSES = Measure(
    name="postgres_processes",
    figures=(
        Figure("ratio", f"end to end ÷ bare sender of one process, PostgreSQL, {PROCESSES} processes", ""),
        Figure("end_to_end_per_second", "deliveries, end to end", "/s"),
    ),
    take=on_postgres_by_processes,
)
SQLITE_BATCH = Measure(
    name="sqlite_batch",
    figures=(
        Figure("ratio", "end to end ÷ bare sender, SQLite, batch publish", "", Reach("at least", 0.4)),
        Figure("end_to_end_per_second", "deliveries, end to end", "/s"),
    ),
    take=on_sqlite,
)
