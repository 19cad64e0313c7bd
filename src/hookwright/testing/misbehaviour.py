"""What bad receivers do: handlers for `Receiver.behave`, each for one connection."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

PACE_SECONDS = 0.01
_HEAD = b"HTTP/1.1 200 OK\r\n"


async def read_request(reader: StreamReader) -> None:
    """Read one request to the end of its body: where most handlers begin."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))


async def hang(reader: StreamReader, writer: StreamWriter) -> None:
    """Read everything, answer nothing."""
    while await reader.read(65_536):
        pass


async def drip_head(reader: StreamReader, writer: StreamWriter) -> None:
    """Send one header after another, a byte at a time, for ever."""
    await read_request(reader)
    await _write_slowly(writer, _HEAD + b"x-more: " + b"x" * 20_000)


async def drip_body(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer 200 at once and send the body a byte at a time, for ever."""
    await read_request(reader)
    writer.write(_HEAD + b"content-length: 20000\r\n\r\n")
    await _write_slowly(writer, b"x" * 20_000)


async def endless_body(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer 200 with a body that never ends, as fast as it is taken."""
    await read_request(reader)
    writer.write(_HEAD + b"transfer-encoding: chunked\r\n\r\n")
    async for _ in _until_cut(writer):
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


async def endless_chunk_extensions(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer 200 with next to no body in more and more framing."""
    await read_request(reader)
    writer.write(_HEAD + b"transfer-encoding: chunked\r\n\r\n")
    async for _ in _until_cut(writer):
        writer.write(b"1;" + b"x" * 16_384 + b"\r\nx\r\n")


async def endless_header(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer with one header that never ends."""
    await read_request(reader)
    writer.write(_HEAD + b"x-endless: ")
    async for _ in _until_cut(writer):
        writer.write(b"x" * 4096)


async def many_headers(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer with 1,000 short headers."""
    await read_request(reader)
    writer.write(_HEAD + b"x: y\r\n" * 1000 + b"content-length: 0\r\n\r\n")
    await writer.drain()


async def endless_informational(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer 103 again and again."""
    await read_request(reader)
    async for _ in _until_cut(writer):
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")


async def switch_protocols(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer 101, as if a WebSocket had been asked for."""
    await read_request(reader)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
    await hang(reader, writer)


async def garbage(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer with what is no HTTP."""
    await read_request(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await hang(reader, writer)


async def close_unanswered(reader: StreamReader, writer: StreamWriter) -> None:
    """Read the request and close."""
    await read_request(reader)


async def close_early(reader: StreamReader, writer: StreamWriter) -> None:
    """Announce 100 bytes, send 10, close."""
    await read_request(reader)
    writer.write(_HEAD + b"content-length: 100\r\n\r\n" + b"x" * 10)
    writer.close()
    await writer.wait_closed()


async def reset(reader: StreamReader, writer: StreamWriter) -> None:
    """Send half an answer, then a TCP reset."""
    await read_request(reader)
    writer.write(_HEAD)
    await writer.drain()
    # A socket that closes without lingering sends RST in place of FIN.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _write_slowly(writer: StreamWriter, data: bytes) -> None:
    position = 0
    async for _ in _until_cut(writer):
        if position == len(data):
            return
        writer.write(data[position : position + 1])
        position += 1
        await asyncio.sleep(PACE_SECONDS)


async def _until_cut(writer: StreamWriter) -> AsyncIterator[None]:
    """Once more, as long as the sender takes what is written."""
    while not writer.is_closing():
        yield
        await writer.drain()
        # `drain` returns at once while there is room, and what tells of the cut runs only when the loop does: over
        # TLS, whose room comes back with every write, nothing else would ever run again.
        await asyncio.sleep(0)
