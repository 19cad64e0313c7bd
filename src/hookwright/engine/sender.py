"""The HTTP client: one POST, and what it came to.

It is written by hand, on asyncio and httptools, because it must do what no client library offers together: judge the
address that is actually dialled, count every byte that a receiver sends, and cost little enough for tens of
thousands of requests a second. It speaks HTTP/1.1 over TCP or TLS and nothing else: it follows no redirect, keeps no
cookie, knows no proxy, and unpacks no compression.
"""

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from hookwright.ambient import Clock, monotonic_us
from hookwright.core.addresses import Target, TargetPolicy, allowed_target
from hookwright.core.answer_headers import headers_to_keep
from hookwright.core.model import SECOND, Outcome
from hookwright.core.retry import seconds_asked_for
from hookwright.engine.answer import Answer
from hookwright.engine.connection import Connection, Origin, origin_of
from hookwright.engine.deadlines import Deadlines
from hookwright.engine.dialling import Dialler, Resolve
from hookwright.engine.failures import NotAllowed, SendFailed, Unanswered
from hookwright.engine.idle import IdleConnections
from hookwright.engine.limits import SendLimits

REMEMBERED_URLS = 20_000  # as many as deliveries may wait in memory, each for an endpoint of its own
MAX_LOCATION_SHOWN = 500


class Prepared(NamedTuple):
    """An allowed URL, with everything about its requests that does not change."""

    target: Target
    origin: Origin
    head: str


class Sender:
    """Sends to receivers over connections that it keeps open. One event loop uses it, many tasks at a time."""

    def __init__(
        self,
        clock: Clock,
        policy: TargetPolicy,
        limits: SendLimits | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        """`ssl_context` is for private authorities; `resolve` turns a name into addresses, in a thread."""
        self._clock = clock
        self._limits = limits or SendLimits()
        self._idle = IdleConnections(self._limits)
        self._deadlines = Deadlines()
        self._dialler = Dialler(policy, self._limits, self._idle.forget, ssl_context, resolve)
        self._prepare = lru_cache(REMEMBERED_URLS)(lambda url: _prepare(url, policy))
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """POST a body and say what it came to; whatever the receiver does, it is an Outcome.

        `host`, `content-length`, `connection` and `accept-encoding` are the sender's own headers. Raises ValueError
        when a header of the caller's is not one line of Latin-1, and OSError when this machine has no sockets left:
        then nothing was sent. A sending that is cancelled may have reached the receiver.
        """
        started_at = self._clock.now()
        began = monotonic_us()
        try:
            answer = await self._answer(url, headers, body, began + round(self._limits.total_seconds * SECOND))
        except SendFailed as failure:
            duration = monotonic_us() - began
            if isinstance(failure, NotAllowed):
                duration = await self._wait_as_for_any_refusal(duration)
            return Outcome(started_at=started_at, duration_us=duration, error=failure.error, detail=failure.detail)
        return Outcome(
            started_at=started_at,
            duration_us=monotonic_us() - began,
            status_code=answer.status,
            detail=_detail_of(answer),
            body=answer.body,
            headers=headers_to_keep(answer.headers) if answer.headers else None,
            retry_after_seconds=seconds_asked_for(answer.status, answer.retry_after, self._clock.time_of_day()),
        )

    async def close(self) -> None:
        """Close the connections that nobody uses; those in use close when their answer is there."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        self._idle.close_all()
        self._deadlines.close()
        self._dialler.close()
        await asyncio.sleep(0)  # let the loop tell the transports that they are closed

    async def _answer(self, url: str, headers: Mapping[str, str], body: bytes, deadline: int) -> Answer:
        prepared = self._prepare(url)
        request = _request_bytes(prepared.head, headers, body)
        idle = self._idle.take(prepared.origin)
        if idle is not None:
            try:
                return await self._converse(idle, request, deadline)
            except Unanswered:
                # A kept connection that the receiver had closed, or closed while our request was on its way
                # (RFC 9112 §9.3.1). If the request did arrive, it arrives twice, with the same message id.
                pass
        connection = await self._dialler.dial(prepared.target, deadline)
        return await self._converse(connection, request, deadline)

    async def _converse(self, connection: Connection, request: bytes, deadline: int) -> Answer:
        self._deadlines.add(connection, deadline)
        try:
            answer = await connection.exchange(request)
        except asyncio.CancelledError:
            connection.abort()
            raise
        finally:
            self._deadlines.remove(connection)
        if connection.reusable and not self._closed:
            self._idle.put(connection)
            if self._sweep is None:
                self._plan_sweep()
        else:
            connection.abort()
        return answer

    async def _wait_as_for_any_refusal(self, passed: int) -> int:
        """Wait until a refusal says nothing of how it came about. Answers how long it has then taken, in µs."""
        duration = refusal_duration(passed, round(self._limits.refusal_seconds * SECOND))
        await asyncio.sleep((duration - passed) / SECOND)
        return duration

    def _plan_sweep(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(self._limits.idle_seconds / 2, self._close_stale)

    def _close_stale(self) -> None:
        self._sweep = None
        self._idle.close_stale()
        if len(self._idle):
            self._plan_sweep()


def _detail_of(answer: Answer) -> str | None:
    """What the status does not say: how the answer broke off, and where a redirect leads."""
    redirection = _redirection_of(answer)
    if answer.broke_off is None:
        return redirection
    return f"{answer.broke_off}; {redirection}" if redirection else answer.broke_off


def _redirection_of(answer: Answer) -> str | None:
    """Where a redirect leads, for people: we do not follow it."""
    if not 300 <= answer.status < 400 or answer.location is None:
        return None
    return f"redirects to {answer.location[:MAX_LOCATION_SHOWN]}"


def refusal_duration(passed: int, step: int) -> int:
    """How long a refusal takes that was certain after `passed`: the next whole number of steps."""
    return -(-passed // step) * step if step else passed


def _prepare(url: str, policy: TargetPolicy) -> Prepared:
    # Checked when the endpoint was made, and again here: the policy may have changed since.
    try:
        target = allowed_target(url, policy)
    except ValueError:
        raise NotAllowed from None
    head = (
        f"POST {target.path} HTTP/1.1\r\n"
        f"host: {target.authority}\r\n"
        "accept: */*\r\n"
        "accept-encoding: identity\r\n"
        "connection: keep-alive\r\n"
    )
    return Prepared(target, origin_of(target), head)


def _request_bytes(head: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    breaks = len(headers)
    if lines.count("\r") != breaks or lines.count("\n") != breaks or "\0" in lines:
        raise ValueError("a header of the request holds a line break")
    return f"{head}{lines}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body
