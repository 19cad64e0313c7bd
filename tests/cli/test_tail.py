"""`hookwright tail`: each attempt once, as it is made, from any server."""

import json
import signal
from pathlib import Path
from typing import Any

from cli.dev_server import Dev
from hookwright.testing.receiver import Receiver
from processes import Running, hookwright


async def record(tail: Running) -> dict[str, Any]:
    return dict(json.loads(await tail.line()))


async def begun(tail: Running) -> None:
    """Wait until what is made from now on is told."""
    async for line in tail.error_lines():
        if line.startswith("following"):
            return
    raise AssertionError(tail.errors)


async def test_each_attempt_is_told_once_also_those_of_retries_and_replays(dev: Dev, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        await dev.post("/endpoints", url=receiver.url, events=["*"], retry_schedule=[0, 1])
        await dev.publish()  # before the beginning: not told
        await receiver.wait_for(1)
        arguments = ("tail", "--account", dev.account, "--json")
        async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as tail:
            await begun(tail)
            receiver.fail_next(1)
            await dev.publish()
            first, second = await record(tail), await record(tail)
            await dev.client.post(f"/deliveries/{first['delivery']}/replay")
            third = await record(tail)
            assert await tail.stop() == 0
    assert {each["delivery"] for each in (first, second, third)} == {first["delivery"]}
    told = [(each["attempt"], each["status_code"]) for each in (first, second, third)]
    assert told == [(1, 500), (2, 200), (3, 200)]


async def test_only_what_is_asked_for_is_told(dev: Dev, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        await dev.post("/endpoints", url=receiver.url, events=["*"])
        arguments = ("tail", "--account", dev.account, "--status", "failed", "--type", "contact.created")
        async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as tail:
            await begun(tail)
            await dev.publish()
            await receiver.wait_for(1)
            receiver.answer(500)
            await dev.publish("contact.activated")
            await receiver.wait_for(2)
            await dev.publish()
            line = await tail.line()
            assert " hookwright contact.created → endpoint " in line
            assert ": 500 in " in line
            assert await tail.stop(signal.SIGINT) == 0


async def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    environ = {"HOOKWRIGHT_URL": "http://127.0.0.1:9", "HOOKWRIGHT_KEY": "hw_1_x"}
    async with hookwright("tail", environ=environ, folder=tmp_path) as tail:
        assert await tail.end() == (3, "")
    assert tail.errors[0].startswith("hookwright: http://127.0.0.1:9 does not answer: ")
