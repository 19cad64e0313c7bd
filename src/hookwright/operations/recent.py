"""What publishing remembers for a second, so that a busy platform's every request does not ask the store again."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Generic, NamedTuple, TypeVar

from hookwright.core.model import SECOND, Instant

REMEMBERED_FOR: Instant = SECOND
MAX_REMEMBERED = 10_000

Thing = TypeVar("Thing")


class _Remembered(NamedTuple, Generic[Thing]):
    thing: Thing
    asked_at: Instant


class Recent(Generic[Thing]):
    """Things by id, as they were within the last second: enough to allow what they allowed, never to refuse.

    Another process's change is seen within a second; one of this process is seen at once, since it calls `forget`.
    """

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        self._things: dict[int, _Remembered[Thing]] = {}  # the one that was asked for first comes first
        self._changes = 0

    def recall(self, id: int, now: Instant) -> Thing | None:
        """The thing with this id, if it was there within the last second."""
        known = self._things.get(id)
        # A clock that was set back would keep things for longer, so what seems to come from the future is no use.
        return known.thing if known is not None and 0 <= now - known.asked_at < REMEMBERED_FOR else None

    async def look_up(self, id: int, now: Instant, answer: Awaitable[Thing | None]) -> Thing | None:
        """The store's answer for this id, remembered if there is such a thing."""
        changes = self._changes
        thing = await answer
        self._things.pop(id, None)
        # What was read while something changed may be what was there before the change.
        if thing is not None and changes == self._changes:
            self._keep(id, _Remembered(thing, now))
        return thing

    def forget(self, id: int) -> None:
        """The thing with this id has changed."""
        self._changes += 1
        self._things.pop(id, None)

    def forget_all(self) -> None:
        """Who knows which of them have changed."""
        self._changes += 1
        self._things.clear()

    def _keep(self, id: int, known: _Remembered[Thing]) -> None:
        if len(self._things) >= self._limit:
            del self._things[next(iter(self._things))]
        self._things[id] = known
