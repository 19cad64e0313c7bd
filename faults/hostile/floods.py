"""Receivers that never stop sending, and small answers that unpack to huge ones."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from asyncio import StreamReader, StreamWriter
from base64 import b64decode
from collections.abc import Callable
from functools import cache

from faults.hostile.hostility import Handler, Hostility
from hookwright.testing import misbehaviour
from hookwright.testing.misbehaviour import read_request

OK = b"HTTP/1.1 200 OK\r\n"
TEN_GB = 10 * 1024**3

# 1 GiB of zeros as `brotli` packs them, packed once more: Python's standard library has no brotli.
_PACKED_BROTLI = (
    "eNo7//9/PYMKw6ONDkXv///8/5+/gcVBRqzh3V/7////M05g6DjMdGHv/+f//9szCDEURjDs+v7/z///7A5MCnzcDt//zQeqYvBgOJLI+OLe"
    "/8///8szcDZY6DDc/V3/7/9/ZgVGgXbWBdX/z0Mt2cBQMmrJqCVD0RJ7APFnrt4="
)


def endless(head: bytes, piece: bytes) -> Handler:
    """Reads the request and writes this head, then the piece again and again, as fast as it is taken."""

    async def pour(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # `drain` lets nobody else run while there is room

    return pour


@cache
def gzip_bomb() -> bytes:
    """1 GiB of zeros in a megabyte."""
    mib = bytes(1024**2)
    packer = zlib.compressobj(9, wbits=-15)
    # After a full flush nothing refers back, so the same bytes stand for every further mebibyte.
    piece = packer.compress(mib) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(1024):
        checksum = zlib.crc32(mib, checksum)
    ending = packer.flush() + checksum.to_bytes(4, "little") + (1024**3).to_bytes(4, "little")
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + piece * 1024 + ending


@cache
def gzip_bomb_in_gzip() -> bytes:
    """The same, packed once more: a megabyte that repeats itself is a few kilobytes."""
    return gzip.compress(gzip_bomb(), 9)


@cache
def brotli_bomb() -> bytes:
    """1 GiB of zeros in 809 bytes."""
    return zlib.decompress(b64decode(_PACKED_BROTLI))


@cache
def zstd_bomb() -> bytes:
    """2 GB of zeros in 64 KB: blocks that say "this byte, 128 KiB of them" (RFC 8878 §3.1.1.2)."""
    window_of_128_kib = b"\x38"
    run = (1 << 1 | 131_072 << 3).to_bytes(3, "little") + b"\0"
    last_run = (1 | 1 << 1 | 131_072 << 3).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00" + window_of_128_kib + run * 16_000 + last_run


def prepare_bombs() -> None:
    """Make them all: whoever asks for the first one would keep everybody else waiting."""
    for make in (gzip_bomb, gzip_bomb_in_gzip, brotli_bomb, zstd_bomb):
        make()


def exploding(encoding: str, packed: Callable[[], bytes]) -> Handler:
    """Reads the request and gives a body that unpacks to a gibibyte or more."""

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        body = packed()
        head = f"content-encoding: {encoding}\r\ncontent-length: {len(body)}\r\n\r\n"
        while not writer.is_closing():
            await read_request(reader)
            writer.write(OK + head.encode() + body)
            await writer.drain()

    return answer


def _flood(name: str, handler: Handler, *comes_to: str) -> Hostility:
    return Hostility(name=name, handler=handler, comes_to=frozenset(comes_to))


_PIECE = b"x" * 65_536
_CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

# A whole head is an answer: its status counts, and the connection is closed.
FLOODS: tuple[Hostility, ...] = (
    _flood("endless_informational", misbehaviour.endless_informational, "bad_answer"),
    _flood("endless_header", misbehaviour.endless_header, "bad_answer"),
    _flood("endless_headers", endless(OK, b"x: y\r\n" * 1_000), "bad_answer"),
    _flood("endless_status_line", endless(b"HTTP/1.1 200 ", _PIECE), "bad_answer"),
    _flood("body_of_10_gb", endless(OK + f"content-length: {TEN_GB}\r\n\r\n".encode(), _PIECE), "200"),
    _flood("endless_body", endless(OK + b"\r\n", _PIECE), "200"),
    _flood("endless_chunks", misbehaviour.endless_body, "200"),
    _flood("endless_small_chunks", endless(_CHUNKED, b"1\r\nx\r\n" * 10_000), "200"),
    _flood("endless_chunk_extensions", misbehaviour.endless_chunk_extensions, "200"),
    _flood("endless_chunk_extension", endless(_CHUNKED + b"1;", _PIECE), "200"),
    _flood("endless_trailers", endless(_CHUNKED + b"0\r\n", b"x: y\r\n" * 1_000), "200"),
    _flood("gzip_bomb", exploding("gzip", gzip_bomb), "200"),
    _flood("gzip_bomb_in_gzip", exploding("gzip, gzip", gzip_bomb_in_gzip), "200"),
    _flood("brotli_bomb", exploding("br", brotli_bomb), "200"),
    _flood("zstd_bomb", exploding("zstd", zstd_bomb), "200"),
)
