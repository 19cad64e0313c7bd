"""How long a person waits: for `hookwright --help`, and for the first delivery of `hookwright dev`."""

from __future__ import annotations

import asyncio
import json
import os
import time

from benchmarks.events import EVENT_TYPE
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.publishing import Aim, Published, publisher_to
from benchmarks.receiving import ReceiverProcess, receiver_process
from benchmarks.reconciling import reconcile
from benchmarks.server import COMMAND, DidNotStart, without_settings


async def to_first_delivery(stage: Stage) -> list[Round]:
    """`hookwright dev`, an endpoint, an event: from the start of the process to the receiver."""
    with receiver_process() as receiver:
        return [await _first_delivery(receiver) for _ in range(stage.scale.rounds)]


async def to_help(stage: Stage) -> list[Round]:
    """`hookwright --help`, from start to end."""
    return [await _help() for _ in range(stage.scale.rounds)]


async def _first_delivery(receiver: ReceiverProcess) -> Round:
    began_at = time.monotonic_ns()
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "dev", "--json", "--port", "0"), env=without_settings(os.environ), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise DidNotStart("hookwright dev ended before it was ready")
        ready_at = time.monotonic_ns()
        arrived_at = await _deliver_one(json.loads(line), receiver)
    finally:
        process.terminate()
        await process.wait()
    return {"ready_seconds": (ready_at - began_at) / 1e9, "delivered_seconds": (arrived_at - began_at) / 1e9}


async def _deliver_one(dev: dict[str, str], receiver: ReceiverProcess) -> int:
    async with publisher_to(dev["url"], dev["admin_key"]) as publisher:
        aim = Aim(int(dev["account_id"]), "first")
        endpoint = {"account": aim.account_id, "url": f"{receiver.url}/{aim.path}", "events": [EVENT_TYPE]}
        await publisher.post("/api/v1/endpoints", endpoint)
        (published,) = await publisher.publish_all([publisher.requests.single(0, aim)], 1)
        arrived_at = await receiver.reached(1)
        reconcile(Published.expected(published), receiver.take())
        return arrived_at


async def _help() -> Round:
    began_at = time.monotonic_ns()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--help", env=without_settings(os.environ), stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise DidNotStart("hookwright --help failed")
    return {"help_seconds": (time.monotonic_ns() - began_at) / 1e9}


START = Measure(
    name="start",
    figures=(
        Figure("delivered_seconds", "`hookwright dev` to its first delivery", "s", Reach("at most", 1)),
        Figure("ready_seconds", "until it listens", "s"),
    ),
    take=to_first_delivery,
)
HELP = Measure(
    name="help",
    figures=(Figure("help_seconds", "`hookwright --help`", "s", Reach("at most", 0.2)),),
    take=to_help,
)
