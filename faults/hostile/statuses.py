"""A receiver that answers with the status that its path names."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter

from faults.hostile.asking import read_asked

STATUSES = range(100, 600)
TRAP = "/trap"  # where every redirect leads; nobody may ever ask for it


def comes_to(status: int) -> frozenset[str]:
    """What an attempt is recorded as: a 1xx alone is no answer, and 101 is one to a question that nobody asked."""
    if status == 101:
        return frozenset({"bad_answer"})
    return frozenset({"reset" if status < 200 else str(status)})


async def answer_as_the_path_says(reader: StreamReader, writer: StreamWriter) -> None:
    """`/204` is answered with 204; every answer names another place to go to. A 1xx is all that is said."""
    while not writer.is_closing():
        status = int((await read_asked(reader)).path.strip("/"))
        bare = status < 200 or status in (204, 304)
        head = f"HTTP/1.1 {status} As asked\r\nlocation: {TRAP}\r\n" + ("" if bare else "content-length: 0\r\n")
        writer.write(head.encode() + b"\r\n")
        await writer.drain()
        if status < 200:
            return
