"""One client's connection: uvicorn's, with the limits that it lacks.

Without them a client that has shown no key could fill the memory, with a head without end or with requests whose
answers it does not take, and could hold a connection for ever: by a head or a body that it never finishes, or by an
answer that it never reads. How many connections one address may have is for the proxy to say, which sees the address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from heapq import nsmallest
from typing import Any, Literal, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

KEEP_ALIVE_SECONDS = 75  # longer than most proxies keep theirs, so that they are the ones who close
HEAD_SECONDS = 20
BODY_SECONDS = 60
ANSWER_SECONDS = 60

MAX_HEAD_BYTES = 64 * 1024
MAX_URL_BYTES = 16 * 1024
MAX_HEADERS = 100
MAX_REQUESTS_AHEAD = 100
MAX_CONNECTIONS = 8_192

# When there are too many, so large a part of the idle ones goes at once: to look for them costs a look at every one.
IDLE_PART_CLOSED = 16


_Awaited = Literal["request", "head", "body", "answer"]


class _Refusal(NamedTuple):
    status: int
    text: str


HEAD_TOO_LARGE = _Refusal(431, "The head of the request is too large.")
TOO_MANY_HEADERS = _Refusal(431, f"The request has more than {MAX_HEADERS} headers.")
URL_TOO_LONG = _Refusal(414, "The URL of the request is too long.")
TOO_MANY_AHEAD = _Refusal(400, "Too many requests were sent ahead of their answers.")
BODY_TOO_SLOW = _Refusal(408, "The body of the request took too long.")
TOO_MANY_CONNECTIONS = _Refusal(503, "There are too many connections.")


class RequestRefused(Exception):
    """A request that is refused for its head alone; it ends the parser's work."""


class AnswersInOnePiece:
    """A transport that holds an answer's head back for the first piece of its body, for a turn of the loop at most.

    uvicorn writes the two apart, and uvloop sends at once whatever is written: two system calls, two packets, and a
    client that is woken twice.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.write(held + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._held = data
            self._loop.call_soon(self._let_go)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._let_go()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() + len(self._held or b"")

    def _let_go(self) -> None:
        if self._held is not None:
            self.write(b"")


class HttpConnection(HttpToolsProtocol):
    """A connection that neither a slow client nor an endless one can hold.

    One clock runs at a time, under uvicorn's own name for it: while no request comes, while a head is not complete,
    while a body is not. A request that comes in one piece starts none, and none runs while an answer is made.
    """

    _bytes_to_nowhere = 0  # since the last that ended a head or brought a piece of a body
    _clock_is_for: _Awaited = "request"
    _answer_clock: asyncio.TimerHandle | None = None
    _refusal: _Refusal | None = None

    def __init__(self, *arguments: Any, max_connections: int = MAX_CONNECTIONS, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._max_connections = max_connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(AnswersInOnePiece(transport, self.loop))  # type: ignore[arg-type]
        self._extensions = {"hookwright.abort": transport.abort}  # for an app that wants to be a bad receiver
        self._start_clock(KEEP_ALIVE_SECONDS)
        if len(self.connections) > self._max_connections and not self._made_room():
            self._refuse(TOO_MANY_CONNECTIONS)

    def data_received(self, data: bytes) -> None:
        # uvicorn would stop the clock at the first byte of a head; it runs until the head is there.
        clock, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        self._bytes_to_nowhere += len(data)
        super().data_received(data)
        self._run_clock_for(self._awaited(), clock)
        if self._bytes_to_nowhere > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self._bytes_to_nowhere = 0
        self._refusal = self._refusal_of_the_head()
        if self._refusal is not None:
            raise RequestRefused
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item] # the value is ours to choose
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes_to_nowhere = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers when its parser stops, which it also does when we refuse a head."""
        self._refuse(self._refusal or _Refusal(400, msg))

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._answer_clock is None:
            self._answer_clock = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_answer_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_answer_clock()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """The time is over for what the client was to do."""
        if self._is_answering() and not self.cycle.response_started:
            self._refuse(BODY_TOO_SLOW)
        else:
            self.let_go()

    def let_go(self) -> None:
        """Close, without waiting until an answer is read that nobody reads."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def idle_until(self) -> float | None:
        """When it is closed unless a request comes; None while one is under way."""
        clock = self.timeout_keep_alive_task
        return None if clock is None or self._is_answering() else clock.when()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _awaited(self) -> _Awaited:
        if not self._is_answering():
            return "head"
        return "body" if self.cycle.more_body else "answer"

    def _run_clock_for(self, awaited: _Awaited, clock: asyncio.TimerHandle | None) -> None:
        """Go on with the clock if it is for what is awaited now, or start one that is; none is for an answer."""
        if clock is not None and awaited == self._clock_is_for:
            self.timeout_keep_alive_task = clock
            return
        if clock is not None:
            clock.cancel()
        self._clock_is_for = awaited
        if awaited != "answer" and not self.transport.is_closing():
            self._start_clock(HEAD_SECONDS if awaited == "head" else BODY_SECONDS)

    def _start_clock(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _stop_answer_clock(self) -> None:
        if self._answer_clock is not None:
            self._answer_clock.cancel()
            self._answer_clock = None

    def _refusal_of_the_head(self) -> _Refusal | None:
        if len(self.url) > MAX_URL_BYTES:
            return URL_TOO_LONG
        if len(self.headers) > MAX_HEADERS:
            return TOO_MANY_HEADERS
        return TOO_MANY_AHEAD if len(self.pipeline) >= MAX_REQUESTS_AHEAD else None

    def _made_room(self) -> bool:
        """Close the connections that have been idle for longest, a good part of them at once."""
        others = (each for each in self.connections if isinstance(each, HttpConnection) and each is not self)
        idle = [(until, each) for each in others if (until := each.idle_until()) is not None]
        for _, each in nsmallest(1 + len(idle) // IDLE_PART_CLOSED, idle, key=lambda pair: pair[0]):
            each.let_go()
        return bool(idle)

    def _refuse(self, refusal: _Refusal) -> None:
        """Answer without the app, in plain text, and close."""
        if self.transport.is_closing():
            return
        head = STATUS_LINE[refusal.status] + (
            b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head % len(refusal.text) + refusal.text.encode())
        self.transport.close()


def http_connections(at_most: int) -> Callable[..., HttpConnection]:
    """What makes the connections of a server that keeps so many at once."""
    return partial(HttpConnection, max_connections=at_most)
