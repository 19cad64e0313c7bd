"""`hookwright bench`: figures that only count if every event arrived exactly once, and nothing left behind."""

import json
import os
from pathlib import Path

import httpx
import pytest

from cli.conftest import on_sqlite
from hookwright.cli.load import difference, percentile
from processes import hookwright


async def test_a_server_and_its_database_are_made_measured_and_gone(database: str | None, tmp_path: Path) -> None:
    place = () if database is None else ("--database", database)
    async with hookwright("bench", "--events", "250", "--json", *place, environ={}, folder=tmp_path) as bench:
        code, printed = await bench.end()
        assert (code, bench.errors) == (0, [])
    figures = json.loads(printed)
    assert figures["events"] == 250
    assert figures["server"] == ("SQLite" if database is None else "PostgreSQL")
    assert figures["deliveries_per_second"] > 0
    assert 0 < figures["median_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    assert os.listdir(tmp_path) == []


async def test_a_running_server_is_left_as_it_was(tmp_path: Path) -> None:
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev:
        given = json.loads(await dev.line())
        arguments = ("bench", "--events", "100", "--url", given["url"], "--json")
        async with hookwright(*arguments, environ={}, folder=tmp_path) as bench:
            code, printed = await bench.end()
            assert (code, bench.errors) == (0, [])
        assert json.loads(printed)["server"] == given["url"]
        headers = {"Authorization": f"Bearer {given['admin_key']}"}
        async with httpx.AsyncClient(base_url=given["url"], headers=headers, trust_env=False) as client:
            accounts = (await client.get("/api/v1/accounts")).json()["data"]
            assert [account["id"] for account in accounts] == [given["account_id"]]
        assert await dev.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "reason"),
    [
        (["--url", "https://hooks.example.com", "--key", "hw_1_x"], 1, "is not on this machine"),
        (["--url", "http://127.0.0.1:9", "--key", "hw_1_x"], 3, "does not answer"),
        (["--url", "http://127.0.0.1:9", "--database", "postgresql://127.0.0.1:9/x"], 2, "not both"),
        (["--database", "postgresql://nobody@127.0.0.1:9/x"], 3, "no database could be made there"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    tmp_path: Path, arguments: list[str], exit_code: int, reason: str
) -> None:
    assert reason in on_sqlite(tmp_path).refusal("bench", *arguments, exit_code=exit_code)


@pytest.mark.parametrize(
    ("arrived", "told"),
    [
        (["a", "b"], None),
        (["b", "a"], None),
        (["a"], "of 2 events 1 did not arrive, and 0 arrived that should not have"),
        (["a", "b", "b", "c"], "of 2 events 0 did not arrive, and 2 arrived that should not have"),
        (["a", "a"], "of 2 events 1 did not arrive, and 1 arrived that should not have"),
    ],
)
def test_only_each_event_exactly_once_counts(arrived: list[str], told: str | None) -> None:
    assert difference(["a", "b"], arrived) == told


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (95, 10), (99, 10), (1, 1)])
def test_a_percentile_is_one_of_the_values(percent: int, value: int) -> None:
    assert percentile([10, 1, 2, 3, 4, 5, 6, 7, 8, 9], percent) == value
