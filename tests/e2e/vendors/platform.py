"""Who stands on the other side of an integration: the platform that publishes, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from standardwebhooks import Webhook

from hookwright.testing.receiver import Received

PATIENCE_SECONDS = 10


def client_at(url: str, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """An HTTP client. Without TLS there are no certificates to check, and loading them would take the longest."""
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, verify=False)


@dataclass(frozen=True)
class Platform:
    """Who publishes for an account and looks after its keys."""

    http: httpx.AsyncClient
    given: dict[str, Any]
    account_id: int
    site_id: str

    async def publish(self, event_type: str, data: dict[str, Any]) -> int:
        """Publish an event; how many endpoints it goes to."""
        body = {"type": event_type, "account": self.account_id, "data": data}
        headers = {"Authorization": f"Bearer {self.given['publish_key']}"}
        answer = await self.http.post("/api/v1/events", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["deliveries"])

    async def manage(self, method: str, path: str, **request: Any) -> Any:
        """Do something that takes the administrator's key; the answer's JSON."""
        headers = {"Authorization": f"Bearer {self.given['admin_key']}"}
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **request)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def new_key(self, kind: str, *scopes: str) -> dict[str, Any]:
        """A key of the account, as it is shown once."""
        key = {"kind": kind, "account": self.account_id, "name": "Integration", "scopes": list(scopes)}
        return dict(await self.manage("POST", "/keys", json=key))

    async def finished_deliveries(self, count: int) -> list[dict[str, Any]]:
        """The account's deliveries with their attempts, newest first, once all of this many are finished."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = (await self.manage("GET", f"/deliveries?account={self.account_id}&limit=100"))["data"]
                if len(found) == count and all(delivery["finished_at"] for delivery in found):
                    return [await self.manage("GET", f"/deliveries/{delivery['id']}") for delivery in found]

    async def verify(self, request: Received) -> None:
        """Raise when a request's signature is not that of the account."""
        secrets = await self.manage("GET", f"/accounts/{self.account_id}/signing-secrets")
        Webhook(secrets["signing_secrets"][0]).verify(request.body, request.headers)
