"""What a server costs that has nothing to do."""

from __future__ import annotations

import asyncio

from benchmarks.delivering import postgres_line, sqlite_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.measures.throughput import subscribed

CALM_SECONDS = 2.0  # after the last delivery
SECONDS = 10.0


async def with_nothing_to_do(stage: Stage) -> list[Round]:
    """One round: a server on each database side by side, after some deliveries."""
    async with postgres_line(stage) as postgres, sqlite_line(stage) as sqlite:
        for line in (postgres, sqlite):
            await line.warm_up(await subscribed(line, 1))
        await asyncio.sleep(CALM_SECONDS)
        before = postgres.cpu_seconds(), sqlite.cpu_seconds()
        await asyncio.sleep(SECONDS)
        after = postgres.cpu_seconds(), sqlite.cpu_seconds()
    on_postgres, on_sqlite = (_percent(begin, end) for begin, end in zip(before, after, strict=True))
    return [
        {
            "postgres_percent": on_postgres["server"],
            **({"database_percent": on_postgres["database"]} if "database" in on_postgres else {}),
            "sqlite_percent": on_sqlite["server"],
        }
    ]


def _percent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: (after[name] - before[name]) / SECONDS * 100 for name in before}


IDLE = Measure(
    name="idle",
    figures=(
        Figure("postgres_percent", "an idle server on PostgreSQL, of a core", "%", Reach("at most", 1)),
        Figure("database_percent", "its PostgreSQL, of a core", "%"),
        Figure("sqlite_percent", "an idle server on SQLite, of a core", "%", Reach("at most", 1)),
    ),
    take=with_nothing_to_do,
)
