"""Reading an answer, bytes at a time, without trusting any of them.

Everything that a receiver sends is counted against the limits before it is kept. The answers of one connection are
read one after another by the same reader.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from hookwright.engine.limits import SendLimits

SWITCHING_PROTOCOLS = 101
_SPOKEN_VERSIONS = ("1.1", "1.0")


class Answer(NamedTuple):
    """What a receiver answered; `body` is the part that is kept, `headers` are there unless the status is a 2xx.

    `broke_off` says, for people, how it ended before its end; the status counts all the same.
    """

    status: int
    body: bytes
    retry_after: str | None
    location: str | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    broke_off: str | None = None


class BadAnswer(Exception):
    """What came back is no answer that we accept; the message is for people."""


class StopReading(Exception):
    """Leaves the parser from inside one of its callbacks."""


class AnswerReader:
    """Reads one answer at a time. The `on_…` methods are what the parser calls."""

    __slots__ = (
        "_body",
        "_broke_off",
        "_head",
        "_header_bytes",
        "_header_count",
        "_headers",
        "_informational",
        "_kept",
        "_length_announced",
        "_limits",
        "_location",
        "_parser",
        "_read",
        "_refusal",
        "_retry_after",
        "complete",
        "keep_alive",
        "past_head",
        "received",
        "status",
    )

    _body: list[bytes]
    _broke_off: str | None
    _head: bytes  # what came so far, until the head has ended
    _header_bytes: int
    _header_count: int
    _headers: Sequence[tuple[bytes, bytes]]
    _informational: int
    _kept: int
    _length_announced: bool
    _location: str | None
    _read: int
    _refusal: str | None
    _retry_after: str | None
    complete: bool
    keep_alive: bool  # whether the receiver will answer another request on this connection
    past_head: bool
    received: int
    status: int

    def __init__(self, limits: SendLimits) -> None:
        self._limits = limits
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """Forget the last answer and expect the next one."""
        self._body = []
        self._broke_off = None
        self._head = b""
        self._header_bytes = 0
        self._header_count = 0
        self._headers = ()
        self._informational = 0
        self._kept = 0
        self._length_announced = False
        self._location = None
        self._read = 0
        self._refusal = None
        self._retry_after = None
        self.complete = False
        self.keep_alive = False
        self.past_head = False
        self.received = 0
        self.status = 0

    def close(self) -> None:
        """Let go of the parser: it holds our methods, and only the garbage collector would free the two of us."""
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Read what came; look at `complete` afterwards. Raises BadAnswer for what is none, or has no whole head."""
        assert self._parser is not None
        if self.received:
            if not self.past_head:
                self._head += data
        else:
            if data[:1] != b"H":
                raise BadAnswer("the answer is not HTTP")  # the parser would also take RTSP, ICE and empty lines
            self._head = data
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.keep_alive = False
            if self.past_head:
                self.break_off(self._refusal or f"the rest of the answer is not valid HTTP: {error}")
            else:
                raise BadAnswer(self._refusal or f"the answer is not valid HTTP: {error}") from None
        if not self.complete:
            self._check_size()

    def end(self) -> None:
        """The receiver closed in good order: an answer of unannounced length is complete by that."""
        self.keep_alive = False
        self.complete = self.complete or (self.past_head and not self._length_announced)

    def break_off(self, how: str) -> None:
        """No more of the answer comes: it is complete once its head is there, for only the status is asked for."""
        self.keep_alive = False
        if self.past_head and not self.complete:
            self._broke_off = how
            self.complete = True

    def answer(self) -> Answer:
        """The complete answer."""
        body = b"".join(self._body)
        return Answer(self.status, body, self._retry_after, self._location, self._headers, self._broke_off)

    def on_message_begin(self) -> None:
        if self.complete:
            raise StopReading  # a second answer to one request

    def on_status(self, reason: bytes) -> None:
        self._count_head(len(reason))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        if self._header_count > self._limits.header_count:
            self._refuse("the answer has too many headers")
        length = len(name)
        self._count_head(length + len(value))
        if length == 11:
            if name.lower() == b"retry-after":
                self._retry_after = value.decode("latin-1")
        elif length == 8:
            if name.lower() == b"location":
                self._location = value.decode("latin-1")
        elif length in (14, 17) and name.lower() in (b"content-length", b"transfer-encoding"):
            self._length_announced = True

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self.status = status = self._parser.get_status_code()
        if self._parser.get_http_version() not in _SPOKEN_VERSIONS:
            self._refuse("the answer is not HTTP/1.1")
        if status >= 200:
            self.past_head = True
            if status >= 300:
                self._headers = _headers_in(self._head)
            self._head = b""
            return
        if status == SWITCHING_PROTOCOLS or status < 100:
            self._refuse(f"status {status} is no answer to a POST")
        self._informational += 1
        self._length_announced = False
        if self._informational > self._limits.informational_count:
            self._refuse("too many 1xx answers")

    def on_body(self, data: bytes) -> None:
        self._read += len(data)
        room = self._limits.body_kept_bytes - self._kept
        if room > 0:
            self._body.append(data[:room])
            self._kept += min(len(data), room)
        if self._read > self._limits.body_read_bytes:
            self.complete = True
            raise StopReading

    def on_message_complete(self) -> None:
        if self.past_head:
            assert self._parser is not None
            self.keep_alive = self._parser.should_keep_alive()
            self.complete = True

    def _count_head(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self._limits.header_bytes:
            self._refuse("the head of the answer is too large")

    def _check_size(self) -> None:
        if not self.past_head:
            if self.received > self._limits.header_bytes:
                raise BadAnswer("the head of the answer is too large")
        elif self.received > self._limits.header_bytes + 2 * self._limits.body_read_bytes:
            # Framing without end: chunks of one byte, each with a long extension.
            self.keep_alive = False
            self.complete = True

    def _refuse(self, detail: str) -> None:
        self._refusal = detail
        raise StopReading


class _HeaderReader:
    """Notes the headers of an answer, but not those of the 1xx answers before it."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.parser = HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.parser.get_status_code() >= 200:
            raise StopReading
        self.headers.clear()


def _headers_in(head: bytes) -> Sequence[tuple[bytes, bytes]]:
    """The headers of an answer whose head was read before.

    It is read a second time, because whether they are wanted is known at its end: so an answer that delivers, as most
    do, pays nothing for them.
    """
    reader = _HeaderReader()
    with suppress(HttpParserError):  # our own StopReading
        reader.parser.feed_data(head)
    return reader.headers
