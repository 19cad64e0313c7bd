"""Forwarding to a server on this machine: its answer counts as it would if Hookwright had sent the request itself."""

import asyncio

import pytest

from hookwright.cli.forwarding import Request, answer_to_give, forward
from hookwright.testing.misbehaviour import read_request
from hookwright.testing.receiver import Receiver

CLOSED_EARLY = "the connection was closed before the end of the answer"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n"


async def forwarded_to(answer: bytes) -> dict[str, object]:
    """What goes back when the server gives this answer and closes."""

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    async with Receiver() as receiver:
        receiver.behave(answer_once)
        return answer_to_give(await asyncio.to_thread(forward, Request(1, {}, b"{}"), receiver.url))


@pytest.mark.parametrize("status", [200, 410, 429])
@pytest.mark.parametrize(("rest", "detail"), [(CHUNKED, CLOSED_EARLY), (CHUNKED + b"0\r\n\r\n", None)])
async def test_an_answer_that_breaks_off_after_its_head_counts_by_its_status(
    status: int, rest: bytes, detail: str | None
) -> None:
    given = await forwarded_to(b"HTTP/1.1 %d So\r\nretry-after: 7\r\n%b" % (status, rest))
    assert (given["status_code"], given["error"], given["detail"]) == (status, None, detail)
    assert (given["body"], given["retry_after"]) == ("b2s=", "7")


async def test_a_head_that_breaks_off_is_no_answer() -> None:
    given = await forwarded_to(b"")
    assert (given["status_code"], given["error"]) == (None, "reset")
