"""`hookwright tail`: each attempt once, as it is made, from any server."""

import json
import signal
from pathlib import Path
from typing import Any

import httpx

from hookwright.testing.receiver import Receiver
from processes import Running, hookwright

DEV = ("dev", "--json", "--port", "0")
CONTACT = {"id": 1, "email": "ada@example.com"}


class Server:
    """What a test has a running server do."""

    def __init__(self, given: dict[str, Any], client: httpx.AsyncClient) -> None:
        self.environ = {"HOOKWRIGHT_URL": given["url"], "HOOKWRIGHT_KEY": given["admin_key"]}
        self.account = str(given["account_id"])
        self._client = client

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        answer = await self._client.post(f"/api/v1{path}", json={"account": int(self.account), **body})
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def publish(self, type: str = "contact.created") -> None:
        await self.post("/events", type=type, data={"contact": CONTACT})


async def record(tail: Running) -> dict[str, Any]:
    return dict(json.loads(await tail.line()))


async def begun(tail: Running) -> None:
    """Wait until what is made from now on is told."""
    async for line in tail.error_lines():
        if line.startswith("following"):
            return
    raise AssertionError(tail.errors)


async def test_each_attempt_is_told_once_also_those_of_retries_and_replays(tmp_path: Path) -> None:
    environ = {"HOOKWRIGHT_RETRY_SCHEDULE": "0,1"}
    async with Receiver() as receiver, hookwright(*DEV, environ=environ, folder=tmp_path) as dev:
        given = json.loads(await dev.line())
        headers = {"Authorization": f"Bearer {given['admin_key']}"}
        async with httpx.AsyncClient(base_url=given["url"], headers=headers, trust_env=False) as client:
            server = Server(given, client)
            await server.post("/endpoints", url=receiver.url, events=["*"])
            await server.publish()  # before the beginning: not told
            await receiver.wait_for(1)
            arguments = ("tail", "--account", server.account, "--json")
            async with hookwright(*arguments, environ=server.environ, folder=tmp_path) as tail:
                await begun(tail)
                receiver.fail_next(1)
                await server.publish()
                first, second = await record(tail), await record(tail)
                await client.post(f"/api/v1/deliveries/{first['delivery']}/replay")
                third = await record(tail)
                assert await tail.stop() == 0
    assert {each["delivery"] for each in (first, second, third)} == {first["delivery"]}
    told = [(each["attempt"], each["status_code"]) for each in (first, second, third)]
    assert told == [(1, 500), (2, 200), (3, 200)]


async def test_only_what_is_asked_for_is_told(tmp_path: Path) -> None:
    async with Receiver() as receiver, hookwright(*DEV, environ={}, folder=tmp_path) as dev:
        given = json.loads(await dev.line())
        headers = {"Authorization": f"Bearer {given['admin_key']}"}
        async with httpx.AsyncClient(base_url=given["url"], headers=headers, trust_env=False) as client:
            server = Server(given, client)
            await server.post("/endpoints", url=receiver.url, events=["*"])
            arguments = ("tail", "--account", server.account, "--status", "failed", "--type", "contact.created")
            async with hookwright(*arguments, environ=server.environ, folder=tmp_path) as tail:
                await begun(tail)
                await server.publish()
                await receiver.wait_for(1)
                receiver.answer(500)
                await server.publish("contact.activated")
                await receiver.wait_for(2)
                await server.publish()
                line = await tail.line()
                assert " hookwright contact.created → endpoint " in line
                assert ": 500 in " in line
                assert await tail.stop(signal.SIGINT) == 0


async def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    environ = {"HOOKWRIGHT_URL": "http://127.0.0.1:9", "HOOKWRIGHT_KEY": "hw_1_x"}
    async with hookwright("tail", environ=environ, folder=tmp_path) as tail:
        assert await tail.end() == (1, "")
    assert tail.errors[0].startswith("hookwright: http://127.0.0.1:9 does not answer: ")
