"""The store on PostgreSQL, through asyncpg: production.

Concurrent workers share the due deliveries by `FOR UPDATE SKIP LOCKED`. Batches travel as arrays (`unnest`), so a
batch of any size is one prepared statement and one round trip; a large batch of events is copied. Commits are
durable: the store refuses a server with fsync off and asks for synchronous_commit on every connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import asyncpg

from hookwright.core.errors import Unavailable
from hookwright.core.lanes import LANE_COUNT, LANES, lane_of
from hookwright.core.model import Claim, Draft, Instant, Settled
from hookwright.store.acceptance import (
    AccountKey,
    Batch,
    DeliveryRow,
    EventRow,
    KeyRow,
    Known,
    PayloadRow,
    QueueRow,
    answers,
    claims_at_birth,
    count_matches,
    delivery_rows,
    event_row,
    ids_wanted,
    key_rows,
    note_turns,
    only_new,
    payload_rows,
    places_wanted,
    queue_rows,
    queue_rows_for,
)
from hookwright.store.base import NO_ROOM, Acceptance, Lease, Room, SchemaState, SecretOwner
from hookwright.store.batch_steps import unbroken
from hookwright.store.claim_steps import Found, Look, of_all, worth_noting
from hookwright.store.line_steps import take_places
from hookwright.store.matching_steps import RECIPIENT, Books, Recipients
from hookwright.store.migrations import migrations_for, schema_state
from hookwright.store.postgres_leases import (
    HOLD,
    OURS,
    RELEASE,
    RESCUE,
    RESCUE_IN_ONE_LANE,
    SETTLE,
    lease_columns,
    lease_of,
    settlement_columns,
)
from hookwright.store.postgres_look import take_look
from hookwright.store.postgres_rows import (
    Rows,
    claiming_keys,
    given,
    insertion,
    looking_up_keys,
    queueing_up,
    transposed,
)
from hookwright.store.queue_steps import QueueKey
from hookwright.store.records import Records
from hookwright.store.search_steps import Source, Spelling
from hookwright.store.steps import BATCH, Row, Statement, Step, labels, sql

ID_BLOCK = 1_000
# From so many rows of a table on, COPY is cheaper than arrays: 30 µs an event instead of 43 at 500, the same at 100.
WORTH_A_COPY = 100
# So many rows of a table are copied by one statement. Making them takes the event loop ten milliseconds.
ROWS_OF_A_PIECE = 5_000
MIN_CONNECTIONS, MAX_CONNECTIONS = 2, 10
ACQUIRE_SECONDS = 5.0
COMMAND_SECONDS = 30.0
SECONDS_A_ROW = 0.001  # of a statement that has to write them all, on a distributed database; much more than it takes
SCHEMA_SECONDS = 86_400.0  # a change of large tables takes as long as it takes; None would be the limit above
DISTRIBUTE_SQL = files(__name__.rpartition(".")[0]).joinpath("distribute.sql")
HINTS = "hookwright_due"  # the channel of hints that something may be due
MIGRATION_LOCK = 0x686F6F6B77726967  # "hookwrig"

# Both are ignored by a server that does not know them; Citus needs the first to see the names of shards' tables.
SERVER_SETTINGS = {
    "application_name": "hookwright",
    "citus.override_table_visibility": "off",
    "jit": "off",
    "synchronous_commit": "on",
    # A process that stands still in the midst of a transaction (SIGSTOP, a machine that is moved) keeps its locks,
    # and whoever publishes to the same account or takes over its deliveries waits for it. The server ends it.
    "idle_in_transaction_session_timeout": "3s",
    # A lock that others hold for long is an outage: a publisher is told so rather than kept waiting. Longer than the
    # above, so that a process that stands still costs the others a wait and no failure.
    "lock_timeout": "5s",
    # A plan that is kept is one for the tables as they were. While they are small every index is as good as any other
    # that begins with the lane, so a settlement was planned as a walk through its lane, and stayed one in the first
    # flood (seen: 5 s for 250 rows among 50,000, and leases ended meanwhile). Planning anew costs nothing that shows.
    "plan_cache_mode": "force_custom_plan",
    # Every statement of ours finds its rows by key, and a queue that fills and empties in seconds has no statistics
    # that a planner could trust: left to itself it reads whole tables, dead rows included. Nested loops over
    # indexes are right at every size.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

# What says that the server cannot answer now, rather than that we asked wrongly.
OUTAGES: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a database that takes no connections; a lock that is not to be had
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.PostgresIOError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

T = TypeVar("T")
Connection = Any  # asyncpg's pool hands out proxies that its types do not describe
Ids = Mapping[int, Iterator[int]]  # by lane
Insert = Callable[[Connection, Batch, Ids, Mapping[int, int], Room], Awaitable[list[Claim]]]


class PostgresStore(Records):
    """The Store protocol on one PostgreSQL database."""

    lane_count = LANE_COUNT
    SKIP_LOCKED = "FOR UPDATE SKIP LOCKED"
    SHARED = "FOR SHARE"
    ALONE = "FOR NO KEY UPDATE"
    # Of ASCII alone, as SQLite does: 30 µs less for each event than by a locale.
    SPELLING = Spelling('LOWER({0} COLLATE "C")', "AS MATERIALIZED ({0})")

    def __init__(self, url: str, max_connections: int = MAX_CONNECTIONS, *, distributed: bool = False) -> None:
        self._url = url
        self._max_connections = max_connections
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._ids: dict[int, range] = {}
        self._hearing: Any = None
        self.lanes_apart = distributed
        self._looks_made = 0
        self._books = Books()
        self._failing = set()
        self._walked_to = {}

    # -- the store itself ------------------------------------------------------------------------------------

    async def migrate(self) -> None:
        async with self._connection() as db:
            if await db.fetchval("SHOW fsync") != "on":
                raise Unavailable("PostgreSQL runs with fsync=off, which loses what was acknowledged; turn it on")
            async with db.transaction():
                await _migrate(db)

    async def schema(self) -> SchemaState:
        async with self._connection() as db:
            found = await db.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
            rows = await db.fetch("SELECT version FROM schema_migrations") if found else ()
        return schema_state("postgres", {row["version"] for row in rows})

    async def close(self) -> None:
        # Whoever waits for a connection when the pool begins to close may be given one that it then cuts, so the
        # pool is closed only when nobody is there any more.
        self._closed = True
        while self._under_way:
            self._quiet.clear()
            await self._quiet.wait()
        if self._hearing is not None:
            self._hearing.terminate()  # it has nothing to finish
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def now(self) -> Instant:
        async with self._connection() as db:
            # clock_timestamp(), not now(): the latter is when the transaction began.
            return int(await db.fetchval("SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000000)::bigint"))

    async def new_id(self, lane_index: int) -> int:
        async with self._connection() as db:
            return (await self._take_ids(db, lane_index % LANE_COUNT, 1))[0]

    async def _take_ids(self, db: Connection, lane_index: int, count: int) -> list[int]:
        """Ids of a lane, from the block at hand; a new block is its own commit, so nobody waits for a counter."""
        block = self._ids.get(lane_index, range(0))
        if len(block) < count:
            size = max(ID_BLOCK, count)
            end = await db.fetchval(
                "UPDATE lanes SET next_counter = next_counter + $2 WHERE lane = $1 RETURNING next_counter",
                LANES[lane_index],
                size,
            )
            # What was left of the old block is skipped. Another task may have fetched a block meanwhile; its rest
            # is skipped too: ids are many, and none is ever given twice.
            block = range(end - size, end)
        self._ids[lane_index] = block[count:]
        return [counter * LANE_COUNT + lane_index for counter in block[:count]]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        if self._closed:
            raise Unavailable("the store is closed")
        self._under_way += 1
        try:
            with _outages_as_unavailable():
                pool = self._pool or await self._open()
                async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
                    yield db
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                pool = await asyncpg.create_pool(
                    self._url,
                    min_size=min(MIN_CONNECTIONS, self._max_connections),
                    max_size=self._max_connections,
                    command_timeout=COMMAND_SECONDS,
                    server_settings=SERVER_SETTINGS,
                    reset=_leave_as_it_is,
                )
                try:
                    self.lanes_apart = self.lanes_apart or await _has_citus(pool)
                except BaseException:
                    pool.terminate()
                    raise
                self._pool = pool
            return self._pool

    async def _read(self, step: Step[T]) -> T:
        async with self._connection() as db:
            return await _run_step(step, db)

    async def _write(self, step: Step[T]) -> T:
        async with self._connection() as db, db.transaction():
            return await _run_step(step, db)

    # -- the hot path ----------------------------------------------------------------------------------------

    async def accept(self, drafts: Sequence[Draft], room: Room = NO_ROOM) -> Acceptance:
        async with self._connection() as db:
            batch = await _run_step(self.match(drafts), db)
            ids = {
                LANES[lane_index]: iter(await self._take_ids(db, lane_index, number))
                for lane_index, number in ids_wanted(batch).items()
            }
            most_rows = max(len(batch.drafts), len(batch.matches))
            insert = _copy if most_rows >= WORTH_A_COPY and not self.lanes_apart else _insert
            if any(draft.event.idempotency_key for draft in batch.drafts) or places_wanted(batch):
                async with db.transaction():
                    return await _accept_with_locks(db, batch, ids, room, insert)
            claims = await insert(db, batch, ids, {}, room)
            return Acceptance(answers(batch.drafts, {}, count_matches(batch)), claims, len(batch.matches))

    def by_ids(self, table: str, ids: Sequence[int], columns: str) -> Step[list[Row]]:
        lanes = list(map(lane_of, ids))
        if self.lanes_apart or len(set(lanes)) <= 1:
            return (yield from super().by_ids(table, ids, columns))
        name = table.split()[-1]
        rows = yield sql(
            f"SELECT {columns} FROM unnest($1::smallint[], $2::bigint[]) AS u (lane, id)"
            f" JOIN {table} ON {name}.lane = u.lane AND {name}.id = u.id",
            lanes,
            list(ids),
        )
        return list(rows)

    def versions_and_recipients(
        self, account_ids: Sequence[int], endpoint_ids: Sequence[int]
    ) -> Step[tuple[dict[int, int], Recipients]]:
        if self.lanes_apart or not endpoint_ids:
            return (yield from super().versions_and_recipients(account_ids, endpoint_ids))
        # In one round trip: every publish waits for it.
        rows = yield sql(
            _VERSIONS_AND_RECIPIENTS,
            list(map(lane_of, account_ids)),
            list(account_ids),
            list(map(lane_of, endpoint_ids)),
            list(endpoint_ids),
        )
        versions = {row["id"]: row["subscriptions_version"] for row in rows if row["status"] is None}
        return versions, {row["id"]: row for row in rows if row["status"] not in (None, "deleted")}

    def live_secrets(self, owners: Sequence[SecretOwner], now: Instant) -> Iterator[Statement]:
        if self.lanes_apart:
            yield from super().live_secrets(owners, now)
            return
        accounts = [(lane_of(account_id), account_id) for account_id, endpoint_id in owners if endpoint_id is None]
        endpoints = [(lane_of(owner[0]), *owner) for owner in owners if owner[1] is not None]
        if accounts:
            yield sql(_LIVE_SECRETS_OF_ACCOUNTS, now, *transposed(accounts, 2))
        if endpoints:
            yield sql(_LIVE_SECRETS_OF_ENDPOINTS, now, *transposed(endpoints, 3))

    def among(self, first: int, ids: Sequence[int]) -> tuple[str, Sequence[Any]]:
        # One statement for any number of ids. The planner, too, reads an array as what it is: rows by key.
        return f"= ANY(${first}::bigint[])", [list(ids)]

    def queue_up(self, turns: Mapping[QueueKey, Instant]) -> Step[None]:
        rows = [QueueRow(*key, due_at) for key, due_at in sorted(turns.items())]
        for together in self._by_statement(rows, attrgetter("endpoint_id")):
            in_one_lane, values = given((QueueRow, together))
            yield sql(queueing_up(in_one_lane), *values)

    def rows_back(self, source: Source, share: int, until: Instant) -> list[Statement]:
        # One statement for all lanes: a round trip for each would take longer than what they ask.
        return [
            sql(
                f"SELECT (SELECT d.{source.time} FROM {source.table} d WHERE d.lane = l.lane AND {source.condition}"
                f" AND d.{source.time} <= $2 ORDER BY d.{source.time} DESC LIMIT 1 OFFSET $3) AS back_to"
                " FROM unnest($1::smallint[]) AS l(lane)".replace("$value", "$4"),
                list(source.lanes),
                until,
                share - 1,
                *(() if source.value is None else (source.value,)),
            )
        ]

    async def _claim_some(self, look: Look, lanes: Sequence[int]) -> Found:
        found: list[Found] = []
        # Each look begins with another lane: where lanes are asked one by one, a full one must not starve the rest.
        self._looks_made += 1
        begin = self._looks_made % len(lanes) if lanes else 0
        async with self._connection() as db:
            for together in self.lanes_of_one_statement([*lanes[begin:], *lanes[:begin]]):
                if room := look.limit - sum(len(each.claims) for each in found):
                    async with db.transaction():
                        found.append(await take_look(db, look._replace(limit=room), labels(together)))
        return of_all(found)

    async def renew(self, leases: Sequence[Lease], lease_until: Instant) -> set[int]:
        ours: set[int] = set()
        async with self._connection() as db:
            for together in self._by_statement(leases, attrgetter("delivery_id")):
                columns = lease_columns(together)
                of_d, lane = self._naming_the_lane(columns[0], "d", place=5)
                rows = await db.fetch(
                    f"UPDATE deliveries d SET lease_until = $4 {OURS} {of_d} RETURNING d.id",
                    *columns,
                    lease_until,
                    *lane,
                )
                ours |= {row["id"] for row in rows}
        return ours

    async def release(self, leases: Sequence[Lease], now: Instant) -> None:
        async with self._connection() as db:
            for together in self._by_statement(leases, attrgetter("delivery_id")):
                columns = lease_columns(together)
                of_d, lane = self._naming_the_lane(columns[0], "d", place=5)
                await db.execute(RELEASE.format(of_d=of_d), *columns, now, *lane)

    async def settle(self, settled: Sequence[Settled], now: Instant) -> set[int]:
        # On a distributed database each lane is a transaction of its own. Should a later one fail, a second try finds
        # the fences of the first ones spent, and answers that those were not written now.
        written: set[int] = set()
        for together in self._by_statement(settled, attrgetter("claim.delivery_id")):
            written |= await self._settle_together(together, now)
        return written

    async def _settle_together(self, settled: Sequence[Settled], now: Instant) -> set[int]:
        async with self._connection() as db:
            noted = worth_noting(settled, self._failing)
            if not noted and not any(each.claim.batch_id is not None for each in settled):
                # One statement is one transaction, and this is what happens nearly always.
                written = await self._write_settled(db, settled, now)
            else:
                async with db.transaction():
                    written = await self._write_settled(db, await self._unbroken(db, settled), now)
                    ours = [each for each in noted if lease_of(each) in written]
                    await _run_step(self._note_outcomes(ours, now), db)
        return {lease.delivery_id for lease in written}

    async def _unbroken(self, db: Connection, settled: Sequence[Settled]) -> Sequence[Settled]:
        """Without what went out together and is not ours altogether."""
        if all(each.claim.batch_id is None for each in settled):
            return settled
        # All of them, though only some are asked for: rows are locked in one order everywhere.
        columns = lease_columns([lease_of(each) for each in settled])
        of_d, lane = self._naming_the_lane(columns[0], "d", place=4)
        rows = await db.fetch(HOLD.format(of_d=of_d), *columns, *lane)
        return unbroken(settled, {Lease(row["id"], row["fence"]) for row in rows})

    async def _write_settled(self, db: Connection, settled: Sequence[Settled], now: Instant) -> set[Lease]:
        columns = settlement_columns(settled)
        of_d, lane = self._naming_the_lane(columns[0], "d", place=16)
        of_e, _ = self._naming_the_lane(columns[0], "e", place=16)
        written = await db.fetch(SETTLE.format(of_d=of_d, of_e=of_e), *columns, now, *lane)
        return {Lease(row["id"], row["fence"]) for row in written}

    def _naming_the_lane(self, lanes: Sequence[int], table: str, place: int) -> tuple[str, tuple[int, ...]]:
        """The condition on a table, and its value, that names the one lane of a statement on a distributed database.

        Elsewhere it does harm: without statistics the planner takes a lane for some rows, and walks through it.
        """
        return (f"AND {table}.lane = ${place}", (lanes[0],)) if self.lanes_apart and lanes else ("", ())

    async def _rescue_some(self, now: Instant, lanes: Sequence[int]) -> int:
        own = labels(lanes)
        async with self._connection() as db:
            if len(own) == 1:
                rows = await db.fetch(RESCUE_IN_ONE_LANE, now, BATCH, own[0])
            else:
                rows = await db.fetch(RESCUE, now, BATCH, own)
        return len(rows)

    # -- lanes -----------------------------------------------------------------------------------------------

    def lanes_of_one_statement(self, lane_indexes: Sequence[int]) -> list[Sequence[int]]:
        if self.lanes_apart:
            return [[lane_index] for lane_index in lane_indexes]
        return super().lanes_of_one_statement(lane_indexes)

    def _by_statement(self, items: Sequence[T], id_of: Callable[[T], int]) -> list[list[T]]:
        by_lane: dict[int, list[T]] = {}
        for item in items:
            by_lane.setdefault(id_of(item) % LANE_COUNT, []).append(item)
        statements = self.lanes_of_one_statement(list(by_lane))
        return [[item for lane_index in together for item in by_lane[lane_index]] for together in statements]

    async def can_be_distributed(self) -> bool:
        """Whether the database has what spreads tables over several machines."""
        async with self._connection() as db:
            return await _has_citus(db)

    async def distribute(self) -> None:
        """Spread every table over the machines of the cluster, by lane. Again and again does no harm."""
        async with self._connection() as db:
            await db.execute("SET lock_timeout = 0")
            await db.execute(DISTRIBUTE_SQL.read_text(), timeout=SCHEMA_SECONDS)
            await db.execute("RESET lock_timeout")

    async def hint(self, lane_indexes: Sequence[int]) -> None:
        async with self._connection() as db:
            # A transaction with a notification is a commit; this one need not wait for the disk.
            await db.execute(
                "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)",
                HINTS,
                " ".join(map(str, lane_indexes)),
            )

    async def hear_hints(self, on_hint: Callable[[Sequence[int]], None]) -> None:
        if self._closed or (self._hearing is not None and not self._hearing.is_closed()):
            return

        def hear(*notification: Any) -> None:
            on_hint([int(lane_index) for lane_index in notification[-1].split()])

        with _outages_as_unavailable():
            hearing = await asyncpg.connect(
                self._url, timeout=ACQUIRE_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=SERVER_SETTINGS
            )
            self._hearing = hearing
            await hearing.add_listener(HINTS, hear)


@contextmanager
def _outages_as_unavailable() -> Iterator[None]:
    try:
        yield
    except OUTAGES as error:
        raise Unavailable(f"PostgreSQL: {str(error) or type(error).__name__}") from error


async def _run_step(step: Step[T], db: Connection) -> T:
    try:
        statement = next(step)
        while True:
            statement = step.send(await db.fetch(statement.text, *statement.values))
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _leave_as_it_is(db: Connection) -> None:
    # By default the pool asks the server to forget the session's settings, locks and cursors each time that a
    # connection comes back: a round trip for each transaction (55 µs of CPU here). No statement of ours leaves any.
    # A transaction that was left open is rolled back before this is called.
    return


async def _has_citus(db: Connection) -> bool:
    return await db.fetchval("SELECT 1 FROM pg_extension WHERE extname = 'citus'") is not None


async def _migrate(db: Connection) -> None:
    # Another process may be migrating, or sending for a while yet: neither is an outage.
    await db.execute("SET LOCAL lock_timeout = 0")
    await db.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK, timeout=SCHEMA_SECONDS)
    await db.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, applied_at bigint)")
    applied = {row["version"] for row in await db.fetch("SELECT version FROM schema_migrations")}
    for migration in migrations_for("postgres"):
        if migration.version not in applied:
            await db.execute(migration.text, timeout=SCHEMA_SECONDS)
            await db.execute(
                "INSERT INTO schema_migrations VALUES ($1, (EXTRACT(epoch FROM now()) * 1000000)::bigint)",
                migration.version,
            )
    await db.execute(
        "INSERT INTO lanes (lane, lane_index) SELECT * FROM unnest($1::smallint[], $2::smallint[])"
        " ON CONFLICT DO NOTHING",
        list(LANES),
        list(range(LANE_COUNT)),
    )


async def _accept_with_locks(db: Connection, batch: Batch, ids: Ids, room: Room, insert: Insert) -> Acceptance:
    known = await _claim_keys(db, batch.drafts)
    new = only_new(batch, known)
    places = await _run_step(take_places(places_wanted(new)), db)
    claims = await insert(db, new, ids, places, room) if new.drafts else []
    counts = count_matches(new) | await _count_known(db, new, known)
    return Acceptance(answers(batch.drafts, known, counts), claims, len(new.matches))


async def _count_known(db: Connection, new: Batch, known: Mapping[AccountKey, Known]) -> dict[str, int]:
    """How many deliveries the events have that idempotency keys stood for already."""
    accepted_now = {draft.event.id for draft in new.drafts}
    by_lane: dict[int, list[str]] = {}
    for (account_id, _), first in known.items():
        if first.event_id not in accepted_now:
            by_lane.setdefault(lane_of(account_id), []).append(first.event_id)
    counts = {}
    for lane, event_ids in by_lane.items():
        for row in await db.fetch(
            "SELECT event_id, COUNT(*) AS number FROM deliveries WHERE lane = $1 AND event_id = ANY($2::uuid[])"
            " GROUP BY event_id",
            lane,
            event_ids,
        ):
            counts[str(row["event_id"])] = int(row["number"])
    return counts


async def _claim_keys(db: Connection, drafts: Sequence[Draft]) -> dict[AccountKey, Known]:
    rows = key_rows(drafts)
    if not rows:
        return {}
    in_one_lane, values = given((KeyRow, rows))
    # Another transaction that holds one of these keys is waited for here; its row is visible to the next statement.
    await db.execute(claiming_keys(in_one_lane), *values)
    kept = await db.fetch(looking_up_keys(in_one_lane), *values[:3])
    return {(row["account_id"], row["key"]): Known(str(row["event_id"]), row["fingerprint"]) for row in kept}


async def _insert(db: Connection, batch: Batch, ids: Ids, places: Mapping[int, int], room: Room) -> list[Claim]:
    """Write a batch by one statement, which is one transaction by itself."""
    payloads = payload_rows(batch)
    deliveries = list(delivery_rows(batch, ids, places, payloads, room))
    tables: list[Rows] = [
        (EventRow, [event_row(draft) for draft in batch.drafts]),
        (PayloadRow, payloads),
        (DeliveryRow, deliveries),
    ]
    # Nothing waits as a rule, where there is room. A text of its own then, since an empty one is not free either.
    if queues := queue_rows_for(deliveries):
        tables.append((QueueRow, queues))
    in_one_lane, values = given(*tables)
    seconds = max(COMMAND_SECONDS, SECONDS_A_ROW * len(deliveries))
    await db.execute(insertion(in_one_lane, bool(queues)), *values, timeout=seconds)
    return claims_at_birth(batch, payloads, deliveries)


async def _copy(db: Connection, batch: Batch, ids: Ids, places: Mapping[int, int], room: Room) -> list[Claim]:
    """Write a batch as `_insert` does, by COPY: more round trips, less work for each row on both sides.

    In pieces, so that an event for a hundred thousand endpoints holds up neither the event loop nor one statement.
    """
    payloads = payload_rows(batch)
    deliveries: list[DeliveryRow] = []
    turns: dict[QueueKey, Instant] = {}
    async with db.transaction():
        await _copy_into(db, "events", EventRow, [event_row(draft) for draft in batch.drafts])
        await _copy_into(db, "payloads", PayloadRow, payloads)
        for piece in _pieces(delivery_rows(batch, ids, places, payloads, room)):
            await _copy_into(db, "deliveries", DeliveryRow, piece)
            deliveries += piece
            note_turns(turns, piece)
        for queues in _pieces(queue_rows(turns)):
            in_one_lane, values = given((QueueRow, queues))
            await db.execute(queueing_up(in_one_lane), *values)
    return claims_at_birth(batch, payloads, deliveries)


def _pieces(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while piece := list(islice(left, ROWS_OF_A_PIECE)):
        yield piece


async def _copy_into(db: Connection, table: str, kind: type[NamedTuple], rows: Sequence[Any]) -> None:
    await db.copy_records_to_table(table, columns=kind._fields, records=rows)


_VERSIONS_AND_RECIPIENTS = f"""
SELECT e.id, NULL AS subscriptions_version, {RECIPIENT}
FROM unnest($3::smallint[], $4::bigint[]) AS u (lane, id) JOIN endpoints e ON e.lane = u.lane AND e.id = u.id
UNION ALL
SELECT a.id, a.subscriptions_version, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM unnest($1::smallint[], $2::bigint[]) AS u (lane, id) JOIN accounts a ON a.lane = u.lane AND a.id = u.id
"""

_LIVE_SECRETS = """
SELECT s.* FROM {asked} JOIN signing_secrets s
    ON s.lane = u.lane AND s.account_id = u.account_id AND s.endpoint_id {owner}
WHERE s.expires_at IS NULL OR s.expires_at > $1 ORDER BY s.created_at DESC, s.id DESC
"""
_LIVE_SECRETS_OF_ACCOUNTS = _LIVE_SECRETS.format(
    asked="unnest($2::smallint[], $3::bigint[]) AS u (lane, account_id)", owner="IS NULL"
)
# By its own column, since an account may have thousands of endpoints with a secret each.
_LIVE_SECRETS_OF_ENDPOINTS = _LIVE_SECRETS.format(
    asked="unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS u (lane, account_id, endpoint_id)",
    owner="= u.endpoint_id",
)
