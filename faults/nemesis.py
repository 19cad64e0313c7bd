"""Who breaks things: deeds at moments that the seed decides, each written down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.records import NEMESIS, Deed, Log, now


class Nemesis:
    """Waits and strikes; keeps the log of its deeds."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._log = Log(folder / NEMESIS)
        self.dice = dice
        self.deeds: list[Deed] = []

    async def wait(self, shortest: float, longest: float) -> None:
        """Until a moment that the dice choose."""
        await asyncio.sleep(self.dice.uniform(shortest, longest))

    @contextmanager
    def doing(self, deed: str, target: str, *, goes_on: bool = False) -> Iterator[None]:
        """Write a deed down, from its begin to its end."""
        began_at = now()
        try:
            yield
        finally:
            done = Deed(began_at=began_at, ended_at=now(), deed=deed, target=target, goes_on=goes_on)
            self._log.write(done)
            self.deeds.append(done)
