"""Receivers that hang, drip or break off, at every stage of an exchange."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter

from faults.hostile.hostility import Handler, Hostility, answering, cut, ignore, linger
from hookwright.testing import misbehaviour
from hookwright.testing.misbehaviour import read_request

STATUS_LINE = b"HTTP/1.1 200 OK\r\n"
WHOLE = STATUS_LINE + b"content-length: 0\r\n\r\n"


async def hang_after_head(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer a whole head, and nothing of the body."""
    await read_request(reader)
    writer.write(STATUS_LINE + b"content-length: 10\r\n\r\n")
    await linger(writer)


async def hang_after_half_the_request(reader: StreamReader, writer: StreamWriter) -> None:
    """Read a little of the request and no more."""
    await reader.readexactly(10)
    await ignore(reader, writer)


async def reset_on_accept(reader: StreamReader, writer: StreamWriter) -> None:
    cut(writer)


async def reset_after_first_byte(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readexactly(1)
    cut(writer)


async def reset_after_request_head(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    cut(writer)


async def reset_in_request_body(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(1)
    cut(writer)


def reset_after(written: bytes) -> Handler:
    """Reads the request, writes so much of an answer, and resets."""

    async def reset(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        writer.write(written)
        await writer.drain()
        cut(writer)

    return reset


async def half_close_on_accept(reader: StreamReader, writer: StreamWriter) -> None:
    """Say that nothing will be said, and go on reading."""
    writer.write_eof()
    await reader.read()


async def half_close_after_request(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write_eof()
    await reader.read()


async def half_close_after_answer(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(WHOLE)
    writer.write_eof()
    await reader.read()


async def answer_unread(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer at the first byte of the request, and read no more of it."""
    await reader.readexactly(1)
    writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's transport reads and writes
    writer.write(STATUS_LINE + b"connection: close\r\ncontent-length: 0\r\n\r\n")
    await linger(writer)


async def drip_informational(reader: StreamReader, writer: StreamWriter) -> None:
    """A 102 now and then, so that something always seems to come."""
    await read_request(reader)
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.5)


async def drip_chunks(reader: StreamReader, writer: StreamWriter) -> None:
    """One chunk of one byte at a time."""
    await read_request(reader)
    writer.write(STATUS_LINE + b"transfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"1\r\nx\r\n")
        await writer.drain()
        await asyncio.sleep(misbehaviour.PACE_SECONDS)


def _stage(name: str, handler: Handler, *comes_to: str) -> Hostility:
    return Hostility(name=name, handler=handler, comes_to=frozenset(comes_to))


STAGES: tuple[Hostility, ...] = (
    Hostility(
        name="hang_before_accept", handler=ignore, comes_to=frozenset({"connect_timeout", "timeout"}), accepts=False
    ),
    _stage("hang_after_connect", ignore, "timeout"),
    _stage("hang_after_half_the_request", hang_after_half_the_request, "timeout"),
    _stage("hang_after_request", misbehaviour.hang, "timeout"),
    # Once the head is whole, the status counts, whatever comes of the body.
    _stage("hang_after_head", hang_after_head, "200"),
    _stage("drip_head", misbehaviour.drip_head, "timeout"),
    _stage("drip_body", misbehaviour.drip_body, "200"),
    _stage("drip_chunks", drip_chunks, "200"),
    _stage("drip_informational", drip_informational, "timeout"),
    # The reset may overtake the word that the connection was made.
    _stage("reset_on_accept", reset_on_accept, "reset", "connect_failed"),
    _stage("reset_after_first_byte", reset_after_first_byte, "reset"),
    _stage("reset_after_request_head", reset_after_request_head, "reset"),
    _stage("reset_in_request_body", reset_in_request_body, "reset"),
    _stage("reset_after_status_line", reset_after(STATUS_LINE), "reset"),
    _stage("reset_in_head", reset_after(STATUS_LINE + b"content-le"), "reset"),
    _stage("reset_after_head", reset_after(STATUS_LINE + b"content-length: 10\r\n\r\n"), "200"),
    _stage("reset_in_body", reset_after(STATUS_LINE + b"content-length: 10\r\n\r\nhalf"), "200"),
    _stage("reset_after_answer", reset_after(WHOLE), "200"),
    _stage("close_unanswered", misbehaviour.close_unanswered, "reset"),
    _stage("close_after_status_line", answering(STATUS_LINE), "reset"),
    _stage("half_close_on_accept", half_close_on_accept, "reset"),
    _stage("half_close_after_request", half_close_after_request, "reset"),
    _stage("half_close_after_answer", half_close_after_answer, "200"),
    _stage("answer_unread", answer_unread, "200"),
)
