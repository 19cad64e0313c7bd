"""When exchanges have to end: one timer for all of them, since nearly every timer would be cancelled unused."""

from __future__ import annotations

import asyncio

from hookwright.ambient import monotonic_us
from hookwright.core.model import SECOND
from hookwright.engine.connection import Connection

# Looking through all that is under way takes longer the more it is, so it is done only so often.
COARSENESS_US = 25_000


class Deadlines:
    """Times out the exchange of a connection when its deadline has passed: never early, `COARSENESS_US` late at most.

    A deadline is in µs of the monotonic clock.
    """

    def __init__(self) -> None:
        self._deadlines: dict[Connection, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = 0

    def add(self, connection: Connection, deadline: int) -> None:
        """The exchange of this connection must end by then."""
        self._deadlines[connection] = deadline
        if self._timer is None or deadline < self._next_look:
            self._look_at(deadline, monotonic_us())

    def remove(self, connection: Connection) -> None:
        """Its exchange has ended."""
        self._deadlines.pop(connection, None)

    def close(self) -> None:
        """Stop the timer, unless there is something to wait for."""
        if self._timer is not None and not self._deadlines:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, instant: int, now: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next_look = instant
        self._timer = asyncio.get_running_loop().call_later(max(0, instant - now) / SECOND, self._look)

    def _look(self) -> None:
        self._timer = None
        now = monotonic_us()
        for connection in [each for each, deadline in self._deadlines.items() if deadline <= now]:
            del self._deadlines[connection]
            connection.time_out()
        if self._deadlines:
            self._look_at(max(min(self._deadlines.values()), now + COARSENESS_US), now)
