"""The composition root: settings become a store, an engine, the dialects and one ASGI app.

A further dialect is a folder beside the others and one more name in DIALECTS. One with credentials of its own is
named in some more places, which CONTRIBUTING.md lists.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from hookwright.ambient import AnchoredClock, Clock, Dice, new_worker_id
from hookwright.api import build_api
from hookwright.api.health import add_health, add_metrics
from hookwright.config import ConfigError, Settings
from hookwright.core.audit import COMMAND_LINE
from hookwright.core.errors import Unavailable
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import DAY, WireForm
from hookwright.core.portal import PORTAL_PREFIX
from hookwright.dialects.base import Dialect, DialectSettings, Wording
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kit import KIT
from hookwright.dialects.standard import STANDARD
from hookwright.engine.hints import Hints
from hookwright.engine.intake import GroupCommit
from hookwright.engine.keyring import Keyring
from hookwright.engine.lanes import LeasedLanes, every_lane
from hookwright.engine.limits import SendLimits
from hookwright.engine.listening import Destinations, Listeners
from hookwright.engine.sender import Sender
from hookwright.engine.upkeep import (
    Retention,
    advance_replays,
    anchor,
    expire,
    keep_tallies,
    prune,
    prune_audit,
    prune_tallies,
    repeat,
    rescue,
)
from hookwright.engine.worker import Worker, WorkerSettings
from hookwright.operations.announcements import tell
from hookwright.operations.key_uses import note_key_uses
from hookwright.operations.master_keys import master_key_problem
from hookwright.operations.services import Services
from hookwright.store.base import Store
from hookwright.store.sqlite import SqliteStore
from hookwright.surfaces import MadeWhenAsked, Surfaces
from hookwright.telemetry.metrics import Metrics, Scrape
from hookwright.telemetry.traces import NoTraces, Traces
from hookwright.vault import Vault, decode_master_keys, keep_master_keys

if TYPE_CHECKING:
    from hookwright.console import ConsoleSettings

DIALECTS: tuple[Dialect, ...] = (KAJABI, KIT)
WORDINGS: tuple[Wording, ...] = (STANDARD, *DIALECTS)


def forms_of(wordings: Sequence[Wording]) -> dict[str, WireForm]:
    """How the endpoints of each dialect name are sent to."""
    return {name: form for wording in wordings for name, form in wording.forms.items()}


FORMS = forms_of(WORDINGS)

RESCUE_EVERY_SECONDS = 1.0
EXPIRE_EVERY_SECONDS = 1.0
ANCHOR_EVERY_SECONDS = 10.0
NOTE_KEY_USES_EVERY_SECONDS = 60.0
TELL_EVERY_SECONDS = 1.0
PRUNE_EVERY_SECONDS = 60.0
LISTEN_EVERY_SECONDS = 1.0
TALLY_EVERY_SECONDS = 5.0
REPLAY_EVERY_SECONDS = 1.0  # a replay's rate is a number of deliveries a second

Chore = Callable[[], Awaitable[int]]
Migrate = Literal["always", "if new", "never"]

log = structlog.get_logger("hookwright")


class Hookwright:
    """The whole system in one process: `app` answers, the engine sends.

    `open` and `start` bring it up, `drain` and `close` down; `Services` is what both halves share.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        vault: Vault,
        clock: Clock,
        dice: Dice,
        traces: Traces,
        wordings: Sequence[Wording] = WORDINGS,
    ) -> None:
        self.settings = settings
        self._traces = traces
        self._lanes = _lanes_of(settings, store, clock, self._wake)
        own_lanes = self._own_lanes = self._lanes or every_lane
        metrics = self._metrics = Metrics()
        self._store = store
        self._clock = clock
        policy = settings.target_policy()
        limits = limits_of(settings)
        self._sender = Sender(clock, policy, limits)
        self.worker = Worker(
            store,
            Destinations(self._sender, Listeners(store, clock, limits)),
            Keyring(store, vault, clock),
            forms_of(wordings),
            clock,
            dice,
            worker_settings_of(settings),
            metrics,
            traces,
            own_lanes,
        )
        self._hints = Hints(store, _lanes_sent_by(settings, self._lanes), self._wake)
        sends_at_once = None if settings.role == "api" else self.worker
        self._intake = GroupCommit(store, self._hints.waiting, metrics=metrics, worker=sends_at_once)
        self.services = Services(
            store=store,
            clock=clock,
            dice=dice,
            vault=vault,
            intake=self._intake,
            policy=policy,
            translations={wording.name: wording.translate for wording in wordings},
            forms=forms_of(wordings),
            traces=traces,
            endpoints_per_account=settings.endpoints_per_account,
        )
        self._stop = asyncio.Event()
        self._leaving = False
        scrape = Scrape(metrics, store, clock) if settings.metrics else None
        self.monitor: ASGIApp = _monitor(self.services, self._is_ready, scrape)
        if settings.metrics_port is not None or settings.processes > 1:
            scrape = None  # behind a shared port it would be told of whichever process happens to answer
        self.app: ASGIApp = (
            _monitor(self.services, self._is_ready, scrape)
            if settings.role == "worker"
            else _surfaces(self.services, settings, self._is_ready, scrape)
        )
        self._loops: list[asyncio.Task[None]] = []
        self._sending: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        settings: Settings,
        clock: Clock | None = None,
        dice: Dice | None = None,
        *,
        migrate: Migrate = "always",
        wordings: Sequence[Wording] = WORDINGS,
    ) -> Hookwright:
        """Connect, see to the schema, and set the clock. Raises ConfigError, Unavailable."""
        vault = vault_of(settings)
        traces = _traces_of(settings)
        store = store_of(settings)
        try:
            await _see_to_the_schema(store, migrate)
            if clock is None:
                # Where one process has the database, that is a file, and its time this machine's wall clock.
                clock = AnchoredClock(holds_out=store.lane_count == 1)
                await anchor(store, clock)
            if problem := await master_key_problem(store, vault, clock):
                raise ConfigError(f"master_key (HOOKWRIGHT_MASTER_KEY): {problem}")
        except BaseException:
            await store.close()
            await traces.close()
            raise
        return cls(settings, store, vault, clock, dice or Dice(), traces, wordings)

    def make_surfaces(self) -> None:
        """Make what would otherwise be made when it is asked first: for who starts once and answers for long."""
        if isinstance(self.app, Surfaces):
            self.app.made()

    def start(self) -> None:
        """Begin to send what is due, unless that is others' part."""
        chores: list[tuple[Chore, float]] = [(self._keep_tallies, TALLY_EVERY_SECONDS)]
        if self.settings.role != "api":
            self._sending = asyncio.create_task(self.worker.run(self._stop))
            chores += self._chores_of_a_worker()
        if self.settings.role != "worker":
            chores.append((partial(note_key_uses, self.services), NOTE_KEY_USES_EVERY_SECONDS))
        if isinstance(self._clock, AnchoredClock):
            chores.append((partial(anchor, self._store, self._clock), ANCHOR_EVERY_SECONDS))
        self._loops = [asyncio.create_task(repeat(chore, seconds, self._stop)) for chore, seconds in chores]

    async def do_chores(self) -> int:
        """Each chore of a worker once, now, for who moves the clock. Answers how much they did."""
        return sum([await chore() for chore, _ in self._chores_of_a_worker()])

    def _chores_of_a_worker(self) -> list[tuple[Chore, float]]:
        """The lanes first: everything else is done for those that are ours."""
        store, clock, lanes = self._store, self._clock, self._own_lanes
        sharing: list[tuple[Chore, float]] = []
        if self._lanes is not None:
            sharing = [(self._lanes.turn, self._lanes.turn_seconds), (self._hints.hear, LISTEN_EVERY_SECONDS)]
        return [
            *sharing,
            (partial(rescue, store, clock, lanes), RESCUE_EVERY_SECONDS),
            (partial(expire, store, clock, self._metrics, lanes), EXPIRE_EVERY_SECONDS),
            (partial(advance_replays, store, clock, lanes), REPLAY_EVERY_SECONDS),
            (lambda: tell(self.services, lanes()), TELL_EVERY_SECONDS),
            (partial(prune_tallies, store, clock), PRUNE_EVERY_SECONDS),
            (
                partial(prune_audit, store, clock, round(self.settings.audit_retention_days * DAY)),
                PRUNE_EVERY_SECONDS,
            ),
            (partial(prune, store, clock, _retention_of(self.settings), lanes), PRUNE_EVERY_SECONDS),
        ]

    async def _keep_tallies(self) -> int:
        return await keep_tallies(self._store, self._metrics.tallying)

    def _wake(self) -> None:
        self.worker.wake()

    def _is_ready(self) -> bool:
        return not (self._leaving or self._stop.is_set())

    def leave(self) -> None:
        """Say on `/readyz` that others should be sent to from now on; everything goes on as before."""
        self._leaving = True

    async def drain(self) -> None:
        """Claim nothing more; requests in flight finish within the drain time or are given back."""
        self._stop.set()
        self.worker.wake()
        # A chore may be long, and each of its steps is a transaction of its own: the next process goes on with it.
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._sending is not None:
            await self._sending
        if self._lanes is not None and self._loops:
            await self._lanes.give_up()
        await self.worker.drain(self.settings.drain_seconds)
        await self._intake.close()
        await self._hints.close()
        with suppress(Unavailable):
            await self._keep_tallies()

    async def close(self) -> None:
        """Let go of connections and of the store. To be called after `drain`."""
        with suppress(Unavailable):
            await note_key_uses(self.services)
        await self._sender.close()
        await self._store.close()
        await self._traces.close()


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """The services with neither engine nor HTTP, for the command line. Raises ConfigError, Unavailable.

    A new database is made. One of another version is refused: to look something up must not upgrade production.
    """
    hookwright = await Hookwright.open(settings, migrate="if new")
    try:
        yield hookwright.services.on_behalf_of(COMMAND_LINE)
    finally:
        await hookwright.drain()
        await hookwright.close()


async def prepare(settings: Settings) -> None:
    """Refuse what each of several processes would, and migrate for all. Raises ConfigError, Unavailable."""
    hookwright = await Hookwright.open(settings)
    await hookwright.close()


async def _see_to_the_schema(store: Store, migrate: Migrate) -> None:
    if migrate == "always":
        await store.migrate()
    elif migrate == "if new":
        await _make_if_new(store)


async def _make_if_new(store: Store) -> None:
    state = await store.schema()
    if state.is_new:
        await store.migrate()
    elif state.missing:
        raise ConfigError(
            "database_url (HOOKWRIGHT_DATABASE_URL): the schema is of an older version; `hookwright migrate`, or the"
            " start of this version's server, brings it forward for good: make a backup first"
        )
    elif state.unknown:
        raise ConfigError(
            "database_url (HOOKWRIGHT_DATABASE_URL): a newer version has brought the schema forward; use its command"
        )


async def migrate(settings: Settings) -> None:
    """Bring the schema to this version; needs no master key. Raises ConfigError, Unavailable."""
    store = store_of(settings)
    try:
        await store.migrate()
    finally:
        await store.close()


async def distribute(settings: Settings) -> None:
    """Bring the schema to this version and spread its tables over a cluster. Raises ConfigError, Unavailable."""
    if settings.sqlite_path() is not None:
        raise ConfigError("database_url (HOOKWRIGHT_DATABASE_URL): only a PostgreSQL with Citus can be distributed")
    from hookwright.store.postgres import PostgresStore

    store = PostgresStore(settings.database_url, settings.connections)
    try:
        if not await store.can_be_distributed():
            raise ConfigError(
                "this PostgreSQL has no Citus: install it on every node, put it into shared_preload_libraries, and"
                " run CREATE EXTENSION citus in this database; without it nothing needs to be distributed"
            )
        await store.migrate()
        await store.distribute()
    finally:
        await store.close()


def _surfaces(
    services: Services, settings: Settings, is_ready: Callable[[], bool], scrape: Scrape | None
) -> Surfaces:
    api = build_api(services, is_ready, scrape, settings.requests_per_minute, settings.public_url)
    surfaces: list[tuple[str, ASGIApp]] = [("/api/v1", api)]
    for dialect in DIALECTS:
        app = MadeWhenAsked(partial(_build_dialect, dialect, services, settings))
        surfaces += [(prefix, app) for prefix in dialect.prefixes]
    if settings.console:
        surfaces += _pages(services, settings, is_ready)
    return Surfaces(surfaces, otherwise=api)


def _build_dialect(dialect: Dialect, services: Services, settings: Settings) -> ASGIApp:
    from hookwright.web.reference import add_reference

    dialect_settings = DialectSettings(
        access_token_seconds=settings.access_token_seconds,
        rate_limits=settings.rate_limits,
        sign_in_on_consent=settings.sign_in_on_consent,
    )
    app = dialect.build_app(services, dialect_settings)
    add_reference(app, f"{dialect.prefixes[0]}/docs")
    return app


def _pages(services: Services, settings: Settings, is_ready: Callable[[], bool]) -> list[tuple[str, ASGIApp]]:
    """The console, and the portal. They are imported when somebody looks at one of them."""

    def console() -> ASGIApp:
        from hookwright.console import build_console

        return build_console(services, _console_settings(settings, is_ready))

    def portal() -> ASGIApp:
        from hookwright.console import build_portal

        return build_portal(services, _console_settings(settings, is_ready))

    return [("/console", MadeWhenAsked(console)), (PORTAL_PREFIX, MadeWhenAsked(portal))]


def _console_settings(settings: Settings, is_ready: Callable[[], bool]) -> ConsoleSettings:
    from hookwright.console import ConsoleSettings

    return ConsoleSettings(
        sign_in=settings.sign_in_on_console,
        forms=FORMS,
        retry_schedule=settings.retry_schedule,
        timeout_seconds=settings.timeout_seconds,
        public_url=settings.public_url,
        frame_ancestors=settings.portal_frame_ancestors,
        is_ready=is_ready,
    )


def _monitor(services: Services, is_ready: Callable[[], bool], scrape: Scrape | None) -> Starlette:
    """What answers orchestrators and monitors, and nobody else."""
    monitor = Starlette()
    add_health(monitor, services, is_ready)
    if scrape is not None:
        add_metrics(monitor, scrape)
    return monitor


def _lanes_of(settings: Settings, store: Store, clock: Clock, on_gained: Callable[[], None]) -> LeasedLanes | None:
    """Where there is one lane, one process sends, and needs no lease: a restart would wait for the old one's end."""
    if store.lane_count == 1 or settings.role == "api":
        return None
    return LeasedLanes(store, clock, new_worker_id(), settings.lease_seconds, on_gained)


def _lanes_sent_by(settings: Settings, lanes: LeasedLanes | None) -> Container[int]:
    if settings.role == "api":
        return ()
    return lanes or range(LANE_COUNT)


def worker_settings_of(settings: Settings) -> WorkerSettings:
    """How hard a worker works, as it is configured."""
    return WorkerSettings(
        concurrency=settings.concurrency,
        lease_seconds=settings.lease_seconds,
        renew_seconds=settings.lease_seconds * 0.3,
        retry_schedule=settings.retry_schedule,
    )


def _retention_of(settings: Settings) -> Retention:
    days = settings.payload_retention_days
    return Retention(round(settings.retention_days * DAY), None if days is None else round(days * DAY))


def limits_of(settings: Settings) -> SendLimits:
    """The configured patience with receivers, and as many connections kept as requests may be in flight to one."""
    return SendLimits(
        connect_seconds=settings.connect_timeout_seconds,
        total_seconds=settings.timeout_seconds,
        idle_per_host=settings.concurrency,
        idle_total=4 * settings.concurrency,
    )


def store_of(settings: Settings) -> Store:
    """The configured store; a SQLite file is made, a PostgreSQL is only connected to when it is asked."""
    path = settings.sqlite_path()
    if path is None:
        # Only here: its driver takes a tenth of the time in which `hookwright dev` starts, on SQLite.
        from hookwright.store.postgres import PostgresStore

        return PostgresStore(settings.database_url, settings.connections)
    _make_folder(path.parent)
    _make_private(path)
    return SqliteStore(path)


def _traces_of(settings: Settings) -> Traces:
    if not settings.traces:
        return NoTraces()
    try:
        from hookwright.telemetry.spans import exporting_spans
    except ImportError as error:
        raise ConfigError(
            f"traces (HOOKWRIGHT_TRACES): {error.name} is not installed; install hookwright[otel]"
        ) from None
    return exporting_spans()


def _make_private(path: Path) -> None:
    """A new database file is its owner's alone: payloads hold people's names and addresses."""
    with suppress(OSError):  # what is wrong with the path, SQLite says better
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def vault_of(settings: Settings) -> Vault:
    """The vault with the master key; on SQLite one is made and kept if there is none. Raises ConfigError."""
    path = settings.sqlite_path()
    name = "master_key" if settings.master_key_file is None else "master_key_file"
    try:
        if settings.master_key is not None:
            return Vault(*decode_master_keys(settings.master_key))
        if settings.master_key_file is not None:
            return Vault(*decode_master_keys(Path(settings.master_key_file).read_text()))
        if path is not None:
            _make_folder(path.parent)
            return Vault(*keep_master_keys(path.with_name("hookwright.key")))
    except UnicodeDecodeError:
        raise ConfigError(f"{name} (HOOKWRIGHT_{name.upper()}): the file is no text") from None
    except (ValueError, OSError) as error:
        raise ConfigError(f"{name} (HOOKWRIGHT_{name.upper()}): {error}") from None
    raise ConfigError(
        "HOOKWRIGHT_MASTER_KEY is missing: PostgreSQL needs a master key for the signing secrets;"
        " make one with `openssl rand -base64 32` and keep it apart from the database"
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"database_url (HOOKWRIGHT_DATABASE_URL): {folder}: {error.strerror}") from None
