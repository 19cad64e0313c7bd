"""The benchmark itself, in a tiny run: it works, it reconciles, it prints one object. No figure is judged here."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from benchmarks import past_tallies
from benchmarks.events import BODY_BYTES, delivered_body
from benchmarks.measure import Figure, Measure, Measured, Reach, Round, Stage
from benchmarks.measures.soak import Sample, slope_per_hour
from benchmarks.publishing import Answer, Refused, accepted_ids
from benchmarks.receiving import Arrival
from benchmarks.reconciling import Unreconciled, reconcile
from benchmarks.report import as_object, table
from benchmarks.tables import DOCUMENT, WRITER, with_table

from hookwright.core.model import DAY
from hookwright.core.tallies import HOUR_SLOT, MINUTE_SLOT, WHOLE_PLATFORM, slot_of
from hookwright.store.base import Store
from hookwright.testing.document_tables import END, begin
from log_scan import read_log
from store.given import NOW, accept_one, add_account, add_endpoint, draft

ROOT = Path(__file__).parent.parent
EXPECTED = [("a", "1"), ("a", "2"), ("b", "1")]

SURROUNDINGS = {
    "machine": {"cores": 2, "cpu": "a CPU", "memory_gb": 4.0, "kernel": "6", "load_average": 0.5},
    "versions": {"python": "3.11", "sqlite": "3.40", "postgresql": None},
    "scale": {"rounds": 3, "events": 10},
}


def arrivals(*keys: tuple[str, str]) -> list[Arrival]:
    return [Arrival(at, path.encode(), id.encode()) for at, (path, id) in enumerate(keys)]


def test_a_tiny_run_delivers_reconciles_and_prints_one_object() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--json", "--only", "sqlite_batch", "--rounds", "1", "--events", "300"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    read_log(ran.stderr)
    assert ran.returncode == 0, ran.stderr
    results = json.loads(ran.stdout)
    measured = results["measures"]["sqlite_batch"]
    assert measured["failure"] is None
    (only_round,) = measured["rounds"]
    assert only_round["ratio"] == pytest.approx(only_round["end_to_end_per_second"] / only_round["bare_per_second"])
    assert measured["figures"]["ratio"]["reach"] == {"at least": 0.4}
    assert results["versions"]["postgresql"] is None


def test_what_arrives_as_accepted_reconciles_in_any_order() -> None:
    assert reconcile(EXPECTED, arrivals(*reversed(EXPECTED))) == 3


@pytest.mark.parametrize(
    "arrived",
    [EXPECTED[:2], [*EXPECTED, EXPECTED[0]], [*EXPECTED[:2], ("b", "2")], [*EXPECTED[:2], ("a", "1")]],
    ids=["one is missing", "one comes twice", "another id", "another path"],
)
def test_what_arrives_otherwise_does_not_reconcile(arrived: list[tuple[str, str]]) -> None:
    with pytest.raises(Unreconciled):
        reconcile(EXPECTED, arrivals(*arrived))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, b"{}"),
        Answer(202, b'{"event_id": "1", "deliveries": 1, "duplicate": true}'),
        Answer(202, b'{"results": [{"status": 409, "error": "used"}]}'),
    ],
    ids=["refused", "a duplicate", "a conflict"],
)
def test_a_publish_that_is_not_accepted_whole_is_no_measurement(answer: Answer) -> None:
    with pytest.raises(Refused):
        accepted_ids(answer)


def test_every_delivery_has_the_size_that_is_printed() -> None:
    assert {len(delivered_body(number)) for number in (0, 9, 123_456)} == {BODY_BYTES}


async def nothing(stage: Stage) -> list[Round]:
    return []


MEASURE = Measure(name="speed", figures=(Figure("rate", "how fast", "/s", Reach("at least", 5)),), take=nothing)


def test_a_figure_is_the_median_of_its_rounds_beside_what_it_has_to_reach() -> None:
    results = as_object([Measured(MEASURE, [{"rate": 9.0}, {"rate": 4.0}, {"rate": 1.0}])], SURROUNDINGS)
    figure = results["measures"]["speed"]["figures"]["rate"]
    assert (figure["median"], figure["lowest"], figure["highest"], figure["reached"]) == (4.0, 1.0, 9.0, False)
    assert "how fast  4.00 /s  1.00  9.00  ≥ 5 /s       NO" in table(results)


def test_a_measure_that_failed_is_seen_and_has_no_figures() -> None:
    results = as_object([Measured(MEASURE, failure="Unreconciled: 1 is missing")], SURROUNDINGS)
    assert results["measures"]["speed"]["figures"] == {}
    assert "FAILED" in table(results)
    assert "speed: Unreconciled: 1 is missing" in table(results)


def test_the_slope_of_the_memory_is_taken_once_it_has_settled() -> None:
    filling = [Sample(0, 50.0), Sample(60, 90.0)]
    steady = [Sample(120.0 + 60 * minute, 100 + minute / 60) for minute in range(8)]
    assert slope_per_hour([*filling, *steady]) == pytest.approx(1)


def test_the_table_of_the_document_is_replaced_and_the_rest_stays() -> None:
    results = as_object([Measured(MEASURE, [{"rate": 9.0}])], SURROUNDINGS)
    once = with_table(f"# Before\n{begin(WRITER)}old\n{END}after\n", results)
    assert "| how fast | 9.00 /s | 9.00 | 9.00 | ≥ 5 /s | yes |" in once
    assert (once[:9], once[-6:], "old" in once) == ("# Before\n", "after\n", False)
    assert with_table(once, results) == once


def test_the_document_has_a_place_for_the_table() -> None:
    assert with_table(DOCUMENT.read_text(), as_object([], SURROUNDINGS))


async def test_a_history_that_was_copied_is_in_the_charts(
    sqlite_store: Store, migrated_file: Path, tmp_path: Path
) -> None:
    account = await add_account(sqlite_store)
    await add_endpoint(sqlite_store, account)
    early = await accept_one(sqlite_store, draft(account))
    await accept_one(sqlite_store, draft(account))
    with closing(sqlite3.connect(tmp_path / migrated_file.name, isolation_level=None)) as db:
        db.execute("UPDATE events SET accepted_at = ? WHERE id = ?", (NOW - 3 * DAY, early.event_id))
        db.execute(
            "UPDATE deliveries SET created_at = ?, status = 'delivered' WHERE event_id = ?",
            (NOW - 3 * DAY, early.event_id),
        )
        for statement in past_tallies.statements(NOW):
            db.execute(statement)
    for account_id in (account.id, WHOLE_PLATFORM):
        hours = await sqlite_store.tallies(account_id, HOUR_SLOT, NOW - 7 * DAY)
        minutes = await sqlite_store.tallies(account_id, MINUTE_SLOT, NOW - 7 * DAY)
        assert [(each.began_at, each.published, each.delivered, each.failed) for each in hours] == [
            (slot_of(NOW - 3 * DAY, HOUR_SLOT), 1, 1, 0),
            (slot_of(NOW, HOUR_SLOT), 1, 0, 1),
        ]
        assert [each.began_at for each in minutes] == [slot_of(NOW, MINUTE_SLOT)]
