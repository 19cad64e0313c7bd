"""What a hostile receiver is: a handler for each of its connections, and what an attempt may come to."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from hookwright.testing.misbehaviour import read_request

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# The certificate that a receiver shows, by its kind in `certificates`; None: it speaks no TLS of its own.
Certificate = Literal[
    "good",
    "expired",
    "not_yet_valid",
    "other_name",
    "name_only_in_subject",
    "self_signed",
    "unknown_authority",
    "for_clients",
    "short_key",
    "long_chain",
]
Tls = Literal["modern", "tls_1_0", "tls_1_1", "wants_client_1_2", "wants_client_1_3", "only_http_2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostility:
    """One kind of hostile receiver.

    `comes_to` holds what an attempt may be recorded as: a status code, or the code of an error. `scheme` is how it
    is dialled. With a `certificate` the handler speaks inside TLS, otherwise on the bare socket. `accepts` is false
    for one whose queue of connections is full.
    """

    name: str
    comes_to: frozenset[str]
    handler: Handler
    scheme: Literal["http", "https"] = "http"
    certificate: Certificate | None = None
    tls: Tls = "modern"
    accepts: bool = True
    echoes: bool = False  # it answers with the id of the request: any other body is somebody else's answer


async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never look at the connection; let go of it when the sender has."""
    writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's transport reads and writes
    await linger(writer)


async def linger(writer: asyncio.StreamWriter) -> None:
    """Hold the connection until the sender gives it up."""
    with suppress(ConnectionError):
        await writer.wait_closed()


def cut(writer: asyncio.StreamWriter) -> None:
    """Reset the connection: a socket that closes without lingering sends RST in place of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def answering(answer: bytes, then: Literal["close", "hang"] = "close") -> Handler:
    """Reads one request, gives this answer, and closes or says nothing more."""

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        if then == "hang":
            await reader.read()  # returns when the sender closes
        writer.close()
        await writer.wait_closed()

    return answer_once
