"""Reading what a sender asks, by receivers that need to know it."""

from __future__ import annotations

from asyncio import StreamReader
from typing import NamedTuple


class Asked(NamedTuple):
    """The path and the message id of one request."""

    path: str
    message_id: bytes


async def read_asked(reader: StreamReader) -> Asked:
    """Read one request of our sender's to the end of its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    request_line, *lines = head.split(b"\r\n")[:-2]
    fields = dict(line.split(b": ", 1) for line in lines)
    await reader.readexactly(int(fields[b"content-length"]))
    return Asked(request_line.split()[1].decode(), fields[b"webhook-id"])
