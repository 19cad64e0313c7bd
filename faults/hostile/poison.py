"""Receivers that try to have their words taken for the next delivery's answer, or carried to the next request."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter

from faults.hostile.asking import read_asked
from faults.hostile.hostility import Handler, Hostility

STOLEN = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen"
LATE_SECONDS = 0.1


def echo(message_id: bytes, fields: bytes = b"") -> bytes:
    """The true answer to a request: its own id."""
    return b"HTTP/1.1 200 OK\r\n" + fields + b"content-length: %d\r\n\r\n" % len(message_id) + message_id


def leaving(leftover: bytes, late: bool = False) -> Handler:
    """Answers each request with its own id, and leaves something on the connection, at once or a little later."""

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        while not writer.is_closing():
            truth = echo((await read_asked(reader)).message_id)
            if late:
                writer.write(truth)
                await writer.drain()
                await asyncio.sleep(LATE_SECONDS)
                writer.write(leftover)
            else:
                writer.write(truth + leftover)
            await writer.drain()

    return answer


async def answer_as_body_of_no_content(reader: StreamReader, writer: StreamWriter) -> None:
    """204, which has no body, with a body that would be an answer."""
    while not writer.is_closing():
        await read_asked(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\ncontent-length: %d\r\n\r\n" % len(STOLEN) + STOLEN)
        await writer.drain()


async def answer_before_the_next_request(reader: StreamReader, writer: StreamWriter) -> None:
    """One whole answer more than was asked for, in a packet of its own."""
    while not writer.is_closing():
        truth = echo((await read_asked(reader)).message_id)
        for packet in (truth[:10], truth[10:], STOLEN[:1]):
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0.01)


async def set_cookies(reader: StreamReader, writer: StreamWriter) -> None:
    """Ask for cookies, for every path and every host around."""
    fields = b"set-cookie: a=b; path=/\r\nset-cookie: c=d; domain=127.0.0.1\r\nset-cookie2: e=f\r\n"
    while not writer.is_closing():
        writer.write(
            echo((await read_asked(reader)).message_id, fields + b"authorization: Basic eDp5\r\netag: W/x\r\n")
        )
        await writer.drain()


def _poison(name: str, handler: Handler, comes_to: str = "200") -> Hostility:
    return Hostility(name=name, handler=handler, comes_to=frozenset({comes_to}), echoes=comes_to == "200")


POISON: tuple[Hostility, ...] = (
    _poison("second_answer_at_once", leaving(STOLEN)),
    _poison("second_answer_late", leaving(STOLEN, late=True)),
    _poison("half_an_answer_late", leaving(STOLEN[:20], late=True)),
    _poison("informational_late", leaving(b"HTTP/1.1 103 Early Hints\r\n\r\n", late=True)),
    _poison("junk_at_once", leaving(b"\r\n\r\n\0\xff")),
    _poison("junk_late", leaving(b"\r\n\r\n\0\xff", late=True)),
    _poison("answer_in_pieces_and_more", answer_before_the_next_request),
    _poison("no_content_with_an_answer", answer_as_body_of_no_content, "204"),
    _poison("cookies", set_cookies),
)
