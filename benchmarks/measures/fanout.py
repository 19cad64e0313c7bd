"""One event that everybody wants."""

from __future__ import annotations

import time

from benchmarks.delivering import Line, postgres_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.preloading import copy_endpoints, tidy
from benchmarks.publishing import Aim, Refused, accepted_ids


async def to_every_endpoint(stage: Stage) -> list[Round]:
    """One account, each endpoint with a path and a signing secret of its own."""
    async with postgres_line(stage) as line:
        model = await line.server.subscribe(f"{line.receiver.url}/model")
        copies = await copy_endpoints(
            line.database_url, model, line.receiver.url, stage.scale.endpoints - 1, routed=False
        )
        await tidy(line.database_url)
        return [await _round(line, number, [model, *copies]) for number in range(stage.scale.rounds)]


async def _round(line: Line, number: int, aims: list[Aim]) -> Round:
    publication = line.server.publisher.requests.single(number, aims[0])
    before = line.cpu_seconds()
    began_at = time.monotonic_ns()
    answer = await line.server.publisher.exchange(publication.request)
    answered_at = time.monotonic_ns()
    (event_id,) = accepted_ids(answer)
    arrivals = await line.received_exactly([(aim.path, event_id) for aim in aims])
    if not arrivals:
        raise Refused("nothing was to be delivered")
    return {
        "endpoints": len(aims),
        "accepted_seconds": (answered_at - began_at) / 1e9,
        "delivered_seconds": (max(each.at for each in arrivals) - began_at) / 1e9,
        **{f"{name}_cpu_seconds": cpu - before[name] for name, cpu in line.cpu_seconds().items()},
    }


FANOUT = Measure(
    name="fanout",
    figures=(
        Figure("delivered_seconds", "one event to every endpoint, all delivered", "s", Reach("at most", 1.5)),
        Figure("endpoints", "endpoints, here", ""),
        Figure("accepted_seconds", "until it is accepted", "s"),
    ),
    take=to_every_endpoint,
)
