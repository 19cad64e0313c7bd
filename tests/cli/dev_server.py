"""An account of its own for each test on the one `hookwright dev` that the tests of its clients share."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

CONTACT = {"id": 1, "email": "ada@example.com"}


class Dev(NamedTuple):
    """A running server, a client with its admin key, and the test's account."""

    given: dict[str, Any]
    client: httpx.AsyncClient
    account: str

    @property
    def environ(self) -> dict[str, str]:
        return {"HOOKWRIGHT_URL": self.given["url"], "HOOKWRIGHT_KEY": self.given["admin_key"]}

    async def publish(self, type: str = "contact.created") -> str:
        """Publish an event for the account's one endpoint; its id."""
        accepted = await self.post("/events", type=type, data={"contact": CONTACT})
        assert accepted["deliveries"] == 1
        return str(accepted["event_id"])

    async def attempted(self, event_id: str) -> dict[str, Any]:
        """The event's delivery, as soon as an attempt of it is recorded."""
        while True:
            [delivery] = (await self.get("/deliveries", event=event_id))["data"]
            if delivery["status"] != "in_flight":
                return dict(delivery)

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.client.get(path, params={"account": self.account, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: object) -> Any:
        answer = await self.client.post(path, json={"account": int(self.account), **body})
        assert answer.is_success, answer.text
        return answer.json()

    async def delete_endpoint(self, endpoint_id: int) -> None:
        answer = await self.client.delete(f"/endpoints/{endpoint_id}", params={"account": self.account})
        assert answer.status_code == 204, answer.text
