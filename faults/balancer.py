"""A load balancer as customers have one: asks each node whether it is ready, and sends to those that are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from faults.system import Node

LOOK_SECONDS = 0.2


class Balancer:
    """Hands out the nodes that were ready when last asked, in turn."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._ready: list[Node] = []
        self._turn = 0

    def add(self, node: Node) -> None:
        """Ask this node too; it is sent to from when it has said that it is ready."""
        self._nodes.append(node)

    def remove(self, node: Node) -> None:
        """Send nothing to this node any more."""
        self._nodes.remove(node)
        self._ready = [each for each in self._ready if each is not node]

    def address(self) -> str:
        """Where to send the next request."""
        among = self._ready or self._nodes
        self._turn += 1
        return among[self._turn % len(among)].url

    async def found(self, node: Node) -> None:
        """Returns when a node is sent to."""
        while node not in self._ready:  # noqa: ASYNC110 - it is asked in a rhythm, as by any balancer
            await asyncio.sleep(LOOK_SECONDS / 4)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Ask the nodes again and again as long as the block lasts."""
        async with httpx.AsyncClient(timeout=1, trust_env=False) as client:
            asking = asyncio.create_task(self._go_on_asking(client))
            try:
                yield
            finally:
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking

    async def _go_on_asking(self, client: httpx.AsyncClient) -> None:
        while True:
            nodes = list(self._nodes)
            answers = await asyncio.gather(*(_is_ready(client, node) for node in nodes))
            ready = [node for node, is_ready in zip(nodes, answers, strict=True) if is_ready]
            self._ready = [node for node in ready if node in self._nodes]  # one may have been removed meanwhile
            await asyncio.sleep(LOOK_SECONDS)


async def _is_ready(client: httpx.AsyncClient, node: Node) -> bool:
    try:
        return (await client.get(f"{node.url}/readyz")).status_code == 200
    except httpx.TransportError:
        return False
