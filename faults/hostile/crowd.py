"""An account whose endpoints are the hostile receivers, each once: subscribed in waves, published to wave by wave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import httpx

from faults.hostile.attempts import Expected
from faults.hostile.farm import HostileTarget

IN_A_WAVE = 50
BETWEEN_WAVES = 0.1
CLIENTS = 8
EVENT_TYPE = "contact.tag_added"

# A receiver that answers so ends its endpoint (`core.lifecycle`): to meet it again, somebody has to activate it.
GONE = "status_410"


class Crowd:
    """An account with an endpoint for each hostile receiver."""

    def __init__(self, client: httpx.AsyncClient, account_id: int, waves: int) -> None:
        self._client = client
        self._account_id = account_id
        self._waves = waves
        self.expected: dict[int, Expected] = {}

    async def meet(self) -> None:
        """Publish to every receiver, one wave soon after the other."""
        for wave in range(self._waves):
            await self._post("/events", {"type": EVENT_TYPE, "data": _data(wave)})
            await asyncio.sleep(BETWEEN_WAVES)

    async def activate(self) -> None:
        """Activate what an answer has ended."""
        for endpoint_id, expected in self.expected.items():
            if expected.name == GONE:
                path = f"/endpoints/{endpoint_id}?account={self._account_id}"
                (await self._client.patch(path, json={"status": "active"})).raise_for_status()

    async def subscribe(self, target: HostileTarget, wave: int) -> None:
        """An endpoint that is sent to once, with no retry, by each event of its wave."""
        events = [{"event": EVENT_TYPE, "resource": str(_tag(wave))}]
        endpoint = await self._post("/endpoints", {"url": target.url, "events": events, "retry_schedule": [0]})
        self.expected[int(endpoint["id"])] = Expected(target.name, target.comes_to, target.echoes)

    async def _post(self, path: str, content: dict[str, Any]) -> Any:
        answer = await self._client.post(path, json={"account": self._account_id, **content})
        return answer.raise_for_status().json()


async def crowd_of(client: httpx.AsyncClient, targets: Sequence[HostileTarget], dice: random.Random) -> Crowd:
    """A new account with an endpoint for each target, in an order that the dice give."""
    account = (await client.post("/accounts", json={"name": "hostile"})).raise_for_status().json()
    crowd = Crowd(client, int(account["id"]), -(-len(targets) // IN_A_WAVE))
    places = enumerate(dice.sample(targets, len(targets)))

    async def subscribe_some() -> None:
        for place, target in places:
            await crowd.subscribe(target, place // IN_A_WAVE)

    await asyncio.gather(*(subscribe_some() for _ in range(CLIENTS)))
    return crowd


def _tag(wave: int) -> int:
    return wave + 1


def _data(wave: int) -> dict[str, Any]:
    return {
        "contact": {"id": 1, "email": "ada@example.com", "first_name": "Ada"},
        "tag": {"id": _tag(wave), "name": "VIP"},
    }
