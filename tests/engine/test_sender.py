"""The sender against real receivers on real sockets, good and bad."""

import asyncio
import errno
import os
import resource
import socket
import ssl
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

import pytest
import trustme

from hookwright.ambient import MovableClock, monotonic_us
from hookwright.core.addresses import TargetPolicy
from hookwright.core.answer_headers import MOST_CHARACTERS, AnswerHeader, AnswerHeaders
from hookwright.core.model import SECOND, Outcome
from hookwright.engine.dialling import MAX_ADDRESSES_JUDGED, verifying_context
from hookwright.engine.limits import SendLimits
from hookwright.engine.own_addresses import is_own_address
from hookwright.engine.sender import Sender, refusal_duration
from hookwright.server import allow_many_files
from hookwright.testing import misbehaviour
from hookwright.testing.receiver import RawHandler, Receiver

PRIVATE = TargetPolicy(allow_private=True)
PATIENT = SendLimits()
IMPATIENT = SendLimits(total_seconds=0.2, connect_seconds=0.1)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def sender(clock: MovableClock) -> AsyncIterator[Sender]:
    async with sending(clock) as sender:
        yield sender


@pytest.fixture
async def impatient(clock: MovableClock) -> AsyncIterator[Sender]:
    async with sending(clock, IMPATIENT) as sender:
        yield sender


@asynccontextmanager
async def sending(
    clock: MovableClock,
    limits: SendLimits = PATIENT,
    policy: TargetPolicy = PRIVATE,
    ssl_context: ssl.SSLContext | None = None,
    resolve: Callable[[str], Sequence[str]] | None = None,
) -> AsyncIterator[Sender]:
    sender = Sender(clock, policy, limits, ssl_context=ssl_context, resolve=resolve)
    yield sender
    await sender.close()


async def post(sender: Sender, url: str, body: bytes = b"{}") -> Outcome:
    return await sender.send(url, {"content-type": "application/json"}, body)


def answering(answer: bytes) -> RawHandler:
    """Reads a request, gives this answer and closes."""

    async def answer_once(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        writer.write(answer)

    return answer_once


# -- a request and its answer -------------------------------------------------------------------------------------


async def test_a_post_arrives_as_it_was_given(sender: Sender, receiver: Receiver, clock: MovableClock) -> None:
    receiver.answer(201, b'{"ok":true}')
    headers = {"content-type": "application/json", "webhook-id": "msg_1", "user-agent": "Hookwright"}
    outcome = await sender.send(receiver.url + "/a%2Fb?x=1&y[]=ü", headers, b'{"n": 1}')
    [request] = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/a%2Fb?x=1&y[]=%C3%BC", b'{"n": 1}')
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "user-agent": "Hookwright",
        "content-length": "8",
    }
    assert (outcome.status_code, outcome.error, outcome.body) == (201, None, b'{"ok":true}')
    assert outcome.started_at == clock.now()
    assert 0 < outcome.duration_us < 5_000_000


async def test_an_empty_body_and_no_headers_make_a_whole_request(sender: Sender, receiver: Receiver) -> None:
    outcome = await sender.send(receiver.url, {}, b"")
    assert outcome.status_code == 200
    assert receiver.requests[0].path == "/"
    assert receiver.requests[0].headers["content-length"] == "0"


async def test_a_large_body_arrives_whole(sender: Sender, receiver: Receiver) -> None:
    body = bytes(range(256)) * 16_384
    assert (await post(sender, receiver.url, body)).status_code == 200
    assert receiver.requests[0].body == body


@pytest.mark.parametrize("status", [204, 304, 400, 404, 410, 500, 599])
async def test_any_status_is_an_answer_and_no_error(sender: Sender, receiver: Receiver, status: int) -> None:
    receiver.answer(status)
    outcome = await post(sender, receiver.url)
    assert (outcome.status_code, outcome.error, outcome.detail) == (status, None, None)


async def test_a_redirect_is_not_followed(sender: Sender, receiver: Receiver) -> None:
    async with Receiver() as elsewhere:
        receiver.answer(307, headers={"location": elsewhere.url})
        outcome = await post(sender, receiver.url)
        assert (outcome.status_code, outcome.detail) == (307, f"redirects to {elsewhere.url}")
        assert elsewhere.connection_count == 0


async def test_a_cookie_is_not_carried_to_the_next_request(sender: Sender, receiver: Receiver) -> None:
    receiver.answer(headers={"set-cookie": "account=1; path=/"})
    await post(sender, receiver.url)
    await post(sender, receiver.url)
    assert receiver.count == 2
    assert "cookie" not in receiver.requests[1].headers


async def test_the_headers_of_an_answer_that_is_no_2xx_are_kept_as_they_came(
    sender: Sender, receiver: Receiver
) -> None:
    receiver.behave(
        answering(
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
            b"HTTP/1.1 503 Busy\r\nServer: nginx\r\nX-Name: Z\xc3\xbc\x9b2J \r\nx-twice: 1\r\nx-empty:\r\n"
            b"X-Twice: 2\r\nSet-Cookie: sid=1234\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2\r\nno\r\n0\r\nx-trailer: late\r\n\r\n"
        )
    )
    outcome = await post(sender, receiver.url)
    assert (outcome.status_code, outcome.body) == (503, b"no")
    assert outcome.headers == AnswerHeaders(
        (
            AnswerHeader("Server", "nginx"),
            AnswerHeader("X-Name", r"Z\xc3\xbc\x9b2J"),
            AnswerHeader("x-twice", "1"),
            AnswerHeader("x-empty", ""),
            AnswerHeader("X-Twice", "2"),
            AnswerHeader("Set-Cookie", None),
            AnswerHeader("transfer-encoding", "chunked"),
        )
    )


async def test_headers_that_come_in_pieces_are_kept_whole(sender: Sender, receiver: Receiver) -> None:
    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        for byte in b"HTTP/1.1 500 No\r\nx-slow: one byte at a time\r\ncontent-length: 0\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    receiver.behave(answer)
    outcome = await post(sender, receiver.url)
    assert outcome.headers is not None
    assert outcome.headers.kept[0] == AnswerHeader("x-slow", "one byte at a time")


@pytest.mark.parametrize("answer", [OK, b"HTTP/1.1 500 No\r\ncontent-length: 9\r\n"], ids=["2xx", "no whole head"])
async def test_what_delivers_or_is_no_answer_leaves_no_headers(
    sender: Sender, receiver: Receiver, answer: bytes
) -> None:
    receiver.behave(answering(answer))
    assert (await post(sender, receiver.url)).headers is None


async def test_the_headers_of_an_answer_are_not_those_of_the_one_before(sender: Sender, receiver: Receiver) -> None:
    receiver.answer(500, headers={"x-first": "1"}, times=1)
    receiver.answer(500, headers={"x-second": "2"}, times=1)
    receiver.answer(200)
    outcomes = [await post(sender, receiver.url) for _ in range(3)]
    assert receiver.connection_count == 1
    first, second, third = (each.headers for each in outcomes)
    assert first is not None
    assert second is not None
    assert third is None
    assert AnswerHeader("x-first", "1") in first.kept
    assert AnswerHeader("x-second", "2") in second.kept
    assert "x-first" not in {each.name for each in second.kept}


async def test_of_many_and_long_headers_no_more_is_kept_than_the_bound(sender: Sender, receiver: Receiver) -> None:
    many = b"".join(b"x-%d: %s\r\n" % (number, b"\xff" * 300) for number in range(97))
    receiver.behave(answering(b"HTTP/1.1 500 No\r\n" + many + b"content-length: 0\r\n\r\n"))
    headers = (await post(sender, receiver.url)).headers
    assert headers is not None
    assert len(headers.kept) + headers.left_out == 98
    assert sum(len(each.name) + len(each.value or "") for each in headers.kept) <= MOST_CHARACTERS


async def test_proxy_variables_of_the_environment_are_ignored(
    receiver: Receiver, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with sending(clock) as sender:
            assert (await post(sender, receiver.url)).status_code == 200
        assert proxy.connection_count == 0


async def test_a_compressed_body_is_not_unpacked(sender: Sender, receiver: Receiver) -> None:
    packed = b"\x1f\x8b\x08 not even gzip"
    receiver.answer(200, packed, {"content-encoding": "gzip"})
    assert (await post(sender, receiver.url)).body == packed


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [(429, "120", 120), (503, "0", 1), (503, "9999999", 86_400), (429, "soon", None), (200, "120", None)],
)
async def test_retry_after_counts_where_the_receiver_asks_for_time(
    sender: Sender, receiver: Receiver, status: int, value: str, seconds: int | None
) -> None:
    receiver.answer(status, headers={"Retry-After": value})
    assert (await post(sender, receiver.url)).retry_after_seconds == seconds


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nx: y", "a\rx: y", "a\0", "☃"])
async def test_a_header_that_is_not_one_line_of_latin_1_is_not_sent(
    sender: Sender, receiver: Receiver, value: str
) -> None:
    with pytest.raises(ValueError, match=r"header|latin-1"):
        await sender.send(receiver.url, {"x-tenant": value}, b"")
    assert receiver.connection_count == 0


# -- answers that end in unusual ways ------------------------------------------------------------------------------


def raw(*answers: bytes) -> RawHandler:
    """A handler that gives each request of a connection the next of these answers, then closes."""

    async def handle(reader: StreamReader, writer: StreamWriter) -> None:
        for answer in answers:
            await misbehaviour.read_request(reader)
            writer.write(answer)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    return handle


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200, b""),
        (b"HTTP/1.0 202 OK\r\ncontent-length: 2\r\n\r\nhi", 202, b"hi"),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi and more than announced", 200, b"hi"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nx: y\r\n\r\n", 200, b"hi"),
        (b"HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b""),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx", 200, b"x"),
        (OK + b"HTTP/1.1 500 Second\r\ncontent-length: 0\r\n\r\n", 200, b""),
    ],
)
async def test_an_unusual_but_whole_answer_counts_once(
    sender: Sender, receiver: Receiver, answer: bytes, status: int, body: bytes
) -> None:
    receiver.behave(raw(answer))
    for connection in (1, 2):
        outcome = await post(sender, receiver.url)
        assert (outcome.status_code, outcome.body, outcome.error) == (status, body, None)
        assert receiver.connection_count == connection, "a connection in doubt must not be used again"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"\r\n\r\n" + OK,
        b"<html>hello</html>",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000 + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n" * 50 + OK,
    ],
)
async def test_what_is_no_http_answer_is_a_bad_answer(sender: Sender, receiver: Receiver, answer: bytes) -> None:
    receiver.behave(raw(answer))
    outcome = await post(sender, receiver.url)
    assert (outcome.error, outcome.status_code) == ("bad_answer", None)
    assert outcome.detail
    assert receiver.connection_count == 1


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (misbehaviour.hang, "timeout"),
        (misbehaviour.drip_head, "timeout"),
        (misbehaviour.garbage, "bad_answer"),
        (misbehaviour.endless_header, "bad_answer"),
        (misbehaviour.many_headers, "bad_answer"),
        (misbehaviour.endless_informational, "bad_answer"),
        (misbehaviour.switch_protocols, "bad_answer"),
        (misbehaviour.close_unanswered, "reset"),
        (misbehaviour.close_early, None),
        (misbehaviour.reset, "reset"),
        (misbehaviour.endless_body, None),
        (misbehaviour.endless_chunk_extensions, None),
    ],
)
async def test_no_misbehaviour_outlasts_the_deadline_or_raises(
    sender: Sender, impatient: Sender, receiver: Receiver, handler: RawHandler, error: str | None
) -> None:
    receiver.behave(handler)
    # What ends by itself has the time for it on a busy machine too.
    outcome = await post(impatient if error == "timeout" else sender, receiver.url)
    assert outcome.error == error
    assert outcome.status_code == (None if error else 200)
    assert outcome.duration_us < PATIENT.total_seconds * SECOND
    assert len(outcome.body) <= IMPATIENT.body_kept_bytes
    assert receiver.connection_count == 1, "a request that may have arrived is the schedule's to repeat"


async def test_the_deadline_covers_the_whole_request(impatient: Sender, receiver: Receiver) -> None:
    receiver.behave(misbehaviour.drip_body)
    outcome = await post(impatient, receiver.url)
    assert (outcome.status_code, outcome.error) == (200, None)
    assert outcome.detail == "the answer did not end within 0.2 s"
    assert outcome.body.strip(b"x") == b""
    assert outcome.duration_us >= 190_000
    assert receiver.connection_count == 1


CLOSED_EARLY = "the connection was closed before the end of the answer"


@pytest.mark.parametrize(
    ("rest", "body", "detail"),
    [
        (b"content-length: 50\r\n\r\nok", b"ok", CLOSED_EARLY),
        (b"content-length: 50\r\n\r\n", b"", CLOSED_EARLY),
        (b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n", b"ok", CLOSED_EARLY),
        (
            b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
            b"ok",
            "the rest of the answer is not valid HTTP: Invalid character in chunk size",
        ),
    ],
    ids=["half the body", "no body", "no last chunk", "a chunk of no size"],
)
@pytest.mark.parametrize("status", [200, 410, 429])
async def test_an_answer_that_breaks_off_after_its_head_counts_by_its_status(
    sender: Sender, receiver: Receiver, status: int, rest: bytes, body: bytes, detail: str
) -> None:
    receiver.behave(raw(b"HTTP/1.1 %d So\r\nretry-after: 120\r\n%b" % (status, rest)))
    for connection in (1, 2):
        outcome = await post(sender, receiver.url)
        assert (outcome.status_code, outcome.error, outcome.body, outcome.detail) == (status, None, body, detail)
        assert outcome.retry_after_seconds == (120 if status == 429 else None)
        assert (outcome.headers is None) == (status < 300)
        assert receiver.connection_count == connection, "a connection in doubt must not be used again"


async def test_an_answer_that_is_reset_after_its_head_counts_by_its_status(
    sender: Sender, receiver: Receiver
) -> None:
    async def answer_and_reset(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nok")
        await writer.drain()
        # A socket that closes without lingering sends RST in place of FIN.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    receiver.behave(answer_and_reset)
    outcome = await post(sender, receiver.url)
    assert (outcome.status_code, outcome.error, outcome.body, outcome.detail) == (200, None, b"ok", CLOSED_EARLY)


async def test_a_redirect_that_breaks_off_says_both(sender: Sender, receiver: Receiver) -> None:
    receiver.behave(raw(b"HTTP/1.1 308 Go\r\nlocation: https://new.example/\r\ncontent-length: 9\r\n\r\n"))
    outcome = await post(sender, receiver.url)
    assert outcome.detail == f"{CLOSED_EARLY}; redirects to https://new.example/"


async def test_every_one_of_many_requests_meets_its_own_deadline(impatient: Sender, receiver: Receiver) -> None:
    receiver.behave(misbehaviour.hang)
    for _ in range(2):
        early = [asyncio.create_task(post(impatient, receiver.url)) for _ in range(10)]
        await asyncio.wait(early, timeout=0.1)
        late = [asyncio.create_task(post(impatient, receiver.url)) for _ in range(10)]
        outcomes = await asyncio.gather(*early, *late)
        assert {outcome.error for outcome in outcomes} == {"timeout"}
        assert all(190_000 <= outcome.duration_us < 2_000_000 for outcome in outcomes)


async def test_a_receiver_that_takes_no_request_body_meets_the_deadline(
    impatient: Sender, receiver: Receiver
) -> None:
    async def deaf(reader: StreamReader, writer: StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's transport reads and writes
        await asyncio.Event().wait()

    receiver.behave(deaf)
    assert (await post(impatient, receiver.url, bytes(20_000_000))).error == "timeout"


@pytest.mark.parametrize("size", [65_537, 5_000_000])
async def test_a_long_answer_is_cut_and_only_its_beginning_kept(
    sender: Sender, receiver: Receiver, size: int
) -> None:
    receiver.answer(500, b"x" * size)
    outcome = await post(sender, receiver.url)
    assert (outcome.status_code, outcome.error) == (500, None)
    assert outcome.body == b"x" * 16_384
    await post(sender, receiver.url)
    assert receiver.connection_count == 2


async def test_an_answer_of_64_kib_is_read_to_its_end(sender: Sender, receiver: Receiver) -> None:
    receiver.answer(200, b"x" * 65_536)
    for _ in range(3):
        assert (await post(sender, receiver.url)).status_code == 200
    assert receiver.connection_count == 1


async def test_an_answer_that_comes_before_the_request_was_read_counts(sender: Sender, receiver: Receiver) -> None:
    async def refuse(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's transport reads and writes
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await asyncio.Event().wait()

    receiver.behave(refuse)
    assert (await post(sender, receiver.url, bytes(20_000_000))).status_code == 413
    receiver.behave(None)
    assert (await post(sender, receiver.url)).status_code == 200
    assert receiver.connection_count == 2


# -- connections that are kept ---------------------------------------------------------------------------------------


async def test_a_connection_is_used_again(sender: Sender, receiver: Receiver) -> None:
    for _ in range(5):
        assert (await post(sender, receiver.url + "/any/path")).status_code == 200
    assert receiver.connection_count == 1


async def test_a_connection_is_not_kept_when_the_receiver_says_close(sender: Sender, receiver: Receiver) -> None:
    receiver.answer(headers={"connection": "close"})
    await post(sender, receiver.url)
    await post(sender, receiver.url)
    assert receiver.connection_count == 2


async def test_a_receiver_that_restarted_gets_the_next_request_at_once(sender: Sender, receiver: Receiver) -> None:
    await post(sender, receiver.url)
    await receiver.stop()
    await receiver.start()
    assert (await post(sender, receiver.url)).status_code == 200
    assert receiver.count == 2


async def test_a_kept_connection_that_dies_unanswered_is_replaced_once(sender: Sender, receiver: Receiver) -> None:
    async def answer_once(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        writer.write(OK)
        await misbehaviour.read_request(reader)

    receiver.behave(answer_once)
    assert (await post(sender, receiver.url)).status_code == 200
    assert (await post(sender, receiver.url)).status_code == 200
    assert receiver.connection_count == 2


async def test_a_fresh_connection_that_dies_unanswered_is_not_replaced(sender: Sender, receiver: Receiver) -> None:
    receiver.behave(misbehaviour.close_unanswered)
    outcome = await post(sender, receiver.url)
    assert outcome.error == "reset"
    assert receiver.connection_count == 1


async def test_bytes_that_nobody_asked_for_end_a_kept_connection(sender: Sender, receiver: Receiver) -> None:
    cut = asyncio.Event()

    async def chatty(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        writer.write(OK)
        await poke.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nx-poisoned: 1\r\ncontent-length: 0\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        cut.set()

    poke = asyncio.Event()
    receiver.behave(chatty)
    await post(sender, receiver.url)
    poke.set()
    async with asyncio.timeout(5):
        await cut.wait()


async def test_an_idle_connection_is_closed_after_a_while(clock: MovableClock, receiver: Receiver) -> None:
    async with sending(clock, SendLimits(idle_seconds=0.05)) as sender:
        await _post_and_see_the_connection_end(sender, receiver)


async def test_closing_the_sender_closes_its_connections(receiver: Receiver, clock: MovableClock) -> None:
    ended = asyncio.Event()
    receiver.behave(_answer_and_watch(ended))
    async with sending(clock) as sender:
        await post(sender, receiver.url)
        assert not ended.is_set()
    async with asyncio.timeout(5):
        await ended.wait()


async def test_the_stalest_connection_makes_room_for_a_new_one(clock: MovableClock, receiver: Receiver) -> None:
    async with sending(clock, SendLimits(idle_total=1)) as sender, Receiver() as other:
        await post(sender, other.url)
        await _post_and_see_the_connection_stay(sender, receiver)
        await post(sender, other.url)
        assert other.connection_count == 2


async def test_no_more_connections_to_one_receiver_are_kept_than_allowed(
    clock: MovableClock, receiver: Receiver
) -> None:
    async with sending(clock, SendLimits(idle_per_host=2)) as sender:
        await asyncio.gather(*(post(sender, receiver.url) for _ in range(10)))
        await asyncio.gather(*(post(sender, receiver.url) for _ in range(10)))
    assert receiver.connection_count == 18


async def test_a_cancelled_sending_closes_its_connection(sender: Sender, receiver: Receiver) -> None:
    arrived, ended = asyncio.Event(), asyncio.Event()

    async def watch(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        arrived.set()
        await misbehaviour.hang(reader, writer)
        ended.set()

    receiver.behave(watch)
    task = asyncio.create_task(post(sender, receiver.url))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await ended.wait()


async def test_a_thousand_sendings_at_once_all_arrive(sender: Sender, receiver: Receiver) -> None:
    if allow_many_files() < 2_500:
        pytest.skip("this user may not open the 2,500 files of a thousand connections with both ends (ulimit -Hn)")
    outcomes = await asyncio.gather(*(post(sender, f"{receiver.url}/{n}", b"%d" % n) for n in range(1000)))
    assert {outcome.status_code for outcome in outcomes} == {200}
    assert sorted(int(request.body) for request in receiver.requests) == list(range(1000))
    assert all(request.path == f"/{int(request.body)}" for request in receiver.requests)


def _answer_and_watch(ended: asyncio.Event) -> RawHandler:
    async def handle(reader: StreamReader, writer: StreamWriter) -> None:
        await misbehaviour.read_request(reader)
        writer.write(OK)
        try:
            await reader.read()
        finally:
            ended.set()

    return handle


async def _post_and_see_the_connection_end(sender: Sender, receiver: Receiver) -> None:
    ended = asyncio.Event()
    receiver.behave(_answer_and_watch(ended))
    assert (await post(sender, receiver.url)).status_code == 200
    async with asyncio.timeout(5):
        await ended.wait()


async def _post_and_see_the_connection_stay(sender: Sender, receiver: Receiver) -> None:
    before = receiver.connection_count
    await post(sender, receiver.url)
    await post(sender, receiver.url)
    assert receiver.connection_count == before + 1


# -- connections that cannot be made ---------------------------------------------------------------------------------


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that is taken but on which nobody listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_port_on_which_nobody_listens_refuses(sender: Sender, deaf_port: int) -> None:
    assert (await post(sender, f"http://127.0.0.1:{deaf_port}")).error == "connect_refused"


async def test_a_network_that_cannot_be_reached_is_a_failed_connection(sender: Sender) -> None:
    # Linux refuses TCP to a broadcast address at once.
    assert (await post(sender, "http://127.255.255.255:8080")).error == "connect_failed"


async def test_a_receiver_that_accepts_nothing_is_given_up(impatient: Sender) -> None:
    with closing(socket.socket()) as full, closing(socket.socket()) as first, closing(socket.socket()) as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        outcome = await post(impatient, f"http://127.0.0.1:{full.getsockname()[1]}")
    assert outcome.error == "connect_timeout"
    assert 90_000 <= outcome.duration_us < 2_000_000


async def test_the_next_address_of_a_name_is_tried_when_one_fails(clock: MovableClock, receiver: Receiver) -> None:
    async with sending(clock, resolve=lambda name: ["127.255.255.255", "127.0.0.1"]) as sender:
        outcome = await post(sender, f"http://receiver.example:{receiver.port}/hooks")
    assert outcome.status_code == 200
    assert receiver.requests[0].headers["host"] == f"receiver.example:{receiver.port}"


async def test_a_machine_out_of_sockets_is_our_fault_and_no_outcome(sender: Sender, receiver: Receiver) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_file = os.dup(0)
    os.close(next_file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_file, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            await post(sender, receiver.url)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (await post(sender, receiver.url)).status_code == 200


# -- names ----------------------------------------------------------------------------------------------------------


def _no_such_name(name: str) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("resolve", [_no_such_name, lambda name: []], ids=["unknown", "empty"])
async def test_a_name_without_an_address_is_a_failed_look_up(
    clock: MovableClock, resolve: Callable[[str], Sequence[str]]
) -> None:
    async with sending(clock, resolve=resolve) as sender:
        assert (await post(sender, "http://nowhere.example/")).error == "dns_failed"


async def test_a_slow_look_up_ends_in_time_and_holds_one_thread_for_its_name(
    clock: MovableClock, receiver: Receiver
) -> None:
    release = threading.Event()
    asked: list[str] = []

    def resolve(name: str) -> Sequence[str]:
        asked.append(name)
        if name.startswith("slow"):
            release.wait(10)
        return ["127.0.0.1"]

    limits = SendLimits(connect_seconds=0.1, name_threads=2)
    async with sending(clock, limits, resolve=resolve) as sender:
        outcomes = await asyncio.gather(*(post(sender, "http://slow.example/") for _ in range(20)))
        assert {outcome.error for outcome in outcomes} == {"dns_failed"}
        assert (await post(sender, f"http://fast.example:{receiver.port}/")).status_code == 200
        release.set()
    assert asked == ["slow.example", "fast.example"]


async def test_a_name_is_looked_up_once_for_many_connections(clock: MovableClock, receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(name: str) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"]

    receiver.answer(headers={"connection": "close"})
    async with sending(clock, resolve=resolve) as sender:
        await asyncio.gather(*(post(sender, f"http://receiver.example:{receiver.port}/") for _ in range(20)))
    assert receiver.connection_count == 20
    assert asked == ["receiver.example"]


async def test_localhost_resolves_by_the_system(sender: Sender, receiver: Receiver) -> None:
    assert (await post(sender, f"http://localhost:{receiver.port}/")).status_code == 200


# -- addresses that must not be dialled ------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
async def test_a_private_host_is_never_dialled_in_production(
    clock: MovableClock, receiver: Receiver, host: str
) -> None:
    async with sending(clock, policy=TargetPolicy()) as sender:
        outcome = await post(sender, f"https://{host}:{receiver.port}/")
    assert (outcome.error, outcome.detail) == ("address_not_allowed", "address not allowed")
    assert receiver.connection_count == 0


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
        ["127.0.0.1", "93.184.215.14"],
        ["2606:4700::1", "fe80::1%lo"],
        ["not an address"],
    ],
)
async def test_a_name_with_one_private_address_is_never_dialled(
    clock: MovableClock, receiver: Receiver, answers: Sequence[str]
) -> None:
    async with sending(clock, policy=TargetPolicy(), resolve=lambda name: answers) as sender:
        outcome = await post(sender, f"https://rebind.example:{receiver.port}/")
    assert (outcome.error, outcome.detail) == ("address_not_allowed", "address not allowed")
    assert receiver.connection_count == 0


async def test_a_name_that_changes_its_mind_is_judged_at_every_dial(clock: MovableClock, receiver: Receiver) -> None:
    # 169.254.169.254 is refused under every policy, so the receiver on loopback may stand for a public one.
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]])
    receiver.answer(headers={"connection": "close"})
    async with sending(clock, SendLimits(name_seconds=0), resolve=lambda name: next(answers)) as sender:
        outcomes = [await post(sender, f"http://rebind.example:{receiver.port}/") for _ in range(3)]
    # Three answers for three dials: nothing is resolved a second time between the judgement and the dial.
    assert [outcome.error for outcome in outcomes] == [None, "address_not_allowed", None]
    assert receiver.connection_count == 2


async def test_a_connection_that_ends_up_elsewhere_is_not_used(sender: Sender, receiver: Receiver) -> None:
    # Dialling 0.0.0.0 connects to 127.0.0.1: what was judged is not what was reached.
    assert (await post(sender, f"http://0.0.0.0:{receiver.port}/")).error == "address_not_allowed"
    assert receiver.count == 0


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_is_reset_as_it_is_made_is_never_called_a_refused_address(
    sender: Sender, turns: int
) -> None:
    # So many turns of the loop after it was made: in one of them the other end has gone before it is asked for.
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setblocking(False)

        def accept() -> None:
            try:
                accepted, _ = listener.accept()
            except BlockingIOError:
                loop.call_soon(accept)
            else:
                reset_in(turns, accepted)

        def reset_in(turns: int, accepted: socket.socket) -> None:
            if turns:
                loop.call_soon(reset_in, turns - 1, accepted)
            else:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                accepted.close()

        loop.call_soon(accept)
        outcome = await post(sender, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert outcome.error in ("reset", "connect_failed")


async def test_refused_addresses_look_the_same_whether_the_port_is_open_or_not(
    clock: MovableClock, receiver: Receiver, deaf_port: int
) -> None:
    async with sending(clock, policy=TargetPolicy(), resolve=lambda name: ["127.0.0.1"]) as sender:
        outcomes = [
            await post(sender, f"https://{host}:{port}/")
            for host in ("127.0.0.1", "inside.example")
            for port in (receiver.port, deaf_port)
        ]
    assert {(outcome.error, outcome.detail) for outcome in outcomes} == {
        ("address_not_allowed", "address not allowed")
    }


@pytest.mark.parametrize(
    ("passed", "duration"), [(0, 0), (1, 250_000), (249_999, 250_000), (250_000, 250_000), (250_001, 500_000)]
)
def test_a_refusal_takes_the_next_whole_number_of_steps(passed: int, duration: int) -> None:
    assert refusal_duration(passed, 250_000) == duration


async def test_a_refused_address_takes_as_long_as_a_name_that_resolves_to_one(clock: MovableClock) -> None:
    step = SendLimits().refusal_seconds
    hosts = ("127.0.0.1", "10.1.2.3", "[::1]", "localhost", "127.1", "user@example.com", "inside.example")
    async with sending(clock, SendLimits(), policy=TargetPolicy(), resolve=lambda name: ["10.0.0.1"]) as sender:
        began = monotonic_us()
        outcomes = await asyncio.gather(*(post(sender, f"https://{host}/") for host in hosts))
        assert monotonic_us() - began >= step * SECOND
    # To the microsecond, in whole steps; more than one only on a machine that stood still meanwhile.
    assert {outcome.duration_us % (step * SECOND) for outcome in outcomes} == {0}
    assert {outcome.error for outcome in outcomes} == {"address_not_allowed"}


# That a public address of this machine is not dialled, tests/guard shows: it takes a network that has one.
def test_loopback_is_this_machines_own_address() -> None:
    assert is_own_address("127.0.0.1")
    assert is_own_address("::1")


async def test_an_own_address_is_dialled_where_an_operator_allows_it(clock: MovableClock, receiver: Receiver) -> None:
    policy = TargetPolicy(allowed_ranges=(IPv4Network("127.0.0.0/8"),), ports=((1, 65535),))
    async with sending(clock, policy=policy) as sender:
        # Reached, though what answers there speaks no TLS.
        assert (await post(sender, f"https://127.0.0.1:{receiver.port}/")).error == "tls_failed"
    assert receiver.connection_count == 1


def test_where_no_way_leads_is_no_own_address() -> None:
    # Without its scope a link-local address leads nowhere.
    assert not is_own_address("fe80::1")


@pytest.fixture
def without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that knows no IPv6, as Python meets it."""

    class Socket(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *rest: Any, **named: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *rest, **named)

    monkeypatch.setattr(socket, "socket", Socket)


@pytest.mark.usefixtures("without_ipv6")
def test_a_machine_without_ipv6_has_no_such_address_of_its_own() -> None:
    assert not is_own_address("::1")
    assert is_own_address("127.0.0.1")


@pytest.mark.usefixtures("without_ipv6")
async def test_a_machine_without_ipv6_dials_the_next_address_or_fails(
    clock: MovableClock, receiver: Receiver, deaf_port: int
) -> None:
    async with sending(clock, resolve=lambda name: ["::1", "127.0.0.1"]) as sender:
        assert (await post(sender, f"http://receiver.example:{receiver.port}/")).status_code == 200
        # uvloop opens its sockets itself, and then only finds that nobody listens.
        assert (await post(sender, f"http://[::1]:{deaf_port}/")).error in ("connect_failed", "connect_refused")


async def test_of_a_name_with_thousands_of_addresses_only_the_first_ones_are_looked_at(
    clock: MovableClock, receiver: Receiver
) -> None:
    many = ["127.0.0.1"] * MAX_ADDRESSES_JUDGED + ["not an address, which would refuse the name"] * 4_000
    async with sending(clock, resolve=lambda name: many) as sender:
        assert (await post(sender, f"http://receiver.example:{receiver.port}/")).status_code == 200


# -- TLS ------------------------------------------------------------------------------------------------------------

NAME = "receiver.example"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def tls_sender(clock: MovableClock, authority: trustme.CA) -> AsyncIterator[Sender]:
    context = verifying_context()
    authority.configure_trust(context)
    async with sending(clock, ssl_context=context, resolve=lambda name: ["127.0.0.1"]) as sender:
        yield sender


def tls_receiver(certificate: trustme.LeafCert, host_name: str = NAME) -> Receiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return Receiver(ssl_context=context, host_name=host_name)


async def test_tls_checks_the_name_and_keeps_the_connection(tls_sender: Sender, authority: trustme.CA) -> None:
    async with tls_receiver(authority.issue_cert(NAME)) as receiver:
        for _ in range(3):
            assert (await post(tls_sender, receiver.url, b"x" * 100_000)).status_code == 200
        assert receiver.connection_count == 1
        assert receiver.requests[0].headers["host"] == f"{NAME}:{receiver.port}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_tls_session_is_never_resumed(
    tls_sender: Sender, authority: trustme.CA, version: ssl.TLSVersion
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    authority.issue_cert(NAME).configure_cert(context)
    async with Receiver(ssl_context=context, host_name=NAME) as receiver:
        for _ in range(3):
            assert (await post(tls_sender, receiver.url)).status_code == 200
            receiver.drop_connections()
    told = context.session_stats()
    assert (told["accept_good"], told["hits"]) == (3, 0)


async def test_tls_to_an_address_checks_the_address(tls_sender: Sender, authority: trustme.CA) -> None:
    async with tls_receiver(authority.issue_cert("127.0.0.1"), "127.0.0.1") as receiver:
        assert (await post(tls_sender, receiver.url)).status_code == 200


async def test_a_certificate_for_another_name_is_not_accepted(tls_sender: Sender, authority: trustme.CA) -> None:
    async with tls_receiver(authority.issue_cert("other.example")) as receiver:
        outcome = await post(tls_sender, receiver.url)
    assert outcome.error == "tls_failed"
    assert outcome.detail is not None
    assert "certificate is not valid for 'receiver.example'. (it is for other.example)" in outcome.detail
    assert receiver.count == 0


async def test_a_certificate_of_an_unknown_authority_is_not_accepted(tls_sender: Sender) -> None:
    async with tls_receiver(trustme.CA().issue_cert(NAME)) as receiver:
        outcome = await post(tls_sender, receiver.url)
    assert outcome.error == "tls_failed"
    assert "the certificate is not accepted" in str(outcome.detail)


async def test_an_expired_certificate_is_not_accepted(tls_sender: Sender, authority: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    certificate = authority.issue_cert(NAME, not_before=yesterday - timedelta(days=9), not_after=yesterday)
    async with tls_receiver(certificate) as receiver:
        outcome = await post(tls_sender, receiver.url)
    assert (outcome.error, outcome.detail) == (
        "tls_failed",
        f"the certificate is not accepted: certificate has expired (on {yesterday:%Y-%m-%dT%H:%M:%S}Z)",
    )


def test_tls_older_than_1_2_is_not_spoken() -> None:
    context = verifying_context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_a_receiver_that_speaks_no_tls_fails_the_handshake(tls_sender: Sender, receiver: Receiver) -> None:
    assert (await post(tls_sender, f"https://{NAME}:{receiver.port}")).error == "tls_failed"


async def test_a_receiver_that_closes_in_the_handshake_fails_it(tls_sender: Sender, receiver: Receiver) -> None:
    async def close(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    receiver.behave(close)
    assert (await post(tls_sender, f"https://{NAME}:{receiver.port}")).error == "tls_failed"


async def test_a_handshake_without_end_is_given_up(clock: MovableClock, receiver: Receiver) -> None:
    receiver.behave(misbehaviour.hang)
    async with sending(clock, IMPATIENT, resolve=lambda name: ["127.0.0.1"]) as sender:
        assert (await post(sender, f"https://{NAME}:{receiver.port}")).error == "connect_timeout"


async def test_a_receiver_that_wants_a_client_certificate_fails_tls_though_the_handshake_seemed_to_end(
    tls_sender: Sender, authority: trustme.CA, receiver: Receiver
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert(NAME).configure_cert(context)

    async def refuse_in_tls(reader: StreamReader, writer: StreamWriter) -> None:
        """The handshake by hand: asyncio's server would hang up without the alert that tells why."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        with suppress(ssl.SSLError):
            while True:
                incoming.write(await reader.read(65_536))
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                writer.write(outgoing.read())
        writer.write(outgoing.read())
        await reader.read()

    receiver.behave(refuse_in_tls)
    outcome = await post(tls_sender, f"https://{NAME}:{receiver.port}")
    assert (outcome.error, outcome.detail) == (
        "tls_failed",
        "the receiver ended TLS: tlsv13 alert certificate required",
    )
    assert receiver.connection_count == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_a_tls_receiver_that_closes_without_goodbye_has_still_answered(
    tls_sender: Sender, authority: trustme.CA, status: int
) -> None:
    async with tls_receiver(authority.issue_cert(NAME)) as receiver:
        receiver.behave(raw(b"HTTP/1.1 %d X\r\n\r\nbody" % status))
        outcome = await post(tls_sender, receiver.url)
    assert (outcome.status_code, outcome.body) == (status, b"body")
