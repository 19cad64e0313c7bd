"""The store on SQLite: one file, one writer thread, group commit.

WAL with synchronous=FULL: with NORMAL, a power cut loses commits that were already acknowledged. All writers of a
process queue at one thread; whatever is waiting when it comes round shares one transaction and one fsync.
Each job runs in a savepoint, so that one that fails does not take the others with it.
"""

from __future__ import annotations

import asyncio
import queue
import re
import sqlite3
import threading
from collections.abc import Callable, Collection, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from hookwright.core.errors import Unavailable
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Draft, Instant, Settled
from hookwright.store.acceptance import (
    AccountKey,
    Batch,
    DeliveryRow,
    EventRow,
    Known,
    PayloadRow,
    answers,
    claims_at_birth,
    count_matches,
    delivery_rows,
    event_row,
    is_new,
    key_rows,
    only_new,
    payload_rows,
    places_wanted,
    queue_rows_for,
)
from hookwright.store.base import NO_ROOM, Acceptance, Lease, Room, SchemaState
from hookwright.store.batch_steps import unbroken
from hookwright.store.claim_steps import WHAT_IT_MEETS, Found, Look, found_by, of_all, worth_noting
from hookwright.store.line_steps import take_places
from hookwright.store.matching_steps import TROUBLED, Books
from hookwright.store.migrations import migrations_for, schema_state
from hookwright.store.queue_steps import QUEUE_UP
from hookwright.store.records import Records
from hookwright.store.sqlite_rows import (
    AMONG_LISTED,
    LANE,
    ReleasedRow,
    RenewedRow,
    SettledRow,
    insert_rows,
    listed,
    release_rows,
    renew_rows,
    settle_rows,
)
from hookwright.store.steps import BATCH, Row, Step, headers_text, sql

OLDEST_SQLITE = (3, 35, 0)  # RETURNING
ID_BLOCK = 1_000
MAX_GROUP = 500
BUSY_SECONDS = 5.0  # another process (the command line) may hold the file for a moment
WAL_TRIES = 10

# What says that we asked wrongly; every other error of the database is an outage.
MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError)

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
OpenFile = Callable[[Path], sqlite3.Connection]


def open_file(path: Path) -> sqlite3.Connection:
    """A connection that commits by itself outside BEGIN and COMMIT."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


class SqliteStore(Records):
    """The Store protocol on one SQLite file.

    `open_file` opens it; whoever tests what a power cut leaves gives one with a disk of its own beneath.
    """

    lane_count = 1
    lanes_apart = False

    def __init__(self, path: Path, open_file: OpenFile = open_file) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise Unavailable(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 or newer is needed")
        self._path = path
        self._connect = partial(_connect, path, open_file)
        self._books = Books()
        # A group may hold a change of subscriptions and a publish that has seen it. If their commit fails, the number
        # of that version is given again, to another change.
        self._writer = _Writer(self._connect, on_undone=self._books.forget_all)
        self._readers = ThreadPoolExecutor(1, "hookwright-sqlite-reader")
        self._reader: sqlite3.Connection | None = None
        self._closed = False
        self._ids = range(0)
        self._failing = set()
        self._walked_to = {}

    # -- the store itself ------------------------------------------------------------------------------------

    async def migrate(self) -> None:
        await self._writer.alone(_migrate)

    async def schema(self) -> SchemaState:
        return schema_state("sqlite", await self._read(_applied()))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.stop)
        await asyncio.get_running_loop().run_in_executor(self._readers, self._close_reader)
        self._readers.shutdown()

    async def now(self) -> Instant:
        return await self._read(_now())

    async def new_id(self, lane_index: int) -> int:
        if self._closed:
            raise Unavailable("the store is closed")
        if not self._ids:
            # Two callers may both reserve; the block that is overwritten is skipped, never given twice.
            self._ids = await self._writer.run(partial(_reserve, ID_BLOCK))
        counter, self._ids = self._ids[0], self._ids[1:]
        return counter * LANE_COUNT

    async def hint(self, lane_indexes: Sequence[int]) -> None:
        """Nobody hears it: one process sends what a file holds."""

    async def hear_hints(self, on_hint: Callable[[Sequence[int]], None]) -> None:
        """There are none."""

    async def _read(self, step: Step[T]) -> T:
        if self._closed:
            raise Unavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, step)

    async def _write(self, step: Step[T]) -> T:
        result: T = await self._writer.run(partial(_run_step, step))
        return result

    def _read_now(self, step: Step[T]) -> T:
        try:
            if self._reader is None:
                self._reader = self._connect()
                self._reader.execute("PRAGMA query_only = ON")
            self._reader.execute("BEGIN")
            try:
                return _run_step(step, self._reader)
            finally:
                self._reader.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise _outage_as_unavailable(error) from error

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()

    # -- the hot path ----------------------------------------------------------------------------------------

    async def accept(self, drafts: Sequence[Draft], room: Room = NO_ROOM) -> Acceptance:
        find = partial(self.match, drafts)
        result: Acceptance = await self._writer.run(partial(_accept, find, room))
        return result

    async def _claim_some(self, look: Look, lanes: Sequence[int]) -> Found:
        if not lanes:
            return of_all([])
        result: Found = await self._writer.run(partial(_look, look, self.put_back))
        return result

    async def renew(self, leases: Sequence[Lease], lease_until: Instant) -> set[int]:
        result: set[int] = await self._writer.run(partial(_renew, leases, lease_until))
        return result

    async def release(self, leases: Sequence[Lease], now: Instant) -> None:
        await self._writer.run(partial(_release, leases, now))

    async def settle(self, settled: Sequence[Settled], now: Instant) -> set[int]:

        def note(written: Sequence[Settled]) -> Step[None]:
            return self._note_outcomes(worth_noting(written, self._failing), now)

        result: set[int] = await self._writer.run(partial(_settle, note, settled, now))
        return result

    async def _rescue_some(self, now: Instant, lanes: Sequence[int]) -> int:
        result: int = await self._writer.run(partial(_rescue, now))
        return result


class _Writer:
    """The one thread that writes; see the module."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], on_undone: Callable[[], None]) -> None:
        """`on_undone` is called, in the writer's thread, when a group that had begun was not committed."""
        self._connect = connect
        self._on_undone = on_undone
        self._jobs: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()  # None: stop
        self._put_back: list[_Queued | None] = []
        self._door = threading.Lock()  # nothing may be queued behind the last None, where nobody would run it
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="hookwright-sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Job) -> Any:
        """Run a job in a shared transaction; returns when it is on disk."""
        return await self._enqueue(_Queued(job, asyncio.get_running_loop()))

    async def alone(self, job: Job) -> Any:
        """Run a job that begins and ends its own transaction."""
        return await self._enqueue(_Queued(job, asyncio.get_running_loop(), alone=True))

    async def _enqueue(self, queued: _Queued) -> Any:
        with self._door:
            if self._closed:
                raise Unavailable("the store is closed")
            self._jobs.put(queued)
        return await queued.future

    def stop(self) -> None:
        with self._door:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        db: sqlite3.Connection | None = None
        while (group := self._next_group()) is not None:
            try:
                # Opened late and kept: a file that cannot be opened now may be there for the next group.
                db = db or self._connect()
                _run_group(db, group)
            except Exception as error:
                for queued in group:
                    queued.fail(_outage_as_unavailable(error))
                self._on_undone()
                _let_go(db)
                db = None
            _resolve(group)
        _let_go(db)

    def _next_group(self) -> list[_Queued] | None:
        first = self._take()
        if first is None:
            return None
        group = [first]
        while not group[-1].alone and len(group) < MAX_GROUP:
            try:
                queued = self._take(wait=False)
            except queue.Empty:
                break
            if queued is None or queued.alone:
                self._put_back.append(queued)
                break
            group.append(queued)
        return group

    def _take(self, *, wait: bool = True) -> _Queued | None:
        return self._put_back.pop() if self._put_back else self._jobs.get(block=wait)


class _Queued:
    """A job on its way through the writer, and the future that its caller waits for."""

    __slots__ = ("alone", "error", "future", "job", "loop", "result")

    def __init__(self, job: Job, loop: asyncio.AbstractEventLoop, *, alone: bool = False) -> None:
        self.job = job
        self.alone = alone
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        self.error = self.error or error

    def resolve(self) -> None:
        if self.future.done():  # its caller was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def _resolve(group: list[_Queued]) -> None:
    def resolve() -> None:
        for queued in group:
            queued.resolve()

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        group[0].loop.call_soon_threadsafe(resolve)


def _run_group(db: sqlite3.Connection, group: list[_Queued]) -> None:
    if group[0].alone:
        _run_job(group[0], db)
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for queued in group:
            _run_in_savepoint(queued, db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _run_in_savepoint(queued: _Queued, db: sqlite3.Connection) -> None:
    db.execute("SAVEPOINT job")
    _run_job(queued, db)
    if queued.error is not None and db.in_transaction:
        db.execute("ROLLBACK TO job")
    db.execute("RELEASE job")


def _run_job(queued: _Queued, db: sqlite3.Connection) -> None:
    try:
        queued.result = queued.job(db)
    except Exception as error:  # often its caller's: a rendering that failed, a refusal
        queued.fail(_outage_as_unavailable(error))


def _outage_as_unavailable(error: Exception) -> Exception:
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, MISTAKES):
        return Unavailable(f"SQLite: {error}")
    return error


def _connect(path: Path, open_file: OpenFile) -> sqlite3.Connection:
    db = open_file(path)
    try:
        _use_wal(db)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch the file to its write-ahead log, or see that it has been."""
    for _ in range(WAL_TRIES):
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            # Of two that open a new file at once, SQLite refuses one without waiting, as each has a lock that the
            # other needs. Whoever may write comes after the other: that is the wait.
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
        else:
            return
    raise sqlite3.OperationalError("the write-ahead log cannot be switched on")


def _let_go(db: sqlite3.Connection | None) -> None:
    """Close a connection; one that failed is not trusted again."""
    if db is not None:
        db.close()


@lru_cache(maxsize=256)
def _numbered(text: str) -> str:
    """SQLite's form of `$1` is `?1`."""
    return re.sub(r"\$(\d+)", r"?\1", text)


def _run_step(step: Step[T], db: sqlite3.Connection) -> T:
    try:
        statement = next(step)
        while True:
            rows = db.execute(_numbered(statement.text), statement.values).fetchall()
            statement = step.send(rows)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _now() -> Step[Instant]:
    rows = yield sql("SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) AS instant")
    return int(rows[0]["instant"])


def _applied() -> Step[set[int]]:
    found = yield sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'")
    rows = (yield sql("SELECT version FROM schema_migrations")) if found else ()
    return {row["version"] for row in rows}


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")  # SQLite's own lock: another process that migrates waits here
    try:
        db.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, applied_at INTEGER)")
        applied = {row["version"] for row in db.execute("SELECT version FROM schema_migrations")}
        for migration in migrations_for("sqlite"):
            if migration.version not in applied:
                for statement in _statements(migration.text):
                    db.execute(statement)
                db.execute(
                    "INSERT INTO schema_migrations VALUES (?, CAST(strftime('%s') AS INTEGER) * 1000000)",
                    (migration.version,),
                )
        db.execute("INSERT OR IGNORE INTO lanes (lane, lane_index) VALUES (?, 0)", (LANE,))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _statements(text: str) -> list[str]:
    # executescript would commit in between; our files hold no semicolon inside a statement.
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [statement for statement in code.split(";") if statement.strip()]


def _reserve(count: int, db: sqlite3.Connection) -> range:
    rows = db.execute(
        "UPDATE lanes SET next_counter = next_counter + ? WHERE lane = ? RETURNING next_counter", (count, LANE)
    ).fetchall()
    end: int = rows[0]["next_counter"]
    return range(end - count, end)


def _accept(
    find: Callable[[], Step[Batch]],
    room: Room,
    db: sqlite3.Connection,
) -> Acceptance:
    matched = _run_step(find(), db)
    drafts = matched.drafts
    known = _claim_keys(drafts, db)
    batch = only_new(matched, known)
    ids = iter([counter * LANE_COUNT for counter in _reserve(len(batch.matches), db)] if batch.matches else [])
    places = _run_step(take_places(places_wanted(batch)), db)
    payloads = payload_rows(batch)
    deliveries = list(delivery_rows(batch, {LANE: ids}, places, payloads, room))
    insert_rows(db, "events", EventRow._fields, [event_row(draft) for draft in batch.drafts])
    insert_rows(db, "payloads", PayloadRow._fields, payloads)
    insert_rows(db, "deliveries", DeliveryRow._fields, deliveries)
    db.executemany(_QUEUE_UP, queue_rows_for(deliveries))
    counts = count_matches(batch)
    for draft in drafts:
        if not is_new(draft, known):
            first = known[draft.event.account_id, draft.event.idempotency_key or ""].event_id
            counts.setdefault(first, _count_deliveries(first, db))
    claims = claims_at_birth(batch, payloads, deliveries)
    return Acceptance(answers(drafts, known, counts), claims, len(batch.matches))


def _claim_keys(drafts: Sequence[Draft], db: sqlite3.Connection) -> dict[AccountKey, Known]:
    known: dict[AccountKey, Known] = {}
    for row in key_rows(drafts):
        db.execute(
            "INSERT INTO idempotency_keys (lane, account_id, key, event_id, fingerprint, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            row,
        )
        kept = db.execute(
            "SELECT event_id, fingerprint FROM idempotency_keys WHERE lane = ? AND account_id = ? AND key = ?",
            row[:3],
        ).fetchone()
        known[row.account_id, row.key] = Known(kept["event_id"], kept["fingerprint"])
    return known


def _count_deliveries(event_id: str, db: sqlite3.Connection) -> int:
    row = db.execute(
        "SELECT COUNT(*) AS number FROM deliveries WHERE lane = ? AND event_id = ?", (LANE, event_id)
    ).fetchone()
    return int(row["number"])


_QUEUE_UP = QUEUE_UP.format(rows="VALUES (?, ?, ?)")
_QUEUE_UP_GIVEN_BACK = QUEUE_UP.format(
    rows=f"SELECT DISTINCT lane, endpoint_id, ?3 FROM deliveries WHERE lane = ?1 AND id {AMONG_LISTED.format('?2')}"
)


def _look(look: Look, put_back: Callable[[int, int, Instant], Step[None]], db: sqlite3.Connection) -> Found:
    # As many rows more as are left out: a list of these in the statement would be a new one each time.
    rows = db.execute(
        f"SELECT q.lane, q.endpoint_id, {WHAT_IT_MEETS.format(lane='e.lane')} AS meets FROM queues q"
        " JOIN endpoints e ON e.lane = q.lane AND e.id = q.endpoint_id"
        " WHERE q.lane = ? AND q.due_at <= ? ORDER BY q.due_at LIMIT ?",
        (LANE, look.now, look.limit + len(look.left_out)),
    ).fetchall()
    left_out = set(look.left_out)
    met = [row for row in rows if row["endpoint_id"] not in left_out][: look.limit]
    taken: list[Row] = []
    for row, share in zip(met, look.shares(met), strict=True):
        if row["meets"] == "active":
            taken += _take_due(row["endpoint_id"], share, look, db)
            _run_step(put_back(LANE, row["endpoint_id"], look.now), db)
        elif row["meets"] not in ("guarded", "deleted"):
            # However much waits for it: its activation brings it back.
            db.execute("DELETE FROM queues WHERE lane = ? AND endpoint_id = ?", (LANE, row["endpoint_id"]))
    return found_by(look, met, sorted(taken, key=itemgetter("was_due", "id")))


def _take_due(endpoint_id: int, share: int, look: Look, db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Claim a share of what is due to an endpoint; what has expired is put aside. What stands in line is left."""
    rows = db.execute(
        "SELECT d.*, d.due_at AS was_due, COALESCE(d.expires_at <= ?1, FALSE) AS expired, e.url, e.retry_schedule,"
        f" e.sealed_headers, e.signature, {TROUBLED} AS troubled, p.body, v.occurred_at, v.traceparent"
        " FROM deliveries d"
        " JOIN endpoints e ON e.lane = d.lane AND e.id = d.endpoint_id"
        " JOIN payloads p ON p.lane = d.lane AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
        " JOIN events v ON v.lane = d.lane AND v.id = d.event_id"
        " WHERE d.lane = ?2 AND d.endpoint_id = ?3 AND d.status = 'pending' AND d.due_at <= ?1 AND d.place IS NULL"
        " ORDER BY d.due_at LIMIT ?4",
        (look.now, LANE, endpoint_id, share),
    ).fetchall()
    db.execute(
        "UPDATE deliveries SET status = 'in_flight', fence = fence + 1, lease_until = ?1, due_at = NULL"
        f" WHERE lane = ?2 AND id {AMONG_LISTED.format('?3')}",
        (look.lease_until, LANE, listed(row["id"] for row in rows if not row["expired"])),
    )
    if aside := [row["id"] for row in rows if row["expired"]]:
        db.execute(
            f"UPDATE deliveries SET due_at = NULL WHERE lane = ?1 AND id {AMONG_LISTED.format('?2')}",
            (LANE, listed(aside)),
        )
    return [{**row, "fence": row["fence"] + 1} for row in map(dict, rows)]


def _renew(leases: Sequence[Lease], lease_until: Instant, db: sqlite3.Connection) -> set[int]:
    ours = renew_rows(db, [RenewedRow(lease.delivery_id, lease.fence, lease_until) for lease in leases])
    return {leases[place].delivery_id for place in ours}


def _release(leases: Sequence[Lease], now: Instant, db: sqlite3.Connection) -> None:
    ours = release_rows(db, [ReleasedRow(lease.delivery_id, lease.fence, now) for lease in leases])
    db.execute(_QUEUE_UP_GIVEN_BACK, (LANE, listed(leases[place].delivery_id for place in ours), now))


def _settle(
    note: Callable[[Sequence[Settled]], Step[None]], settled: Sequence[Settled], now: Instant, db: sqlite3.Connection
) -> set[int]:
    settled = _unbroken(settled, db)
    deleted = _deleted_endpoints(
        [each.claim.endpoint_id for each in settled if each.settlement.status == "pending"], db
    )
    rows = [_settled_row(each, deleted, now) for each in settled]
    written = settle_rows(db, rows)
    insert_rows(db, "attempts", ATTEMPT_COLUMNS, [_attempt_row(settled[place], rows[place]) for place in written])
    ours = [settled[place] for place in written]
    _run_step(note(ours), db)
    return {each.claim.delivery_id for each in ours}


def _unbroken(settled: Sequence[Settled], db: sqlite3.Connection) -> Sequence[Settled]:
    """Without what went out together and is not ours altogether."""
    together = [each.claim.delivery_id for each in settled if each.claim.batch_id is not None]
    if not together:
        return settled
    rows = db.execute(
        f"SELECT id, fence FROM deliveries WHERE lane = ?1 AND id {AMONG_LISTED.format('?2')}"
        " AND +lease_until IS NOT NULL",
        (LANE, listed(together)),
    ).fetchall()
    return unbroken(settled, {Lease(row["id"], row["fence"]) for row in rows})


def _deleted_endpoints(endpoint_ids: Collection[int], db: sqlite3.Connection) -> set[int]:
    if not endpoint_ids:
        return set()
    rows = db.execute(
        f"SELECT id FROM endpoints WHERE lane = ?1 AND id {AMONG_LISTED.format('?2')} AND status = 'deleted'",
        (LANE, listed(set(endpoint_ids))),
    ).fetchall()
    return {row["id"] for row in rows}


def _settled_row(each: Settled, deleted: Container[int], now: Instant) -> SettledRow:
    """What becomes of a delivery; a retry of an endpoint that was deleted meanwhile is cancelled."""
    claim, outcome, settlement = each.claim, each.outcome, each.settlement
    is_pending = settlement.status == "pending" and claim.endpoint_id not in deleted
    return SettledRow(
        claim.delivery_id,
        claim.fence,
        "cancelled" if settlement.status == "pending" and not is_pending else settlement.status,
        settlement.due_at if is_pending else None,
        None if is_pending else now,
        outcome.status_code,
        outcome.error,
    )


ATTEMPT_COLUMNS = (
    "lane",
    "delivery_id",
    "number",
    "started_at",
    "duration_us",
    "status_code",
    "error",
    "detail",
    "response_body",
    "next_attempt_at",
    "response_headers",
)


def _attempt_row(each: Settled, row: SettledRow) -> tuple[Any, ...]:
    claim, outcome = each.claim, each.outcome
    return (
        LANE,
        claim.delivery_id,
        claim.attempt,
        outcome.started_at,
        outcome.duration_us,
        outcome.status_code,
        outcome.error,
        outcome.detail,
        outcome.body,
        row.due_at,
        None if outcome.headers is None else headers_text(outcome.headers),
    )


def _rescue(now: Instant, db: sqlite3.Connection) -> int:
    rows = db.execute(
        "UPDATE deliveries SET status = 'pending', due_at = ?1, lease_until = NULL WHERE rowid IN"
        f" (SELECT rowid FROM deliveries WHERE status = 'in_flight' AND lease_until <= ?1 LIMIT {BATCH})"
        " RETURNING lane, endpoint_id",
        (now,),
    ).fetchall()
    db.executemany(_QUEUE_UP, [(*key, now) for key in {tuple(row) for row in rows}])
    return len(rows)
