"""How long a person waits for a page of the console, with as many deliveries behind it as the scale says."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import aclosing

import asyncpg
import httpx

from benchmarks import past_tallies
from benchmarks.delivering import Line, postgres_line, sqlite_line
from benchmarks.measure import Figure, Measure, Reach, Round, Scale, Stage
from benchmarks.populating import populate
from benchmarks.preloading import tidy
from benchmarks.sqlite_history import give_file_a_history
from hookwright.core.model import DAY

LOADS = 21  # of each page in a round: 95 of a hundred are all but the slowest
MANY = 1_000_000  # from so many deliveries on all of them are made, and loaded in several rounds
SHORT_RUN = 0.2  # the share that a shorter run makes, so that `make bench` stays below five minutes
RARE_TYPE = "sequence.completed"  # no delivery has it, so that a search looks as far as it may


async def to_pages(stage: Stage) -> list[Round]:
    """Load each page again and again, one after another: what 95 of a hundred loads stay below."""
    async with postgres_line(stage) as line:
        endpoints, deliveries = _size(stage.scale)
        await populate(line, endpoints, deliveries)
        await _give_it_a_history(line.database_url)
        return await _rounds(stage, line)


async def to_pages_of_a_file(stage: Stage) -> list[Round]:
    """The same on SQLite."""
    async with sqlite_line(stage) as line:
        await give_file_a_history(line, *_size(stage.scale))
        return await _rounds(stage, line)


def _size(scale: Scale) -> tuple[int, int]:
    """How many endpoints and deliveries are made."""
    share = 1 if scale.pending >= MANY else SHORT_RUN
    return round(scale.endpoints * share), round(scale.pending * share)


async def _rounds(stage: Stage, line: Line) -> list[Round]:
    async with aclosing(await _signed_in(line)) as browser:
        paths = await _paths(line, browser)
        await _load(browser, paths, 2)
        rounds = stage.scale.rounds if stage.scale.pending >= MANY else 1
        size = {"deliveries": float(_size(stage.scale)[1])}
        return [size | _round(await _load(browser, paths, LOADS)) for _ in range(rounds)]


def _round(loads: dict[str, list[float]]) -> dict[str, float]:
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
    """Every page that shows something, for one delivery, its endpoint and its account."""
    delivery = re.findall(r'"/console/deliveries/(\d+)', (await browser.get("/console/deliveries")).text)[-1]
    credentials = {"Authorization": f"Bearer {line.server.publisher.key}"}
    found = (await browser.get(f"/api/v1/deliveries/{delivery}", headers=credentials)).json()
    account, endpoint = found["account"], found["endpoint"]["id"]
    three_days_ago = f"{time.time_ns() // 1000 - 3 * DAY}-0"
    searches = (
        "",
        "status:failed",
        "status:waiting",
        "status:sending",
        "status:delivered",
        "status:cancelled",
        f"type:{RARE_TYPE}",
        f"type:{RARE_TYPE} status:failed",
        f"type:{found['event']['type']} since:1d",
        f"account:{account}",
        f"account:{account} type:{RARE_TYPE}",
        f"account:{account} no_such_order_123",
        f"endpoint:{endpoint} status:failed",
        f"endpoint:{endpoint} type:{RARE_TYPE}",
        delivery,
        "no_such_order_123",
    )
    return [
        *(f"/console?range={name}" for name in ("1h", "24h", "7d")),
        *(f"/console/deliveries?{httpx.QueryParams({'q': search})}" for search in searches),
        *(
            f"/console/deliveries?{httpx.QueryParams({'q': search, 'before': three_days_ago})}"
            for search in searches[:3]
        ),
        f"/console/deliveries/{delivery}",
        "/console/endpoints",
        "/console/endpoints?show=attention",
        f"/console/endpoints/{endpoint}",
        f"/console/endpoints/{endpoint}/edit",
        f"/console/endpoints/{endpoint}/secrets",
        "/console/event-types",
        "/console/event-types/purchase.created",
        f"/console/replays/new?{httpx.QueryParams({'q': f'status:failed account:{account}'})}",
        "/console/accounts",
        f"/console/accounts/{account}",
        "/console/keys",
        "/console/apps",
        "/console/audit",
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
            " due_at = CASE WHEN d.id / 64 % 10 = 0 THEN d.due_at END,"
            " finished_at = CASE WHEN d.id / 64 % 10 = 0 THEN d.finished_at ELSE e.accepted_at END,"
            " last_status_code = CASE WHEN d.id / 64 % 10 = 0 THEN d.last_status_code ELSE 200 END"
            " FROM events e WHERE e.lane = d.lane AND e.id = d.event_id"
        )
        await db.execute(
            "UPDATE attempts a SET started_at = d.created_at, status_code = d.last_status_code"
            " FROM deliveries d WHERE a.lane = d.lane AND a.delivery_id = d.id"
        )
        async with db.transaction():
            for statement in past_tallies.statements(time.time_ns() // 1000):
                await db.execute(statement)
    finally:
        await db.close()
    await tidy(database_url)


CONSOLE = Measure(
    name="console",
    figures=(
        Figure("slowest_ms", "the slowest page of the console, 95 % of its loads", "ms", Reach("at most", 100)),
        Figure("all_ms", "all pages of the console, 95 % of their loads", "ms"),
        Figure("deliveries", "deliveries in the store, here", ""),
    ),
    take=to_pages,
)

CONSOLE_SQLITE = Measure(
    name="console_sqlite",
    figures=(
        Figure(
            "slowest_ms", "SQLite: the slowest page of the console, 95 % of its loads", "ms", Reach("at most", 100)
        ),
        Figure("all_ms", "SQLite: all pages of the console, 95 % of their loads", "ms"),
        Figure("deliveries", "SQLite: deliveries in the store, here", ""),
    ),
    take=to_pages_of_a_file,
)
