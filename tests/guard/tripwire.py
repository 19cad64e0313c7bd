"""A listener on every address there is: it notes which one was dialled, and answers 200 over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

BACKLOG = 1024
PATIENCE_SECONDS = 30
END = b"content-length: 0\r\nconnection: close\r\n\r\n"
REDIRECTION = b"HTTP/1.1 307 Elsewhere\r\nlocation: https://169.254.169.254/\r\n" + END
OK = b"HTTP/1.1 200 OK\r\n" + END


class Dialled(NamedTuple):
    """Where a connection was meant to go."""

    address: str
    port: int


class Tripwire:
    """Listens on these ports of both families. Needs a network in which every address is local."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._servers: list[asyncio.Server] = []
        self.dialled: Counter[Dialled] = Counter()

    async def listen(self, ports: Iterable[int]) -> None:
        for port in ports:
            for host in ("0.0.0.0", "::"):
                self._servers.append(await asyncio.start_server(self._meet, host, port, backlog=BACKLOG))

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What was dialled is known before a byte is read: whoever only connects has been noticed.
        address, port = writer.get_extra_info("sockname")[:2]
        self.dialled[Dialled(address, port)] += 1
        with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await writer.start_tls(self._context)
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(REDIRECTION if head.startswith(b"POST /elsewhere") else OK)
                await writer.drain()
        writer.transport.abort()
