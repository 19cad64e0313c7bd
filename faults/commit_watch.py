"""Kills a process when it has committed an event and not yet answered: from outside, by what its database shows."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import asyncpg

NEWEST = "SELECT MAX(rowid) FROM events"
SIGHT_SECONDS = 10.0  # a watch that sees no commit for so long strikes all the same

GATE = 20_261
# Every commit of an event goes through a gate, which the watch can close.
HOLD_COMMITS = (
    "CREATE FUNCTION through_the_gate() RETURNS trigger LANGUAGE plpgsql AS"
    f" 'BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END'",
    "CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION through_the_gate()",
)
IS_HELD = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"


class CommitWatch(Protocol):
    """Strikes at a commit."""

    async def kill(self, pid: int) -> None:
        """SIGKILL a process at its next commit of an event; returns when it was sent."""


class FileWatch:
    """At a SQLite file. In a process of its own: what else this one does would come between sight and strike."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def kill(self, pid: int) -> None:
        self._pipe.send(pid)
        await asyncio.to_thread(self._pipe.recv)


class GateWatch:
    """At a PostgreSQL database. The server commits what it was told to, though whoever told it has been killed."""

    def __init__(self, db: Any) -> None:
        self._db = db

    async def kill(self, pid: int) -> None:
        await self._db.execute("SELECT pg_advisory_lock($1)", GATE)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(SIGHT_SECONDS):
                    while not await self._db.fetchval(IS_HELD):  # noqa: ASYNC110 - another process gets there
                        await asyncio.sleep(0.002)
            os.kill(pid, signal.SIGKILL)
        finally:
            await self._db.execute("SELECT pg_advisory_unlock($1)", GATE)


@asynccontextmanager
async def file_watch(database: Path) -> AsyncIterator[CommitWatch]:
    """A watch at a SQLite file."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, database), daemon=True)
    process.start()
    there.close()  # so that a watch that ends is an end of file here
    try:
        yield FileWatch(here)
    finally:
        process.terminate()
        process.join()


@asynccontextmanager
async def gate_watch(url: str) -> AsyncIterator[CommitWatch]:
    """A watch at a PostgreSQL database, which has its tables."""
    db = await asyncpg.connect(url)
    try:
        for statement in HOLD_COMMITS:
            await db.execute(statement)
        yield GateWatch(db)
    finally:
        await db.close()


def _serve(pipe: Connection, database: Path) -> None:
    with suppress(PermissionError):  # root's, who is not kept waiting by whatever else the machine does
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    while True:
        _strike(pipe.recv(), database)
        pipe.send(None)


def _strike(pid: int, database: Path) -> None:
    # Opened anew each time and for reading alone: a connection that stayed would spare the next process its recovery.
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        before = db.execute(NEWEST).fetchone()
        until = time.monotonic() + SIGHT_SECONDS
        while db.execute(NEWEST).fetchone() == before and time.monotonic() < until:
            pass  # the answer follows within a millisecond, and no sleep is as short
        os.kill(pid, signal.SIGKILL)
