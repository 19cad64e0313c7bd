"""The receiver of the stand-in: it knows what each request is about, and checks its signature."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from hookwright.ambient import Clock
from hookwright.core.model import SECOND, Claim
from hookwright.operations.own_endpoints import verifying_key
from hookwright.testing.receiver import Received, Receiver
from hookwright.testing.stand_in.loop_thread import LoopThread
from hookwright.testing.stand_in.sent import Sent, SentRequests
from hookwright.verification import verify

NOT_FROM_HERE = "not sent by Hookwright"


@dataclass(frozen=True, slots=True)
class VerifiedRequest(Received):
    """A request whose signature is good, and what it is about.

    `event` is the dialect's word for it (`tag_added`), `event_type` ours (`contact.tag_added`); `attempt` counts the
    requests of its delivery from 1.
    """

    dialect: str
    event: str
    event_type: str
    event_id: str
    endpoint_id: int
    attempt: int


class CheckingReceiver:
    """A server on a real socket of this machine that remembers, checks and hands out what it was sent.

    It answers 200 until it is told otherwise. Any path will do, so that several endpoints can be told apart.
    """

    def __init__(
        self, loop: LoopThread, sent: SentRequests, clock: Clock, explain: Callable[[], Awaitable[str]]
    ) -> None:
        self._loop = loop
        self._sent = sent
        self._clock = clock
        self._explain = explain
        self._receiver = Receiver()
        self._looked_at = 0
        self._kept_back: list[tuple[Received, Sent | None]] = []

    @property
    def url(self) -> str:
        """Where to send to, without a path: `http://127.0.0.1:PORT`."""
        return self._receiver.url

    @property
    def requests(self) -> list[Received]:
        """Every request, in the order in which they came; those from elsewhere too."""
        return self._loop.call(self._every_request())

    def answer(
        self, status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None, times: int | None = None
    ) -> None:
        """Give this answer to the next `times` requests, after those planned before; without `times`, to all."""
        self._loop.call(self._answer(status, body, headers, times))

    def fail_next(self, n: int = 1, status: int = 500) -> None:
        """Answer the next `n` requests with an error."""
        self.answer(status, times=n)

    def wait_for(self, event: str | None = None, timeout: float = 5) -> VerifiedRequest:
        """The next request about an event, its signature checked; each is handed out once.

        `event` is an event type (`contact.tag_added`), or a dialect's word for it (`tag_added`, `kajabi:tag_added`);
        None takes any. Raises AssertionError, which says what did come, after `timeout` seconds.
        """
        return self._loop.call(self._wait_for(event, timeout))

    async def start(self) -> None:
        await self._receiver.start()

    async def stop(self) -> None:
        await self._receiver.stop()

    async def _every_request(self) -> list[Received]:
        return list(self._receiver.requests)

    async def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None, times: int | None) -> None:
        self._receiver.answer(status, body, headers, times)

    async def _wait_for(self, event: str | None, timeout: float) -> VerifiedRequest:  # noqa: ASYNC109 - as its caller
        try:
            async with asyncio.timeout(timeout):
                while (found := self._next(event)) is None:
                    await self._receiver.wait_for(self._looked_at + 1, timeout=2 * timeout + 1)
        except TimeoutError:
            raise AssertionError(await self._nothing_came(event, timeout)) from None
        return found

    def _next(self, event: str | None) -> VerifiedRequest | None:
        self._look()
        for place, (request, sent) in enumerate(self._kept_back):
            if sent is not None and event in (None, *_names_of(sent.claim)):
                del self._kept_back[place]
                return _verified(request, sent, self._clock)
        return None

    def _look(self) -> None:
        """Find out what those requests are about that came since the last look."""
        requests = list(self._receiver.requests)
        for request in requests[self._looked_at :]:
            self._kept_back.append((request, self._sent.take(request, self._receiver.port)))
        self._looked_at = len(requests)

    async def _nothing_came(self, event: str | None, seconds: float) -> str:
        came = [f"  {request.method} {request.path}: {_subject_of(sent)}" for request, sent in self._kept_back]
        lines = [f"no {event or 'request'} came within {seconds:g} s"]
        lines += ["what came instead:", *came] if came else ["nothing else came"]
        if handed_out := self._looked_at - len(came):
            lines[-1] += f" (beside {handed_out} that wait_for has handed out before)"
        return "\n".join([*lines, await self._explain()])


def _subject_of(sent: Sent | None) -> str:
    return NOT_FROM_HERE if sent is None else " ".join(_names_of(sent.claim)[1:])


def _names_of(claim: Claim) -> tuple[str, ...]:
    return claim.dialect_event, f"{claim.dialect}:{claim.dialect_event}", claim.event_type


def _verified(request: Received, sent: Sent, clock: Clock) -> VerifiedRequest:
    """The request, if it verifies as a receiver would check it. Raises AssertionError."""
    claim = sent.claim
    now = clock.time_of_day() // SECOND
    keys = [verifying_key(claim.signature, secret) for secret in sent.secrets]
    texts = [key.signing_secret or key.verification_key or "" for key in keys]
    verdicts = [verify(request.headers, request.body, text, now) for text in texts]
    if not any(verdict.valid for verdict in verdicts):
        raise AssertionError(f"{request.method} {request.path}: {verdicts[0].message}")
    return VerifiedRequest(
        method=request.method,
        path=request.path,
        headers=request.headers,
        body=request.body,
        dialect=claim.dialect,
        event=claim.dialect_event,
        event_type=claim.event_type,
        event_id=claim.event_id,
        endpoint_id=claim.endpoint_id,
        attempt=claim.attempt,
    )
