"""The producer of the fault harness: whatever its server does is an answer, and nobody waits for it in vain."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from faults.producer import NotPublishing, Producer
from faults.records import Aim

AIM = Aim(account_id=64, endpoint_id=64, path="/1")


@asynccontextmanager
async def resetting_server() -> AsyncIterator[str]:
    """A server that resets each connection as it accepts it."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_connections_that_are_reset_as_they_are_made_are_answers_like_others(tmp_path: Path) -> None:
    async with resetting_server() as url:
        producer = Producer(tmp_path, "key", [AIM], lambda: url, persistent=False)
        await producer.run(tasks=16, events=300)
    assert len(producer.answers) == 300
    assert {answer.answer for answer in producer.answers} <= {"fail", "unknown"}


async def test_whoever_waits_for_more_events_hears_that_there_will_be_none(tmp_path: Path) -> None:
    async with resetting_server() as url:
        producer = Producer(tmp_path, "key", [AIM], lambda: url, persistent=False)
        publishing = asyncio.create_task(producer.run(tasks=1, events=3))
        with pytest.raises(NotPublishing):
            await producer.accepted(1)
        await publishing
