"""Hostile receivers of every kind at once: they get no more than their time, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import httpx
import msgspec

from faults.case import Case, Check, Plan, Verdict
from faults.checker import Records, latenesses, read_records
from faults.database import dump
from faults.farm import farm
from faults.hostile import attempts
from faults.hostile.attempts import Attempted, Expected, write_attempts
from faults.hostile.crowd import crowd_of
from faults.hostile.farm import HostileTarget, Seen, hostile_receivers
from faults.memory import most_resident_mb
from faults.producer import Producer
from faults.promise import as_checks, promised
from faults.records import percentile
from faults.settling import settled
from faults.system import System, system_on

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 4.0
SLOT_SECONDS = TOTAL_SECONDS + 0.5
KEPT_BYTES = 16_384
KEPT_HEADERS = 64
KEPT_HEADER_BYTES = 8_192
RISEN_MB = 50.0
HEALTHY_SECONDS = 1.0

# Every receiver is met twice in a round: what one leaves on a connection would be found by the next delivery.
PASSES = 2
HEALTHY = 4


async def run(plan: Plan) -> Verdict:
    """Publish to all of them, wave after wave, while healthy receivers get their events as ever."""
    settings = {
        "HOOKWRIGHT_TIMEOUT_SECONDS": str(TOTAL_SECONDS),
        "HOOKWRIGHT_CONNECT_TIMEOUT_SECONDS": str(CONNECT_SECONDS),
        "SSL_CERT_FILE": str(plan.folder / "authority.pem"),
    }
    with hostile_receivers() as hostile, farm(plan.folder) as healthy:
        (plan.folder / "authority.pem").write_bytes(hostile.authority_pem)
        async with system_on(plan, settings) as system:
            node = await system.start()
            aims = await system.subscribe(node, healthy.url, HEALTHY)
            producer = Producer(plan.folder, await system.key(), aims, lambda: node.url, pause=0.04)
            publishing = asyncio.create_task(producer.run(tasks=2))
            async with system.client(node.url) as client:
                expected, risen = await _meet_all(plan, system, client, hostile.targets, node.pid)
            producer.stop()
            await publishing
            await settled(system.database_url)
            rows = await write_attempts(system.database_url, plan.folder)
            await dump(system.database_url, plan.folder)
        seen = hostile.seen()
    return _judged(read_records(plan.folder), rows, expected, seen, risen)


async def _meet_all(
    plan: Plan, system: System, client: httpx.AsyncClient, targets: Sequence[HostileTarget], pid: int
) -> tuple[Mapping[int, Expected], float]:
    """What was expected of each endpoint, and by how many MB the server's memory rose with the first request on."""
    expected: dict[int, Expected] = {}
    before = 0.0
    for number in range(plan.rounds):
        crowd = await crowd_of(client, targets, plan.dice(f"order {number}"))
        expected |= crowd.expected
        before = before or most_resident_mb(pid)
        for _ in range(PASSES):
            await crowd.meet()
            await settled(system.database_url)
            await crowd.activate()
    return expected, most_resident_mb(pid) - before


def _judged(
    records: Records, rows: Sequence[Attempted], expected: Mapping[int, Expected], seen: Seen, risen: float
) -> Verdict:
    hostile = [row for row in rows if row.endpoint_id in expected]
    problems = {
        "attempts recorded as something else": attempts.misjudged(hostile, expected),
        "receivers not met once in each pass": attempts.miscounted(hostile, expected, PASSES),
        "answers of another request": attempts.stolen(hostile, expected),
    }
    checks, evidence = as_checks(problems)
    promise, promise_evidence = promised(_without(records, expected))
    measured = [
        Check("slot held at most", attempts.longest_seconds(hostile), SLOT_SECONDS, unit="s"),
        Check("memory risen by", risen, RISEN_MB, unit="MB"),
        Check("longest answer kept", attempts.longest_answer(hostile), KEPT_BYTES, unit="bytes"),
        Check("most headers kept", attempts.most_headers(hostile), KEPT_HEADERS),
        Check("longest headers kept", attempts.longest_headers(hostile), KEPT_HEADER_BYTES, unit="bytes"),
        Check("cookies sent back", seen.cookies),
        Check("redirects followed", seen.followed),
        Check("healthy receivers, p99", percentile(latenesses(records), 0.99), HEALTHY_SECONDS, unit="s"),
    ]
    done = {
        "receivers": len({each.name for each in expected.values()}),
        "attempts": len(hostile),
        "events to healthy receivers": len(records.answers),
    }
    return Verdict(done, [*checks, *measured, *promise], [*evidence, *promise_evidence])


def _without(records: Records, endpoints: Mapping[int, Expected]) -> Records:
    """The records of all other endpoints."""
    dump = records.dump
    deliveries = [delivery for delivery in dump.deliveries if delivery.endpoint_id not in endpoints]
    ids = {delivery.id for delivery in deliveries}
    others = msgspec.structs.replace(
        dump, deliveries=deliveries, attempts=[attempt for attempt in dump.attempts if attempt.delivery_id in ids]
    )
    return replace(records, dump=others)


RECEIVERS = Case(
    name="receivers",
    about=(
        "receivers that hang, drip, reset at every stage, speak bad TLS or bad HTTP, never end, send bombs,"
        " answer 100–599, or leave answers for the next request"
    ),
    run=run,
    short=1,
    long=100,  # each receiver is met twice in a round
    lasts_seconds=25,
    databases=("postgres", "sqlite"),
)
