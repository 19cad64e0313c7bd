"""Sending to listeners: the request is kept in the database until the listener has fetched and answered it.

Whoever sends is seldom the process that the listener asks, so the two meet where every process comes. Polling is
enough: a listener is a person's laptop, with a few requests at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hookwright.ambient import Clock, monotonic_us
from hookwright.core.listening import HeldRequest, ListenersAnswer, is_listener_url, listener_of
from hookwright.core.model import SECOND, Instant, Outcome
from hookwright.core.retry import seconds_asked_for
from hookwright.engine.failures import SendError
from hookwright.engine.limits import SendLimits
from hookwright.engine.worker import Sends
from hookwright.store.base import Store

# How often an answer is looked for: the first looks are quick, as most receivers are.
QUICK_LOOKS = 25
QUICK_SECONDS = 0.02
PATIENT_SECONDS = 0.2

NO_LISTENER = "nobody listens: run `hookwright listen`"
TOO_LATE = "the listener did not answer in time"


class Destinations:
    """Sends to receivers over HTTP, and hands listeners what is theirs."""

    def __init__(self, sender: Sends, listeners: Sends) -> None:
        self._sender = sender
        self._listeners = listeners

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """See `Sends`."""
        to = self._listeners if is_listener_url(url) else self._sender
        return await to.send(url, headers, body)


class Listeners:
    """Sends to listeners."""

    def __init__(self, store: Store, clock: Clock, limits: SendLimits) -> None:
        self._store = store
        self._clock = clock
        self._total = round(limits.total_seconds * SECOND)
        self._body_kept_bytes = limits.body_kept_bytes

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Wait for a listener's answer. Raises Unavailable when the store does: then it counts as nothing sent."""
        started_at, began = self._clock.now(), monotonic_us()
        endpoint_id = listener_of(url)
        request = HeldRequest(
            id=await self._store.new_id(endpoint_id),
            endpoint_id=endpoint_id,
            headers=dict(headers),
            body=body,
            expires_at=started_at + self._total,
        )
        if not await self._store.hold_request(request, started_at):
            return _failed("no_listener", NO_LISTENER, started_at, began)
        try:
            answer = await self._answer(request, began + self._total)
        finally:
            await self._store.let_go_of_request(endpoint_id, request.id)
        if answer is None:
            return _failed("timeout", TOO_LATE, started_at, began)
        return self._outcome(answer, started_at, began)

    async def _answer(self, request: HeldRequest, deadline: int) -> ListenersAnswer | None:
        looks = 0
        while monotonic_us() < deadline:
            answer = await self._store.answer_to_request(request.endpoint_id, request.id)
            if answer is not None:
                return answer
            looks += 1
            await asyncio.sleep(QUICK_SECONDS if looks <= QUICK_LOOKS else PATIENT_SECONDS)
        return None

    def _outcome(self, answer: ListenersAnswer, started_at: Instant, began: int) -> Outcome:
        return Outcome(
            started_at=started_at,
            duration_us=monotonic_us() - began,
            status_code=answer.status_code,
            error=answer.error,
            detail=answer.detail,
            body=answer.body[: self._body_kept_bytes],
            retry_after_seconds=seconds_asked_for(answer.status_code, answer.retry_after, self._clock.time_of_day()),
        )


def _failed(error: SendError, detail: str, started_at: Instant, began: int) -> Outcome:
    return Outcome(started_at=started_at, duration_us=monotonic_us() - began, error=error, detail=detail)
