"""Waiting for the end: every delivery has come to rest."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from faults.checker import Records, read_records
from faults.database import dump

UNFINISHED = "SELECT count(*) FROM deliveries WHERE status IN ('pending', 'in_flight')"


class NotSettled(Exception):
    """Deliveries still wait or are in flight after a time that is enough for all."""


async def at_rest(url: str, folder: Path, seconds: float = 60.0) -> Records:
    """The run's records, as soon as no delivery waits or is in flight. Raises NotSettled."""
    await settled(url, seconds)
    await dump(url, folder)
    return read_records(folder)


async def settled(url: str, seconds: float = 60.0) -> None:
    """Returns when no delivery waits or is in flight any more. Raises NotSettled."""
    left = 0
    try:
        async with asyncio.timeout(seconds):
            while left := await unfinished_count(url):  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotSettled(f"{left} deliveries were not at rest after {seconds:g} s") from None


async def unfinished_count(url: str) -> int:
    """How many deliveries wait or are in flight."""
    if not url.startswith("postgres"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:"))) as file:
            return int(file.execute(UNFINISHED).fetchone()[0])
    db = await asyncpg.connect(url)
    try:
        return int(await db.fetchval(UNFINISHED))
    finally:
        await db.close()
