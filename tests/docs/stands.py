"""What the pages' commands run against: a real `hookwright dev`, and whatever a page states as given."""

from __future__ import annotations

import json
import re
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

import citus_stand_in
from docs.blocks import Block
from docs.loopback import Stand
from docs.repository import wants_repository
from docs.scripts import SHELLS
from docs.sessions import HERE
from hookwright.ambient import AnchoredClock
from hookwright.core.model import SECOND
from hookwright.core.signing import encode_secret, signed_headers
from hookwright.testing.postgres import database_url, started_postgres
from hookwright.testing.receiver import Receiver
from processes import hookwright

STARTS_ITS_OWN = re.compile(r"\bhookwright (?:dev|serve)\b")
# RFC 7636, appendix B: the verifier that docs/kit.md shows has this challenge.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

MEANWHILE = "contact.tag_added"  # what is published while a command goes on that shows deliveries

Variables = dict[str, str]


class Site(NamedTuple):
    """Where something is prepared: a client of the running server, its credentials, a receiver, the page's folder."""

    client: httpx.AsyncClient
    given: Mapping[str, Any]
    receiver_url: str
    folder: Path


Prepare = Callable[[Site], Awaitable[Variables]]


@contextmanager
def postgresql_with_citus() -> Iterator[str]:
    """The URL of a PostgreSQL of the page's own, where what stands in for Citus can be installed.

    It has PostgreSQL's own folder of extensions and one of ours, wherever the tests of the run have their databases.
    """
    with tempfile.TemporaryDirectory(prefix="hookwright-pg-") as folder:
        extensions = citus_stand_in.write_extension(Path(folder) / "share")
        with started_postgres(Path(folder), {"extension_control_path": extensions}) as server:
            yield server.url


@asynccontextmanager
async def stand_for(page: str, blocks: Sequence[Block], folder: Path) -> AsyncIterator[Stand]:
    """A receiver, and a server unless the page starts one or asks none."""
    async with Receiver() as receiver:
        commands = "\n".join(each.text for each in blocks if each.language in (*SHELLS, "console", "python"))
        if page in SETTINGS_ON_POSTGRESQL:
            with postgresql_with_citus() as url:
                yield Stand(SETTINGS_ON_POSTGRESQL[page](url), receiver.url, None)
            return
        if STARTS_ITS_OWN.search(commands) or wants_repository(blocks) or not commands:
            yield Stand({}, receiver.url, None)
            return
        data = folder / "data"
        arguments = ("dev", "--json", "--port", "0", "--data", str(data))
        async with hookwright(*arguments, environ=SETTINGS.get(page, {}), folder=folder) as dev:
            given = json.loads(await dev.line())
            variables = await _variables(page, given, receiver.url, folder / HERE)
            variables["HOOKWRIGHT_DATABASE_URL"] = f"sqlite:{data / 'hookwright.sqlite3'}"
            yield Stand(variables, receiver.url, urlsplit(given["url"]).port)
            await dev.stop()


async def _variables(page: str, given: Mapping[str, Any], receiver_url: str, folder: Path) -> Variables:
    stated = {
        "BASE": given["url"],
        "KEY": given["admin_key"],
        "PUBLISH_KEY": given["publish_key"],
        "ACCOUNT": str(given["account_id"]),
        "KIT_API_KEY": given["kit"]["api_key"],
        "CLIENT_ID": given["kajabi"]["client_id"],
        "CLIENT_SECRET": given["kajabi"]["client_secret"],
        "SITE": given["kajabi"]["site_id"],
    }
    headers = {"Authorization": f"Bearer {given['admin_key']}"}
    async with httpx.AsyncClient(base_url=given["url"], headers=headers, trust_env=False) as client:
        site = Site(client, given, receiver_url, folder)
        more = await PREPARATIONS[page](site) if page in PREPARATIONS else {}
    return {**stated, **more}


async def something_delivered(site: Site) -> Variables:
    """`$ENDPOINT` is paused, so that `$DELIVERY` waits for it; `$REPLAY` is one that is done; `$KEY_ID` a Kit key."""
    account = site.given["account_id"]
    wanted = {"account": account, "url": f"{site.receiver_url}/events", "events": ["contact.*"]}
    endpoint = (await site.client.post("/api/v1/endpoints", json=wanted)).json()["id"]
    await site.client.patch(f"/api/v1/endpoints/{endpoint}?account={account}", json={"status": "paused"})
    delivery = (await site.client.post(f"/api/v1/endpoints/{endpoint}/test?account={account}")).json()["id"]
    replay = (await site.client.post("/api/v1/replays", json={"account": account})).json()["id"]
    key = {"kind": "kit", "account": account, "name": "Zapier"}
    key_id = (await site.client.post("/api/v1/keys", json=key)).json()["id"]
    return {"ENDPOINT": str(endpoint), "DELIVERY": str(delivery), "REPLAY": str(replay), "KEY_ID": str(key_id)}


async def a_listener(site: Site) -> Variables:
    """What is delivered, and `$LISTENER`, which is paused until the page opens it."""
    wanted = {"account": site.given["account_id"], "name": "laptop", "events": ["*"]}
    listener = (await site.client.post("/api/v1/listeners", json=wanted)).json()["id"]
    at = f"/api/v1/endpoints/{listener}?account={site.given['account_id']}"
    (await site.client.patch(at, json={"status": "paused"})).raise_for_status()
    return {**await something_delivered(site), "LISTENER": str(listener)}


async def deliveries_that_fail(site: Site) -> Variables:
    """What is delivered, and two endpoints for what is published meanwhile: one refuses it, one does not answer."""
    for name, manners in {"refused": {"status": 500}, "silent": {"delay_seconds": 20}}.items():
        url = f"{site.given['url']}/play/{name}"
        (await site.client.put(url, json=manners)).raise_for_status()
        wanted = {"account": site.given["account_id"], "url": url, "events": [MEANWHILE]}
        (await site.client.post("/api/v1/endpoints", json=wanted)).raise_for_status()
    return {**await something_delivered(site), "DELIVERED_MEANWHILE": MEANWHILE}


async def kits_webhooks_and_an_app(site: Site) -> Variables:
    """A webhook of each kind; `$CODE` is what the consent page sent back to the app that `hookwright dev` makes."""
    kit = site.given["kit"]
    asked = {
        "client_id": kit["oauth_client_id"],
        "redirect_uri": kit["oauth_redirect_uri"],
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "account": str(site.given["account_id"]),
        "decision": "allow",
    }
    key = {"X-Kit-Api-Key": kit["api_key"]}
    webhook = {"target_url": f"{site.receiver_url}/in", "event": {"name": "subscriber.subscriber_activate"}}
    webhook_id = (await site.client.post("/v4/webhooks", json=webhook, headers=key)).json()["webhook"]["id"]
    endpoint = {"url": f"{site.receiver_url}/incoming", "events": ["subscriber.created"]}
    created = (await site.client.post("/v4/webhook_endpoints", json=endpoint, headers=key)).json()
    back = (await site.client.post("/v4/oauth/authorize", data=asked)).headers["location"]
    return {
        "WEBHOOK": str(webhook_id),
        "ENDPOINT": str(created["webhook_endpoint"]["id"]),
        "APP_ID": kit["oauth_client_id"],
        "APP_SECRET": kit["oauth_client_secret"],
        "CALLBACK": kit["oauth_redirect_uri"],
        "CODE": parse_qs(urlsplit(back).query)["code"][0],
    }


async def a_signed_request(site: Site) -> Variables:
    """headers.txt and body.json are a request as it was received, signed with `$SECRET`."""
    key, body = bytes(32), b'{"type":"contact.created"}'
    headers = signed_headers([key], "msg-1", AnchoredClock().now() // SECOND, body)
    site.folder.mkdir()
    (site.folder / "headers.txt").write_text("".join(f"{name}: {value}\n" for name, value in headers.items()))
    (site.folder / "body.json").write_bytes(body)
    return {"SECRET": encode_secret(key)}


PREPARATIONS: Mapping[str, Prepare] = {
    "docs/api.md": a_listener,
    "docs/kit.md": kits_webhooks_and_an_app,
    "docs/runbook.md": something_delivered,
    "docs/commands.md": a_signed_request,
    "docs/command-line.md": deliveries_that_fail,
}
# What the page's `hookwright dev` is told, beside its defaults.
SETTINGS: Mapping[str, Variables] = {"docs/command-line.md": {"HOOKWRIGHT_TIMEOUT_SECONDS": "3"}}


def _served_from(url: str) -> Variables:
    return {
        "HOOKWRIGHT_DATABASE_URL": url,
        "HOOKWRIGHT_MASTER_KEY": b64encode(bytes(32)).decode(),
        "HOOKWRIGHT_PORT": "0",
    }


# Pages on PostgreSQL: what they name, or take for given, of a database at this URL.
SETTINGS_ON_POSTGRESQL: Mapping[str, Callable[[str], Variables]] = {
    "README.md": lambda url: {"TEST_DATABASE_URL": url},
    "docs/installing.md": lambda url: {"TEST_DATABASE_URL": url},
    "docs/scaling.md": _served_from,
    "docs/backups.md": lambda url: {**_served_from(url), "RESTORED_URL": database_url(url, "restored")},
}
