"""A listener on several nodes: whoever sends is neither who the listener asks nor who takes its answer."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.conftest import Environ
from e2e.test_processes import several
from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.operations.accounts import create_account
from hookwright.operations.keys import create_key


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_one_node_sends_another_hands_out_and_a_third_takes_the_answer(
    environ: Environ, tmp_path: Path
) -> None:
    async with open_services(load_settings(environ)) as services:
        account = (await create_account(services, "Ada")).account
        key = await create_key(services, "hookwright", account.id, "Ada", ["publish", "manage"])
    headers = {"Authorization": f"Bearer {key.secret}"}
    async with (
        several(environ, tmp_path, "--role", "worker") as worker,
        several(environ, tmp_path, "--role", "api") as one,
        several(environ, tmp_path, "--role", "api") as other,
        httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as client,
    ):

        async def ask(url: str, path: str, body: dict[str, Any]) -> Any:
            answer = await client.post(f"{url}/api/v1{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None

        listener = (await ask(one.url, "/listeners", {"events": ["contact.created"]}))["id"]
        fetch = f"/listeners/{listener}/requests/fetch"
        assert (await ask(one.url, fetch, {}))["data"] == []
        data = {"contact": {"id": 1, "email": "ada@example.com"}}
        event = await ask(other.url, "/events", {"type": "contact.created", "account": account.id, "data": data})
        [request] = (await ask(one.url, fetch, {"wait_seconds": 20}))["data"]
        answer = f"/listeners/{listener}/requests/{request['id']}/answer"
        await ask(other.url, answer, {"status_code": 201, "body": "b2s="})
        while True:
            listed = await client.get(f"{one.url}/api/v1/deliveries", params={"event": event["event_id"]})
            [delivery] = listed.json()["data"]
            if delivery["status"] != "in_flight":
                break
        assert (delivery["status"], delivery["last_status_code"]) == ("delivered", 201)
        assert [await each.stop() for each in (worker, one, other)] == [0, 0, 0]
