"""How long a person waits for a page of the console, with as many deliveries behind it as the scale says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing

import asyncpg
import httpx

from benchmarks.delivering import Line, postgres_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.populating import populate
from benchmarks.preloading import tidy
from hookwright.core.model import DAY

LOADS = 40  # of each page in a round
RARE_TYPE = "sequence.completed"  # no delivery has it, so that a search looks as far as it may


async def to_pages(stage: Stage) -> list[Round]:
    """Load each page again and again, one after another: what 95 of a hundred loads stay below."""
    async with postgres_line(stage) as line:
        await populate(line, stage.scale.endpoints, stage.scale.pending)
        await _give_it_a_history(line.database_url)
        async with aclosing(await _signed_in(line)) as browser:
            paths = await _paths(line, browser)
            await _load(browser, paths, 3)
            return [_round(await _load(browser, paths, LOADS)) for _ in range(stage.scale.rounds)]


def _round(loads: dict[str, list[float]]) -> Round:
    each = {path: _p95(of) for path, of in loads.items()}
    every = [millis for of in loads.values() for millis in of]
    by_page = {f"{path} ms": of for path, of in each.items()}
    return {"slowest_ms": max(each.values()), "all_ms": _p95(every), **by_page}


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


async def _load(browser: httpx.AsyncClient, paths: Sequence[str], times: int) -> dict[str, list[float]]:
    loads: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(times):
        for path in paths:
            began_at = time.monotonic_ns()
            answer = await browser.get(path)
            loads[path].append((time.monotonic_ns() - began_at) / 1e6)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} was answered {answer.status_code}")
    return loads


async def _signed_in(line: Line) -> httpx.AsyncClient:
    """A browser's client. Its cookie is sent by hand, since it is for https alone."""
    browser = httpx.AsyncClient(base_url=line.server.url, timeout=60)
    answer = await browser.post("/console/sign-in", data={"key": line.server.publisher.key})
    browser.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
    return browser


async def _paths(line: Line, browser: httpx.AsyncClient) -> list[str]:
    db = await asyncpg.connect(line.database_url)
    try:
        delivery = await db.fetchrow("SELECT * FROM deliveries LIMIT 1 OFFSET 500")
    finally:
        await db.close()
    assert delivery is not None
    searches = (
        "",
        "status:failed",
        "status:waiting",
        f"type:{RARE_TYPE}",
        f"type:{delivery['event_type']} since:1d",
        f"account:{delivery['account_id']}",
        f"account:{delivery['account_id']} type:{RARE_TYPE}",
        f"endpoint:{delivery['endpoint_id']} status:failed",
        str(delivery["id"]),
        "no_such_order_123",
    )
    return [
        *(f"/console?range={name}" for name in ("1h", "24h", "7d")),
        *(f"/console/deliveries?q={httpx.QueryParams({'q': search})['q']}" for search in searches),
        f"/console/deliveries/{delivery['id']}",
        "/console/endpoints",
        "/console/endpoints?show=attention",
        f"/console/endpoints/{delivery['endpoint_id']}",
        f"/console/endpoints/{delivery['endpoint_id']}/edit",
        "/console/event-types",
        "/console/event-types/purchase.created",
        f"/console/replays/new?q=status:failed account:{delivery['account_id']}",
    ]


async def _give_it_a_history(database_url: str) -> None:
    """Spread what was copied over a week, and let nine of ten have been delivered."""
    db = await asyncpg.connect(database_url, command_timeout=1_800)
    try:
        # The events of an account are numbered in the order of their ids, which are in the order of time.
        await db.execute(
            "UPDATE events e SET accepted_at = e.accepted_at - n.back * $1 / n.many FROM (SELECT lane, id,"
            " row_number() OVER (ORDER BY md5(id::text)) AS back, count(*) OVER () AS many FROM events) AS n"
            " WHERE e.lane = n.lane AND e.id = n.id",
            7 * DAY,
        )
        await db.execute(
            "UPDATE deliveries d SET created_at = e.accepted_at,"
            " status = CASE WHEN d.id / 64 % 10 = 0 THEN d.status ELSE 'delivered' END,"
            " due_at = CASE WHEN d.id / 64 % 10 = 0 THEN d.due_at END"
            " FROM events e WHERE e.lane = d.lane AND e.id = d.event_id"
        )
    finally:
        await db.close()
    await tidy(database_url)


CONSOLE = Measure(
    name="console",
    figures=(
        Figure("slowest_ms", "the slowest page of the console, 95 % of its loads", "ms", Reach("at most", 100)),
        Figure("all_ms", "all pages of the console, 95 % of their loads", "ms"),
    ),
    take=to_pages,
)
