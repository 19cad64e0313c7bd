"""The bare sender: our own HTTP client, the same bodies, headers and signatures, and nothing else.

It is what end to end is compared with. It runs in a process of its own, with as many requests in flight as the
server's default; bodies and ids are made before the clock runs.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import uvloop

from benchmarks.events import delivered_body
from benchmarks.receiving import ReceiverProcess
from benchmarks.reconciling import reconcile
from hookwright.ambient import AnchoredClock, new_event_id, new_signing_key
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import SECOND
from hookwright.core.signing import signed_headers
from hookwright.dialects.base import USER_AGENT
from hookwright.engine.dialling import verifying_context
from hookwright.engine.sender import Sender

IN_FLIGHT = 256


class Job(NamedTuple):
    """So many requests, to each of the URLs in turn; before them some that open connections and do not count."""

    urls: list[str]
    requests: int
    warm_up: int
    authority_file: Path | None = None  # a file with the authority of the receivers' certificates


class Sent(NamedTuple):
    """What was sent: when the first request that counts began (ns), CPU seconds since, and every path with its id."""

    began_at: int
    cpu_seconds: float
    sent: list[tuple[str, str]]


class Message(NamedTuple):
    url: str
    id: str
    body: bytes


async def bare_rate(receiver: ReceiverProcess, job: Job) -> dict[str, float]:
    """Requests a second and the client's CPU time for each. Raises Unreconciled."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        sent = await asyncio.get_running_loop().run_in_executor(process, send_all, job)
    last_at = await receiver.reached(job.warm_up + job.requests)
    reconcile(sent.sent, receiver.take())
    return {
        "bare_per_second": job.requests / ((last_at - sent.began_at) / 1e9),
        "bare_cpu_us": sent.cpu_seconds / job.requests * 1e6,
    }


def send_all(job: Job) -> Sent:
    """Send everything, and return when all of it is answered."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send_all(job))


async def _send_all(job: Job) -> Sent:
    clock = AnchoredClock()
    sender = Sender(clock, TargetPolicy(allow_private=True), ssl_context=_trusting(job.authority_file))
    messages = list(_messages(job, clock))
    await _send_each(sender, clock, messages[: job.warm_up])
    began_at, cpu = time.monotonic_ns(), time.process_time()
    await _send_each(sender, clock, messages[job.warm_up :])
    cpu = time.process_time() - cpu
    await sender.close()
    return Sent(began_at, cpu, [(urlsplit(each.url).path.removeprefix("/"), each.id) for each in messages])


async def _send_each(sender: Sender, clock: AnchoredClock, messages: list[Message]) -> None:
    waiting = iter(messages)
    keys = (new_signing_key(),)

    async def send_some() -> None:
        for message in waiting:
            headers = {
                "content-type": "application/json",
                "user-agent": USER_AGENT,
                **signed_headers(keys, message.id, clock.now() // SECOND, message.body),
            }
            outcome = await sender.send(message.url, headers, message.body)
            assert outcome.status_code == 200, outcome

    await asyncio.gather(*(send_some() for _ in range(IN_FLIGHT)))


def _messages(job: Job, clock: AnchoredClock) -> Iterator[Message]:
    for number in range(job.warm_up + job.requests):
        yield Message(job.urls[number % len(job.urls)], new_event_id(clock.now(), 0), delivered_body(number))


def _trusting(authority_file: Path | None) -> ssl.SSLContext | None:
    if authority_file is None:
        return None
    context = verifying_context()
    context.load_verify_locations(authority_file)
    return context
