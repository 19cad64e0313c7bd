"""What the pages' commands run against: a real `hookwright dev`, and whatever a page states as given."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from docs.blocks import Block
from docs.scripts import SHELLS
from docs.sessions import HERE, Stand
from hookwright.ambient import AnchoredClock
from hookwright.core.model import SECOND
from hookwright.core.signing import encode_secret, signed_headers
from hookwright.testing.receiver import Receiver
from processes import hookwright

STARTS_ITS_OWN = re.compile(r"\bhookwright (?:dev|serve)\b")
# RFC 7636, appendix B: the verifier that docs/kit.md shows has this challenge.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

Variables = dict[str, str]


class Site(NamedTuple):
    """Where something is prepared: a client of the running server, its credentials, a receiver, the page's folder."""

    client: httpx.AsyncClient
    given: Mapping[str, Any]
    receiver_url: str
    folder: Path


Prepare = Callable[[Site], Awaitable[Variables]]


@asynccontextmanager
async def stand_for(page: str, blocks: Sequence[Block], folder: Path) -> AsyncIterator[Stand]:
    """A receiver, and a server unless the page starts one or asks none."""
    async with Receiver() as receiver:
        commands = "\n".join(each.text for each in blocks if each.language in (*SHELLS, "console", "python"))
        if STARTS_ITS_OWN.search(commands) or not commands:
            yield Stand({}, receiver.url, None)
            return
        data = folder / "data"
        arguments = ("dev", "--json", "--port", "0", "--data", str(data))
        async with hookwright(*arguments, environ={}, folder=folder) as dev:
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
    "docs/api.md": something_delivered,
    "docs/kit.md": kits_webhooks_and_an_app,
    "docs/operating.md": something_delivered,
    "docs/commands.md": a_signed_request,
    "docs/command-line.md": something_delivered,
    "docs/for-platforms.md": something_delivered,
    "docs/for-integrators.md": something_delivered,
}
