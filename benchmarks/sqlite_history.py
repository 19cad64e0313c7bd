"""A SQLite file with a history, copied in SQL from rows that the server itself made.

A copy overrides a few columns of its model and keeps the rest, whatever columns there are.
"""

from __future__ import annotations

import sqlite3
import time
from base64 import b64decode
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from uuid import UUID

from benchmarks import past_tallies
from benchmarks.delivering import Line
from benchmarks.preloading import DELIVERIES_PER_EVENT, FIRST_RETRY_IN
from benchmarks.server import MASTER_KEY
from hookwright.ambient import new_signing_key
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import DAY, Binding
from hookwright.vault import Vault

ACCOUNTS = 10
SPREAD_OVER = 7 * DAY
WAITS = "copies.nth % 10 = 0"  # one of ten is yet to be retried; the others were delivered
UUID_OF_VERSION_7 = 0x7000_8000_0000_0000_0000


async def give_file_a_history(line: Line, endpoints: int, deliveries: int) -> None:
    """Fill the line's file: accounts that each have so many endpoints, and deliveries of the last week."""
    path = Path(line.database_url.removeprefix("sqlite:"))
    for number in range(ACCOUNTS):
        model = await line.server.subscribe(f"{line.receiver.url}/model-{number}")
        await line.rate(line.batches([model], 1))
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as db:
            db.execute("BEGIN IMMEDIATE")
            _copy_endpoints(db, model.account_id, endpoints // ACCOUNTS)
            _copy_deliveries(db, model.account_id, deliveries // ACCOUNTS, number)
            db.execute("COMMIT")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as db:
        db.execute("BEGIN IMMEDIATE")
        for statement in past_tallies.statements(time.time_ns() // 1000):
            db.execute(statement)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy_endpoints(db: sqlite3.Connection, account_id: int, count: int) -> None:
    first = _take_counters(db, 2 * count)
    id, secret_id = (f"({start} + copies.nth) * {LANE_COUNT}" for start in (first, first + count))
    endpoint = f"(SELECT MIN(id) FROM endpoints WHERE account_id = {account_id})"
    db.execute("CREATE TEMPORARY TABLE model AS SELECT " + endpoint + " AS id")
    of_model = "model.endpoint_id = (SELECT id FROM temp.model)"
    _copy(
        db,
        "endpoints",
        "model.id = (SELECT id FROM temp.model)",
        count,
        {"id": id, "url": "model.url || '-' || copies.nth"},
    )
    _copy(db, "subscriptions", of_model, count, {"endpoint_id": id, "resource": "copies.nth"})
    _copy(db, "signing_secrets", of_model, count, {"id": secret_id, "endpoint_id": id})
    db.execute("DROP TABLE temp.model")
    _seal_anew(db, account_id)


def _copy_deliveries(db: sqlite3.Connection, account_id: int, count: int, nth: int) -> None:
    """Deliveries of the account's copied endpoints in turn, ten of each event, the newest last."""
    first, now = _take_counters(db, count), time.time_ns() // 1000
    events = -(-count // DELIVERIES_PER_EVENT)
    ages = [(number, SPREAD_OVER // events * (events - 1 - number)) for number in range(events)]
    db.execute("CREATE TEMPORARY TABLE new_events (number INTEGER PRIMARY KEY, id TEXT, at INTEGER)")
    db.executemany(
        "INSERT INTO new_events VALUES (?, ?, ?)",
        ((number, str(_event_id(now - age, number * ACCOUNTS + nth)), now - age) for number, age in ages),
    )
    db.execute(
        "CREATE TEMPORARY TABLE aims AS SELECT ROW_NUMBER() OVER (ORDER BY id) - 1 AS number, id, COUNT(*) OVER () AS"
        f" many FROM endpoints WHERE account_id = {account_id}"
    )
    db.execute("CREATE INDEX temp.aims_by_number ON aims (number)")
    model = f"(SELECT MIN(id) FROM deliveries WHERE account_id = {account_id})"
    event = f"(SELECT event_id FROM deliveries WHERE id = {model})"
    id = f"({first} + copies.nth) * {LANE_COUNT}"
    of_event = f"(SELECT n.%s FROM new_events n WHERE n.number = copies.nth / {DELIVERIES_PER_EVENT})"
    new_event = {"id": "(SELECT n.id FROM new_events n WHERE n.number = copies.nth)"}
    at = "(SELECT n.at FROM new_events n WHERE n.number = copies.nth)"
    _copy(db, "events", f"model.id = {event}", events, {**new_event, "accepted_at": at, "occurred_at": at})
    _copy(db, "payloads", f"model.event_id = {event}", events, {"event_id": new_event["id"]})
    _copy(
        db,
        "attempts",
        f"model.delivery_id = {model}",
        count,
        {"delivery_id": id, "status_code": f"CASE WHEN {WAITS} THEN 503 ELSE 200 END", "started_at": of_event % "at"},
    )
    _copy(
        db,
        "deliveries",
        f"model.id = {model}",
        count,
        {
            "id": id,
            "event_id": of_event % "id",
            "created_at": of_event % "at",
            "endpoint_id": "(SELECT a.id FROM aims a WHERE a.number = copies.nth % (SELECT MAX(many) FROM aims))",
            "status": f"CASE WHEN {WAITS} THEN 'pending' ELSE 'delivered' END",
            "due_at": f"CASE WHEN {WAITS} THEN {now + FIRST_RETRY_IN} + copies.nth END",
            "finished_at": f"CASE WHEN {WAITS} THEN NULL ELSE {of_event % 'at'} END",
            "last_status_code": f"CASE WHEN {WAITS} THEN 503 ELSE 200 END",
        },
    )
    db.execute(
        "INSERT OR REPLACE INTO queues (lane, endpoint_id, due_at)"
        " SELECT lane, endpoint_id, MIN(due_at) FROM deliveries"
        f" WHERE account_id = {account_id} AND status = 'pending' GROUP BY lane, endpoint_id"
    )
    db.execute("DROP TABLE temp.new_events")
    db.execute("DROP TABLE temp.aims")


def _copy(db: sqlite3.Connection, table: str, models: str, count: int, changed: Mapping[str, str]) -> None:
    """Copy what `models` finds so many times; `copies.nth` counts them from 0."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = [changed.get(column, f"model.{column}") for column in columns]
    db.execute(
        "WITH RECURSIVE copies (nth) AS"
        f" (SELECT 0 UNION ALL SELECT nth + 1 FROM copies WHERE nth < {count - 1})"
        f" INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM copies CROSS JOIN {table} model WHERE {models}"
    )


def _take_counters(db: sqlite3.Connection, count: int) -> int:
    """The first of so many counters, as the store takes them for its ids."""
    ((end,),) = db.execute("UPDATE lanes SET next_counter = next_counter + ? RETURNING next_counter", (count,))
    return int(end) - count


def _event_id(at_us: int, number: int) -> UUID:
    """A UUID of version 7 of the first lane: its last six bits are 0."""
    return UUID(int=(at_us // 1000) << 80 | UUID_OF_VERSION_7 | number * LANE_COUNT)


def _seal_anew(db: sqlite3.Connection, account_id: int) -> None:
    """Give each endpoint of an account a signing secret that opens: a copied one is bound to its model."""
    vault = Vault(b64decode(MASTER_KEY))
    rows = db.execute(
        "SELECT id, endpoint_id FROM signing_secrets WHERE account_id = ? AND endpoint_id IS NOT NULL", (account_id,)
    ).fetchall()
    db.executemany(
        "UPDATE signing_secrets SET sealed = ? WHERE lane = 0 AND id = ?",
        [
            (vault.seal(Binding("signing secret", account_id, endpoint_id), new_signing_key()), id)
            for id, endpoint_id in rows
        ],
    )
