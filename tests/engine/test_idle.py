"""Connections that wait: what is taken, or was lost, leaves nothing behind."""

import asyncio

from hookwright.engine.connection import Connection, Origin
from hookwright.engine.idle import IdleConnections
from hookwright.engine.limits import SendLimits


async def test_an_origin_whose_last_connection_was_taken_is_not_remembered() -> None:
    limits = SendLimits()
    idle = IdleConnections(limits)
    for number in range(3):
        origin = Origin("https", f"receiver-{number}.example.com", 443)
        lost = Connection(origin, limits, asyncio.get_running_loop(), idle.forget)  # it leads nowhere any more
        idle.put(lost)
        assert idle.take(origin) is None
    assert (len(idle), idle._by_origin) == (0, {})
