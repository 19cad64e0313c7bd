"""One tenant floods and a hundred of its receivers hang: what the others publish goes out as ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from faults.case import Case, Check, Plan, Verdict
from faults.farm import farm
from faults.flooding import ASKED, Asked, QuietTenants, flood_beside, flooder_on, hanging_receiver, waits
from faults.records import RECEIVER, Arrival, percentile, read
from faults.system import system_on

FLOODED = "/flood"
QUIET_TENANTS = 199
HANGING = 100
EVENTS = 100_000
QUIET_PER_SECOND = 40.0
WARM_UP_SECONDS = 3.0
QUIET_SECONDS = 20.0
FLOOD_SECONDS = 60.0  # no longer than this, though fewer events be accepted by then
LAST_SECONDS = 5.0  # for what was published at the end to arrive

MOST_RATIO = 2.0
MOST_SECONDS = 1.0


async def run(plan: Plan) -> Verdict:
    """The same tenants at the same rate, first by themselves and then beside the flood, once for each round."""
    accepted = 0
    flooded = plan.folder / "flooded"
    flooded.mkdir()
    # Receivers of their own: those of the others are not to wait behind the flood in one process that plays both.
    with farm(plan.folder) as receivers, farm(flooded) as flooded_receivers:
        async with hanging_receiver() as hanging, system_on(plan) as system:
            node = await system.start()
            aims = await system.subscribe(node, receivers.url, QUIET_TENANTS)
            async with system.client(node.url) as client:
                tenants = QuietTenants(client, plan.folder, aims, QUIET_PER_SECOND, plan.dice("tenants"))
                await tenants.warm_up(WARM_UP_SECONDS)
                for _ in range(plan.rounds):
                    flooder = await flooder_on(client, system.database_url)
                    await flooder.subscribe(flooded_receivers.url + FLOODED, hanging, HANGING)
                    await tenants.publish("quiet", asyncio.sleep(QUIET_SECONDS))
                    flood = flooder.plan(EVENTS, FLOOD_SECONDS)
                    accepted += await tenants.publish("flood", flood_beside(flood))
                await asyncio.sleep(LAST_SECONDS)
    sent = sum(arrival.path == FLOODED for arrival in read(flooded / RECEIVER, Arrival))
    return _judged(plan, read(plan.folder / RECEIVER, Arrival), read(plan.folder / ASKED, Asked), accepted, sent)


def _judged(plan: Plan, arrivals: Sequence[Arrival], asked: Sequence[Asked], accepted: int, sent: int) -> Verdict:
    alone = waits([each for each in asked if each.part == "quiet"], arrivals)
    flooded = waits([each for each in asked if each.part == "flood"], arrivals)
    alone_p99, flooded_p99 = percentile(alone, 0.99), percentile(flooded, 0.99)
    checks = [
        Check("others' p99 in the flood, as a multiple of quiet", flooded_p99 / alone_p99, MOST_RATIO),
        Check("others' p99 in the flood", flooded_p99, MOST_SECONDS, unit="s"),
        Check("others' events that did not arrive", (alone + flooded).count(float("inf"))),
    ]
    done = {
        "events of the flood": accepted,
        "of them sent by the end": sent,
        "events of the others, quiet": len(alone),
        "events of the others, in the flood": len(flooded),
        "quiet p99, ms": round(alone_p99 * 1000, 1),
        "quiet p50, ms": round(percentile(alone, 0.5) * 1000, 1),
        "flood p50, ms": round(percentile(flooded, 0.5) * 1000, 1),
    }
    return Verdict(done, checks, notes=_notes(plan, accepted))


def _notes(plan: Plan, accepted: int) -> list[str]:
    if accepted >= plan.rounds * EVENTS:
        return []
    return [f"this machine took {accepted:,} of {plan.rounds * EVENTS:,} events in {FLOOD_SECONDS:g} s each"]


FLOOD = Case(
    name="flood",
    about="1 of 200 tenants sends 100,000 events, and 100 of its receivers hang",
    run=run,
    short=1,
    long=10,
    lasts_seconds=100,
    databases=("postgres",),
    alone=True,
    patience_seconds=180,
)
