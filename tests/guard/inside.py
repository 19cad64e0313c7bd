"""The whole Internet on this machine: `python -m guard.inside FOLDER`, in network and mount namespaces of its own.

Every address is local here, and each ends at the tripwire. A real server delivers to every URL of the corpus, as if
its creation had let it pass; then it retries, replays and sends samples. What was dialled and what came of each
attempt is written to FOLDER/report.json.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import trustme

from guard.corpus import CORPUS, Entry
from guard.network import make_network, tripwire_everywhere
from hookwright.app import open_services
from hookwright.cli.credentials import ready_credentials
from hookwright.config import load_settings
from hookwright.core.model import EndpointChange, Subscription
from hookwright.operations.endpoints import Details, create_endpoint
from hookwright.operations.own_endpoints import create_own_endpoint
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery
from hookwright.testing.credentials import Credentials
from processes import hookwright

GOOD = "https://example.com/"
PROXY = "http://10.9.9.9:3128"
SAMPLES_AT_ONCE = 8
SAMPLED_STEP = 5
MANY_LOOKS = 20_000


Maker = Callable[[Services, Credentials], Awaitable[int]]


class Made(NamedTuple):
    """An endpoint with a URL of the corpus."""

    id: int
    entry: Entry


def main(folder: Path) -> None:
    make_network(folder)
    report = asyncio.run(deliveries_to_the_corpus(folder))
    (folder / "report.json").write_text(json.dumps(report))


async def deliveries_to_the_corpus(folder: Path) -> dict[str, Any]:
    """What was dialled, what each attempt came to, and what went wrong on the way."""
    faults: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: faults.append(str(context)))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    tripwire = await tripwire_everywhere(authority)
    environ = settings_of(folder)
    async with open_services(load_settings(environ)) as services:
        credentials = await ready_credentials(services, folder)
        made = await endpoints_of(services, credentials)
    async with hookwright("serve", environ=environ, folder=folder) as server:
        ready = await server.logged("ready")
        reading = asyncio.create_task(server.read_log())
        await deliver_everything(ready["url"], credentials, made)
        exit_code = await stop(server, reading)
    tripwire.close()
    async with open_services(load_settings(environ)) as services:
        attempts = [await attempts_of(services, credentials.account_id, each) for each in made]
    dialled = [[*where, count] for where, count in tripwire.dialled.items()]
    return {
        "exit_code": exit_code,
        "dialled": dialled,
        "attempts": attempts,
        "log": server.errors,
        "faults": faults,
    }


def settings_of(folder: Path) -> dict[str, str]:
    """Production's rules about targets, two attempts at once, and a proxy that nobody must use."""
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), PROXY)
    return {
        **proxies,
        "SSL_CERT_FILE": str(folder / "authority.pem"),
        "HOOKWRIGHT_DATABASE_URL": f"sqlite:{folder / 'guard.sqlite3'}",
        "HOOKWRIGHT_PORT": "0",
        "HOOKWRIGHT_RETRY_SCHEDULE": "0,0",
        # A machine that is busy with other tests is no failure of ours.
        "HOOKWRIGHT_CONNECT_TIMEOUT_SECONDS": "30",
        "HOOKWRIGHT_TIMEOUT_SECONDS": "60",
    }


async def endpoints_of(services: Services, credentials: Credentials) -> Sequence[Made]:
    """An endpoint for each URL that can be kept, of each dialect in turn; its creation has not looked at the URL."""
    kept = [each for each in CORPUS if can_be_kept(each.url)]
    return await asyncio.gather(
        *(make(services, credentials, maker, entry) for maker, entry in zip(cycle(MAKERS), kept, strict=False))
    )


async def make(services: Services, credentials: Credentials, maker: Maker, entry: Entry) -> Made:
    id = await maker(services, credentials)
    change, now = EndpointChange(url=entry.url), services.clock.now()
    await services.store.change_endpoint(credentials.account_id, id, change, now)
    return Made(id, entry)


def can_be_kept(url: str) -> bool:
    """Whether it is text; half a surrogate pair is none."""
    try:
        url.encode()
    except UnicodeEncodeError:
        return False
    return True


async def make_own(services: Services, credentials: Credentials) -> int:
    wanted = [Subscription("contact.tag_added")]
    return (await create_own_endpoint(services, credentials.account_id, GOOD, wanted, Details())).endpoint.id


async def make_kajabi(services: Services, credentials: Credentials) -> int:
    wanted, site_id = [Subscription("tag_added")], int(credentials.kajabi.site_id)
    return (await create_endpoint(services, credentials.account_id, "kajabi", GOOD, wanted, site_id)).id


async def make_kit(services: Services, credentials: Credentials) -> int:
    wanted = [Subscription("subscriber.tag_add")]
    return (await create_endpoint(services, credentials.account_id, "kit", GOOD, wanted)).id


MAKERS: Sequence[Maker] = (make_own, make_kajabi, make_kit)


async def deliver_everything(url: str, credentials: Credentials, made: Sequence[Made]) -> None:
    """Deliver and retry, replay and retry, sample and retry."""
    account = credentials.account_id
    headers = {"Authorization": f"Bearer {credentials.admin_key}"}
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, trust_env=False, timeout=30) as http:
        data = {"contact": {"id": 1, "email": "ada@example.com"}, "tag": {"id": 123, "name": "VIP"}}
        event = {"type": "contact.tag_added", "account": account, "data": data}
        answer = await called(http, "/events", event | {"site": int(credentials.kajabi.site_id)})
        assert answer["deliveries"] == len(made), answer
        await all_finished(http, account)
        replay = await called(
            http, "/replays", {"account": account, "statuses": ["dead", "delivered"], "rate_per_second": 1000}
        )
        await replayed(http, account, replay["id"])
        await all_finished(http, account)
        gate = asyncio.Semaphore(SAMPLES_AT_ONCE)
        await asyncio.gather(*(sample(http, gate, account, each.id) for each in to_be_sampled(made)))
        await all_finished(http, account)


def to_be_sampled(made: Sequence[Made]) -> list[Made]:
    """All that creation lets pass, and some of what it refuses: of all they would take too long."""
    return [each for place, each in enumerate(made) if each.entry.verdict != "refused" or place % SAMPLED_STEP == 0]


async def sample(http: httpx.AsyncClient, gate: asyncio.Semaphore, account: int, endpoint: int) -> None:
    async with gate:
        await called(http, f"/endpoints/{endpoint}/test?account={account}", {"type": "contact.tag_added"})


async def called(http: httpx.AsyncClient, path: str, body: object) -> dict[str, Any]:
    answer = await http.post(path, json=body)
    assert answer.is_success, (path, answer.status_code, answer.text)
    return dict(answer.json())


async def replayed(http: httpx.AsyncClient, account: int, replay: int) -> None:
    for _ in range(MANY_LOOKS):
        if (await http.get(f"/replays/{replay}?account={account}")).json()["status"] == "done":
            return
    raise AssertionError("the replay does not end")


async def all_finished(http: httpx.AsyncClient, account: int) -> None:
    for _ in range(MANY_LOOKS):
        under_way = [
            (await http.get(f"/deliveries?account={account}&status={status}&limit=1")).json()["data"]
            for status in ("pending", "in_flight")
        ]
        if not any(under_way):
            return
    raise AssertionError(f"deliveries that do not end: {under_way}")


async def stop(server: Any, reading: asyncio.Task[None]) -> int:
    exit_code = await server.stop()
    await reading
    return int(exit_code)


# -- what came of it -------------------------------------------------------------------------------------------------


async def attempts_of(services: Services, account_id: int, made: Made) -> dict[str, Any]:
    deliveries = await services.store.deliveries(DeliveryQuery(account_id=account_id, endpoint_id=made.id))
    return {
        "url": made.entry.url,
        "deliveries": [
            [
                [attempt.error, attempt.detail, attempt.status_code, attempt.duration_us]
                for attempt in await services.store.attempts(each.id)
            ]
            for each in deliveries
        ],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
