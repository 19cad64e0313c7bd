"""What a service with many small customers pays: every delivery opens a TLS connection to one of 200 hosts."""

from __future__ import annotations

from benchmarks.bare import Job, bare_rate
from benchmarks.delivering import postgres_line
from benchmarks.measure import Figure, Measure, Reach, Round, Stage
from benchmarks.measures.throughput import compared, subscribed
from benchmarks.receiving import closing_tls_receiver_process

HOSTS = [f"127.0.1.{number}" for number in range(1, 201)]  # every address of 127/8 is this machine, on Linux
SHARE = 12  # a handshake costs both sides more than a millisecond: a round has a twelfth of the events


async def with_new_connections(stage: Stage) -> list[Round]:
    """The receivers close after each answer; certificates are ECDSA P-256, one for each host."""
    events = max(len(HOSTS), stage.scale.events // SHARE)
    authority = stage.folder / "authority.pem"
    with closing_tls_receiver_process(HOSTS) as receiver:
        authority.write_bytes(receiver.authority_pem)
        async with postgres_line(stage, receiver, {"SSL_CERT_FILE": str(authority)}) as line:
            aims = await subscribed(line, len(HOSTS))
            await line.rate(line.batches(aims, len(HOSTS)))
            urls = [f"{url}/{aim.path}" for url, aim in zip(receiver.urls, aims, strict=True)]
            job = Job(urls, requests=events, warm_up=len(HOSTS), authority_file=authority)
            publications = line.batches(aims, events)
            return [
                compared(await bare_rate(receiver, job), await line.rate(publications))
                for _ in range(stage.scale.rounds)
            ]


TLS = Measure(
    name="tls",
    figures=(
        Figure(
            "ratio", "end to end ÷ bare sender, a new TLS connection each, 200 hosts", "", Reach("at least", 0.75)
        ),
        Figure("end_to_end_per_second", "deliveries, end to end", "/s"),
        Figure("bare_per_second", "requests of the bare sender", "/s"),
    ),
    take=with_new_connections,
)
