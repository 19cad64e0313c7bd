"""Whoever keeps changing endpoints while events are published for them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from faults.changed import CHANGES, Change, Kind
from faults.records import AIMS, Aim, Log, now
from faults.system import EVENT_TYPE

BETWEEN_CHANGES = (0.3, 1.2)
PAUSED_FOR = (1.5, 2.5)  # longer than the grace, so that there is something to see
MOST_ROTATIONS = 8  # of one endpoint: ten secrets may be live
REPLAYED = 0.5  # the share of the changes just before which a replay begins


class Diary:
    """Writes changes down, each before the next one of the same endpoint is asked for."""

    def __init__(self, folder: Path) -> None:
        self._log = Log(folder / CHANGES)
        self._aims = Log(folder / AIMS)
        self.counts: dict[str, int] = {}

    def note(self, asked_at: int, kind: Kind, place: Place, secret: str | None = None) -> None:
        change = Change(
            asked_at=asked_at,
            answered_at=now(),
            kind=kind,
            endpoint_id=place.endpoint_id,
            path=place.path,
            secret=secret,
        )
        self._log.write(change)
        if kind == "create":
            self._aims.write(place.aim)
        self.counts[kind] = self.counts.get(kind, 0) + 1


class Place:
    """An account that always has one endpoint: one that is deleted is followed by another, at a path of its own."""

    def __init__(
        self, client: httpx.AsyncClient, diary: Diary, farm_url: str, name: str, fields: Mapping[str, Any]
    ) -> None:
        self._client = client
        self._diary = diary
        self._farm_url = farm_url
        self._name = name
        self._fields = fields
        self._generations = count(1)
        self._rotations = 0
        self.account_id = 0
        self.endpoint_id = 0
        self.path = ""
        self.replays = 0

    @property
    def aim(self) -> Aim:
        """Its endpoint of now."""
        return Aim(self.account_id, self.endpoint_id, self.path)

    async def open(self) -> Aim:
        """The account, with its first endpoint."""
        account = await self._ask("POST", "/accounts", {"name": self._name})
        self.account_id = int(account["id"])
        await self._create()
        return self.aim

    async def change_now_and_then(self, turns: Iterator[int], dice: random.Random) -> None:
        """Change it again and again, until nobody has a turn left."""
        for _ in turns:
            await asyncio.sleep(dice.uniform(*BETWEEN_CHANGES))
            if dice.random() < REPLAYED:
                await self._replay()
            kind = dice.choice(("pause", "delete", "rotate"))
            if kind == "pause":
                await self._set_status("pause", "paused")
                await asyncio.sleep(dice.uniform(*PAUSED_FOR))
                await self._set_status("activate", "active")
            elif kind == "rotate" and self._rotations < MOST_ROTATIONS:
                await self._rotate()
            else:
                await self._delete()
                await self._create()

    async def replays_done(self) -> bool:
        """Whether none of its replays still runs."""
        page = await self._ask("GET", f"/replays?account={self.account_id}&limit=100")
        return all(replay["status"] != "running" for replay in page["data"])

    async def _create(self) -> None:
        path = f"/{self._name}-{next(self._generations)}"
        asked_at = now()
        content = {"account": self.account_id, "url": self._farm_url + path, "events": [EVENT_TYPE], **self._fields}
        endpoint = await self._ask("POST", "/endpoints", content)
        self.endpoint_id, self.path, self._rotations = int(endpoint["id"]), path, 0
        self._diary.note(asked_at, "create", self, endpoint["signing_secret"])

    async def _set_status(self, kind: Kind, status: str) -> None:
        asked_at = now()
        await self._ask("PATCH", self._own(), {"status": status})
        self._diary.note(asked_at, kind, self)

    async def _delete(self) -> None:
        asked_at = now()
        await self._ask("DELETE", self._own())
        self._diary.note(asked_at, "delete", self)

    async def _rotate(self) -> None:
        asked_at = now()
        self._rotations += 1
        key = await self._ask("POST", self._own("/signing-secrets/rotate"))
        self._diary.note(asked_at, "rotate", self, key["signing_secret"])

    async def _replay(self) -> None:
        statuses = ["delivered", "dead"]
        asked = {"account": self.account_id, "endpoint": self.endpoint_id, "statuses": statuses}
        await self._ask("POST", "/replays", asked)
        self.replays += 1

    def _own(self, more: str = "") -> str:
        return f"/endpoints/{self.endpoint_id}{more}?account={self.account_id}"

    async def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        answer = await self._client.request(method, path, json=content)
        return answer.raise_for_status().json() if answer.status_code != 204 else None
