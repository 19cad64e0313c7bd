"""What an operator asks when something is wrong: settings, database, schema, key, clock, backlog, files, way out.

Nothing is changed and nothing is made: a database that is not there stays so.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from hookwright.ambient import AnchoredClock, monotonic_us
from hookwright.app import limits_of, store_of, vault_of
from hookwright.config import ConfigError, Settings
from hookwright.core.addresses import parse_target, target_problem
from hookwright.core.errors import Unavailable
from hookwright.core.model import SECOND, Instant
from hookwright.engine.dialling import Dialler
from hookwright.engine.failures import SendFailed
from hookwright.server import allow_many_files
from hookwright.store.base import Backlog, SchemaState, SealedCount, Store
from hookwright.vault import WITHOUT_KEY_ID, Vault, key_id_in

Status = Literal["ok", "warning", "problem", "skipped"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Receivers refuse a signature that is 300 s away from their own clock.
WORST_CLOCK_SECONDS, BAD_CLOCK_SECONDS = 300, 5
STUCK_AFTER_SECONDS = 60
FEW_FILES = 4_096
LITTLE_SPACE = 1 << 30


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at, what was found, and what to change if it is not well."""

    name: str
    status: Status = "ok"
    found: str
    change: str | None = None


async def check_up(settings: Settings, target: str | None = None) -> AsyncIterator[Check]:
    """Every check in turn, without those that need what is broken. A target is connected to, and sent nothing."""
    yield configuration(settings)
    yield files(allow_many_files())
    path = settings.sqlite_path()
    if path is not None:
        yield disk(path)
    yield await _way_out(settings, target)
    if path is not None and not path.exists():
        yield Check(
            name="database",
            status="warning",
            found=f"there is no {path.absolute()} yet",
            change="run `hookwright migrate`, or start the server, which makes it; or set database_url",
        )
        return
    store = store_of(settings)
    try:
        async for check in _of_database(settings, store):
            yield check
    finally:
        await store.close()


async def _of_database(settings: Settings, store: Store) -> AsyncIterator[Check]:
    asked = monotonic_us()
    try:
        database_now = await store.now()
        trip = monotonic_us() - asked
        state = await store.schema()
    except Unavailable as error:
        yield Check(
            name="database",
            status="problem",
            found=f"it does not answer: {error}",
            change="check database_url (HOOKWRIGHT_DATABASE_URL), and that the database runs and lets this user in",
        )
        return
    yield Check(name="database", found=f"it answers, in {trip / 1000:.1f} ms")
    yield clock(AnchoredClock().time_of_day() - trip // 2 - database_now)
    yield schema(state)
    if state.missing:
        return
    yield await _master_key(settings, store)
    yield backlog(await store.backlog(database_now), database_now)


def configuration(settings: Settings) -> Check:
    """What can be used, but hardly is what somebody wants in production."""
    if settings.allow_private_targets and settings.host not in LOOPBACK:
        return Check(
            name="configuration",
            status="warning",
            found=f"private targets are allowed and {settings.host} is listened on: customers can reach your network",
            change="unset allow_private_targets (HOOKWRIGHT_ALLOW_PRIVATE_TARGETS)",
        )
    return Check(name="configuration", found="it can be used")


def files(limit: int) -> Check:
    """How many files may be open: each connection is one."""
    if limit < FEW_FILES:
        return Check(
            name="open files",
            status="warning",
            found=f"at most {limit} files may be open; each client and each receiver is one",
            change=f"raise the hard limit: LimitNOFILE= in systemd, ulimit -Hn elsewhere; {FEW_FILES} or more",
        )
    return Check(name="open files", found=f"{limit} files may be open")


def disk(path: Path) -> Check:
    """How much room the database has to grow."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    found = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free < LITTLE_SPACE:
        return Check(
            name="disk",
            status="warning",
            found=found,
            change="make room, or lower retention_days: nothing is accepted on a full disk",
        )
    return Check(name="disk", found=found)


def clock(difference: Instant) -> Check:
    """How far this machine's clock is ahead of the database's, by which everything is timed and signed."""
    seconds = difference / SECOND
    if abs(seconds) < BAD_CLOCK_SECONDS:
        return Check(name="clock", found=f"it agrees with the database's, to {abs(seconds):.3f} s")
    return Check(
        name="clock",
        status="problem" if abs(seconds) >= WORST_CLOCK_SECONDS else "warning",
        found=f"it is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the database's, which signatures"
        f" are stamped with; receivers refuse what is {WORST_CLOCK_SECONDS} s off",
        change="have both machines set their clocks by NTP",
    )


def schema(state: SchemaState) -> Check:
    """Whether the database's schema is this version's."""
    if state.missing:
        return Check(
            name="migrations",
            status="problem",
            found=f"{len(state.missing)} are missing, from {state.missing[0]}",
            change="run `hookwright migrate`, or start the server, which does so",
        )
    if state.unknown:
        return Check(
            name="migrations",
            status="problem",
            found=f"the database has been used by a newer version (migration {state.unknown[-1]})",
            change="use that version: the schema has no way back",
        )
    return Check(name="migrations", found="all are applied")


def backlog(waiting: Backlog, now: Instant) -> Check:
    """Whether what is due is being sent."""
    since = waiting.oldest_due_at
    if since is None or now - since < STUCK_AFTER_SECONDS * SECOND:
        return Check(name="deliveries", found=f"{waiting.due} are due, none for long")
    return Check(
        name="deliveries",
        status="problem",
        found=f"{waiting.due} are due, the first for {(now - since) // SECOND} s: nothing sends them",
        change="start a server with the role all or worker on this database, or see the log of the one there is",
    )


async def _master_key(settings: Settings, store: Store) -> Check:
    """Whether the secrets that are kept can be opened."""
    path = settings.sqlite_path()
    key_file = None if path is None else path.with_name("hookwright.key")
    counts = await store.sealed_counts()
    has_own_key = settings.master_key is not None or settings.master_key_file is not None
    if not has_own_key and key_file is not None and not key_file.exists():
        return Check(
            name="master key",
            status="problem" if counts else "warning",
            found=f"there is no {key_file}",
            change="put the file back that was beside the database, or set HOOKWRIGHT_MASTER_KEY"
            if counts
            else "nothing: the server makes one when it starts",
        )
    try:
        vault = vault_of(settings)
    except ConfigError as error:
        return Check(name="master key", status="problem", found=str(error), change=RIGHT_MASTER_KEY)
    return keys_at_hand(vault, counts, await _sealed_before_key_ids(store, vault))


def keys_at_hand(vault: Vault, counts: Sequence[SealedCount], unopened: str | None = None) -> Check:
    """Whether every master key that a kept secret needs is there, by the key that each secret names."""
    needed = {key_id for each in counts if (key_id := key_id_in(each.head)) is not None}
    if missing := sorted(needed.difference(vault.key_ids)):
        number = sum(each.values for each in counts if key_id_in(each.head) in missing)
        return Check(
            name="master key",
            status="problem",
            found=f"{number} secrets are encrypted with another one ({', '.join(missing)});"
            f" at hand is {', '.join(vault.key_ids)}",
            change="add the missing one behind the first (HOOKWRIGHT_MASTER_KEY=present,missing);"
            " `hookwright secrets status` counts what each encrypts",
        )
    if unopened is not None:
        return Check(name="master key", status="problem", found=unopened, change=RIGHT_MASTER_KEY)
    if not counts:
        return Check(name="master key", found="it can be used")
    return Check(name="master key", found="it is the one that all kept secrets name")


async def _sealed_before_key_ids(store: Store, vault: Vault) -> str | None:
    """Why a secret from before secrets named their key does not open; None if one does, or there is none."""
    value = await store.one_sealed_as(WITHOUT_KEY_ID)
    if value is None:
        return None
    try:
        vault.open(value.binding, value.sealed)
    except ValueError as error:
        return str(error)
    return None


async def _way_out(settings: Settings, target: str | None) -> Check:
    """Whether a receiver can be reached from here, by the sender's own rules."""
    if target is None:
        return Check(name="egress", status="skipped", found="no --target was given to connect to")
    policy = settings.target_policy()
    if problem := target_problem(target, policy):
        return Check(
            name="egress",
            status="problem",
            found=f"{target}: {problem}",
            change="give another --target, or see what may be allowed: allowed_target_ranges, allowed_target_names",
        )
    limits = limits_of(settings)
    dialler = Dialler(policy, limits, lambda connection: None, tls=None, resolve=None)
    begun = monotonic_us()
    try:
        connection = await dialler.dial(parse_target(target), begun + round(limits.total_seconds * SECOND))
    except SendFailed as failure:
        return Check(
            name="egress",
            status="problem",
            found=f"{target}: {failure.error}: {failure.detail}",
            change=CURES.get(failure.error, "see whether the machine behind it answers"),
        )
    finally:
        dialler.close()
    connection.abort()
    return Check(name="egress", found=f"{target} is connected to in {(monotonic_us() - begun) / 1000:.1f} ms")


RIGHT_MASTER_KEY = (
    "set HOOKWRIGHT_MASTER_KEY to the key that encrypts what is kept; of several the first encrypts and all decrypt"
)
CURES = {
    "address_not_allowed": "its name leads to a private address, or one of this machine's; for a receiver in your own"
    " network name the range in allowed_target_ranges (allow_private_targets is for development)",
    "dns_failed": "see whether this machine can resolve names (/etc/resolv.conf)",
    "connect_timeout": "let this machine out through the firewall; no proxy is used",
    "connect_failed": "let this machine out through the firewall; no proxy is used",
    "tls_failed": "see the receiver's certificate, and that this machine has the usual authorities (ca-certificates)",
}
