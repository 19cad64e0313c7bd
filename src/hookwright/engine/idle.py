"""Connections that wait for their next request."""

from collections import OrderedDict

from hookwright.ambient import monotonic_us
from hookwright.core.model import SECOND
from hookwright.engine.connection import Connection, Origin
from hookwright.engine.limits import SendLimits


class IdleConnections:
    """Open connections by origin: the freshest is used first, the stalest is closed first."""

    def __init__(self, limits: SendLimits) -> None:
        self._limits = limits
        self._by_origin: dict[Origin, list[Connection]] = {}
        self._since: OrderedDict[Connection, int] = OrderedDict()  # oldest first; µs of the monotonic clock

    def __len__(self) -> int:
        return len(self._since)

    def take(self, origin: Origin) -> Connection | None:
        """A connection to this origin that seems alive, or None."""
        while waiting := self._by_origin.get(origin):
            connection = waiting.pop()
            del self._since[connection]
            if not waiting:
                del self._by_origin[origin]  # or every receiver that was ever sent to would be kept
            if connection.reusable:
                return connection
            connection.abort()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for later, or close it when its origin has enough."""
        waiting = self._by_origin.setdefault(connection.origin, [])
        if len(waiting) >= self._limits.idle_per_host:
            connection.abort()
            return
        waiting.append(connection)
        self._since[connection] = monotonic_us()
        if len(self._since) > self._limits.idle_total:
            self._close(next(iter(self._since)))

    def forget(self, connection: Connection) -> None:
        """A connection was lost; if it waited here, it does no longer."""
        if self._since.pop(connection, None) is None:
            return
        waiting = self._by_origin[connection.origin]
        waiting.remove(connection)
        if not waiting:
            del self._by_origin[connection.origin]

    def close_stale(self) -> None:
        """Close what has waited longer than the limit."""
        stale_since = monotonic_us() - self._limits.idle_seconds * SECOND
        while self._since and next(iter(self._since.values())) <= stale_since:
            self._close(next(iter(self._since)))

    def close_all(self) -> None:
        while self._since:
            self._close(next(iter(self._since)))

    def _close(self, connection: Connection) -> None:
        self.forget(connection)
        connection.abort()
