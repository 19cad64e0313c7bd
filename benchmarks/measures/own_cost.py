"""What the benchmark itself costs: the load's client straight at the receiver, with nothing between."""

from __future__ import annotations

import time

from benchmarks.events import delivered_body
from benchmarks.measure import Figure, Measure, Round, Stage
from benchmarks.processes import cpu_seconds
from benchmarks.publishing import Publication, publisher_to
from benchmarks.receiving import ReceiverProcess, receiver_process
from benchmarks.reconciling import reconcile

CONNECTIONS = 64


async def of_receiver_and_client(stage: Stage) -> list[Round]:
    """Requests of one delivery's size a second, and the CPU time of both sides."""
    with receiver_process() as receiver:
        return [await _round(receiver, stage.scale.events) for _ in range(stage.scale.rounds)]


async def _round(receiver: ReceiverProcess, requests: int) -> Round:
    ids = [f"{number:036}" for number in range(requests)]
    publications = [Publication(_delivery(number, id), ("own",)) for number, id in enumerate(ids)]
    async with publisher_to(receiver.url, "none") as client:
        own_cpu, receiver_cpu = time.process_time(), cpu_seconds(receiver.pid)
        published = await client.publish_all(publications, CONNECTIONS)
        last_at = await receiver.reached(requests)
        own_cpu, receiver_cpu = time.process_time() - own_cpu, cpu_seconds(receiver.pid) - receiver_cpu
    reconcile([("own", id) for id in ids], receiver.take())
    return {
        "requests_per_second": requests / ((last_at - min(each.at for each in published)) / 1e9),
        "client_cpu_us": own_cpu / requests * 1e6,
        "receiver_cpu_us": receiver_cpu / requests * 1e6,
    }


def _delivery(number: int, id: str) -> bytes:
    body = delivered_body(number)
    return f"POST /own HTTP/1.1\r\nhost: x\r\nwebhook-id: {id}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


OWN_COST = Measure(
    name="own_cost",
    figures=(
        Figure("requests_per_second", "the benchmark's own client ÷ receiver, nothing between", "/s"),
        Figure("client_cpu_us", "CPU time of its client for a request", "µs"),
        Figure("receiver_cpu_us", "CPU time of its receiver for a request", "µs"),
    ),
    take=of_receiver_and_client,
)
