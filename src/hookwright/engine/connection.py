"""One HTTP/1.1 connection to a receiver, which carries one exchange after another.

Nothing that a receiver does raises beyond this module: it becomes an Answer or a SendFailed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple

from hookwright.core.addresses import Target
from hookwright.engine.answer import Answer, AnswerReader, BadAnswer
from hookwright.engine.failures import SendFailed, Unanswered, tls_reason
from hookwright.engine.limits import SendLimits

CLOSED_TOO_EARLY = "the connection was closed before the end of the answer"


class Origin(NamedTuple):
    """What a connection leads to."""

    scheme: str
    host: str
    port: int


def origin_of(target: Target) -> Origin:
    """What a connection to this target leads to; targets of one origin share connections."""
    return Origin(target.scheme, target.host, target.port)


class Connection(asyncio.Protocol):
    """A connection and the exchange that is under way on it, if any."""

    __slots__ = ("_limits", "_loop", "_on_lost", "_reader", "_transport", "_waiting", "origin")

    def __init__(
        self,
        origin: Origin,
        limits: SendLimits,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[[Connection], None],
    ) -> None:
        self.origin = origin
        self._limits = limits
        self._loop = loop
        self._on_lost = on_lost
        self._reader = AnswerReader(limits)
        self._transport: asyncio.Transport | None = None  # None before the connection is made and after it is lost
        self._waiting: asyncio.Future[Answer] | None = None

    def exchange(self, request: bytes) -> asyncio.Future[Answer]:
        """Write one request. The future holds its Answer, or raises SendFailed; Unanswered if no byte came.

        Once the head of an answer is there, it is an answer, whatever comes of its body.
        """
        self._reader.begin()
        self._waiting = waiting = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            self._fail(Unanswered())
        else:
            self._transport.write(request)
        return waiting

    def time_out(self) -> None:
        """End the exchange under way: its time is up."""
        seconds = f"{self._limits.total_seconds:g} s"
        self._reader.break_off(f"the answer did not end within {seconds}")
        if self._reader.complete:
            self._finish()
        else:
            self._fail(SendFailed("timeout", f"no answer within {seconds}"))

    def abort(self) -> None:
        """Close at once. Not by `close()`, which for TLS waits for the other side's goodbye."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow: the last answer has ended and all of our request was taken."""
        transport = self._transport
        return (
            self._reader.keep_alive
            and transport is not None
            and not transport.is_closing()
            and transport.get_write_buffer_size() == 0
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's transports are no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            # An answer that nobody asked for: the next one on this connection could not be told from it.
            self.abort()
            return
        try:
            self._reader.feed(data)
        except BadAnswer as bad:
            self._fail(SendFailed("bad_answer", str(bad)))
            return
        if self._reader.complete:
            self._finish()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if error is None:
            self._end()
        elif isinstance(error, ssl.SSLError):
            # In TLS 1.3 our side of the handshake ends first: the receiver's refusal, of a client without a
            # certificate for one, comes when the request is on its way (RFC 8446 §4.4.2.4).
            self._break_off(Unanswered("tls_failed", f"the receiver ended TLS: {tls_reason(error)}"))
        else:
            self._break_off(Unanswered())
        self._reader.close()
        self._on_lost(self)

    def _end(self) -> None:
        self._reader.end()
        self._break_off(Unanswered())

    def _break_off(self, unanswered: Unanswered) -> None:
        self._reader.break_off(CLOSED_TOO_EARLY)
        if self._reader.complete:
            self._finish()
        elif self._reader.received:
            self._fail(SendFailed("reset", CLOSED_TOO_EARLY))
        else:
            self._fail(unanswered)

    def _finish(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(self._reader.answer())

    def _fail(self, failure: SendFailed) -> None:
        waiting, self._waiting = self._waiting, None
        self.abort()
        if waiting is not None and not waiting.done():
            waiting.set_exception(failure)
