"""The main job for real: subscribe with Kajabi's and Kit's own calls, publish, receive, check every signature.

`make demo` runs it. Hookwright is a process of its own on SQLite; the receiver lives here, and so does the client,
which knows nothing of Hookwright but its HTTP interfaces.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from hookwright.testing.process import DidNotStart, running_dev
from hookwright.testing.receiver import Received, Receiver

TIMEOUT_SECONDS = 60
POLL_SECONDS = 0.02
BODY_START = 60  # characters of a body that a line shows

CONTACT = {"id": 78901, "email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper"}

# What is published: a name for this page, the event type, its data.
EVENTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "tag 123": ("contact.tag_added", {"contact": CONTACT, "tag": {"id": 123, "name": "Waiting list"}}),
    "tag 124": ("contact.tag_added", {"contact": CONTACT, "tag": {"id": 124, "name": "Newsletter"}}),
    "activation": ("contact.activated", {"contact": CONTACT}),
    "purchase": (
        "purchase.created",
        {
            "contact": CONTACT,
            "purchase": {"id": 66012, "transaction_id": "ch_1001", "currency": "USD", "total_in_cents": 14900},
            "offer": {"id": 205, "title": "Compilers from scratch", "price_in_cents": 14900},
            "products": [
                {"id": 310, "name": "The course", "unit_price_in_cents": 9900},
                {"id": 311, "name": "The workbook", "unit_price_in_cents": 5000},
            ],
        },
    ),
}


class Wanted(NamedTuple):
    """An endpoint to be: the dialect and its own words for the event, the receiver's path, what must arrive there."""

    dialect: str
    event: Mapping[str, Any]
    path: str
    expected: tuple[str, ...]


WANTED = (
    # The two examples of Kajabi's "Create hook": one resource, and the wildcard.
    Wanted("kajabi", {"event": "tag_added", "resource_id": "123"}, "/kajabi/tag-123", ("tag 123",)),
    Wanted("kajabi", {"event": "tag_added"}, "/kajabi/any-tag", ("tag 123", "tag 124")),
    # Kit's "Create a webhook".
    Wanted("kit", {"name": "subscriber.tag_add", "tag_id": 123}, "/kit/tag-123", ("tag 123",)),
    Wanted("kit", {"name": "subscriber.subscriber_activate"}, "/kit/activated", ("activation",)),
    Wanted("kit", {"name": "purchase.purchase_create"}, "/kit/purchases", ("purchase",)),
)
EXPECTED_COUNT = sum(len(wanted.expected) for wanted in WANTED)


class DemoFailed(Exception):
    """Something is not as it must be; the message says what."""


class Arrival(NamedTuple):
    """A request that came, and what Hookwright says about the delivery that it belongs to."""

    request: Received
    delivery: dict[str, Any]


class Outside:
    """An HTTP client with the credentials that `hookwright dev` gave out."""

    def __init__(self, http: httpx.AsyncClient, given: Mapping[str, Any]) -> None:
        self._http = http
        self._given = given

    async def subscribe(self, wanted: Wanted, receiver_url: str, kajabi_token: str) -> int:
        """Make an endpoint by its dialect's API; its id."""
        target = receiver_url + wanted.path
        if wanted.dialect == "kajabi":
            return await self._subscribe_at_kajabi(wanted, target, kajabi_token)
        headers = {"X-Kit-Api-Key": self._given["kit"]["api_key"]}
        body = {"target_url": target, "event": wanted.event}
        answer = await self._ask("POST", "/v4/webhooks", headers=headers, json=body)
        return int(answer["webhook"]["id"])

    async def kajabi_token(self) -> str:
        """An access token by client credentials."""
        kajabi = self._given["kajabi"]
        form = {
            "grant_type": "client_credentials",
            "client_id": kajabi["client_id"],
            "client_secret": kajabi["client_secret"],
        }
        return str((await self._ask("POST", "/v1/oauth/token", data=form))["access_token"])

    async def publish(self, event_type: str, data: dict[str, Any]) -> str:
        """Publish an event; its id."""
        body = {"type": event_type, "account": self._given["account_id"], "data": data}
        headers = {"Authorization": f"Bearer {self._given['publish_key']}"}
        return str((await self._ask("POST", "/api/v1/events", headers=headers, json=body))["event_id"])

    async def look_up(self, path: str) -> Any:
        """What Hookwright's own API answers to the administrator."""
        return await self._ask(
            "GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {self._given['admin_key']}"}
        )

    async def signing_secret(self) -> str:
        """The secret that the account's receivers verify with."""
        secrets = await self.look_up(f"/accounts/{self._given['account_id']}/signing-secrets")
        return str(secrets["signing_secrets"][0])

    async def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery of the account."""
        page = await self.look_up(f"/deliveries?account={self._given['account_id']}&limit=100")
        return list(page["data"])

    async def _subscribe_at_kajabi(self, wanted: Wanted, target: str, token: str) -> int:
        document = {
            "data": {
                "type": "hooks",
                "attributes": {"target_url": target, **wanted.event},
                "relationships": {"site": {"data": {"id": self._given["kajabi"]["site_id"], "type": "sites"}}},
            }
        }
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/vnd.api+json"}
        return int((await self._ask("POST", "/v1/hooks", headers=headers, json=document))["data"]["id"])

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer = await self._http.request(method, path, **request)
        if not answer.is_success:
            raise DemoFailed(f"{method} {path} answered {answer.status_code}: {answer.text[:200]}")
        return answer.json()


def main() -> int:
    """Run the demo; the exit code."""
    try:
        asyncio.run(_run())
    except (DemoFailed, DidNotStart) as failure:
        print(f"demo: FAILED: {failure}", file=sys.stderr)
        return 1
    except httpx.HTTPError as error:
        print(f"demo: FAILED: Hookwright did not answer: {error!r}", file=sys.stderr)
        return 1
    return 0


async def _run() -> None:
    async with Receiver() as receiver:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await _demonstrate(receiver)
        except TimeoutError:
            came = f"{receiver.count} of {EXPECTED_COUNT} deliveries arrived"
            raise DemoFailed(f"gave up after {TIMEOUT_SECONDS} s: {came}") from None


async def _demonstrate(receiver: Receiver) -> None:
    async with running_dev() as given, httpx.AsyncClient(base_url=given["url"], trust_env=False) as http:
        print(f"Hookwright at {given['url']}, on SQLite; receiver at {receiver.url}\n")
        outside = Outside(http, given)
        paths = await _subscribe(outside, receiver.url)
        event_ids = await _publish(outside)
        secret = await outside.signing_secret()
        arrivals = [
            await _arrival(outside, receiver, number, paths, secret) for number in range(1, EXPECTED_COUNT + 1)
        ]
        _check_set(arrivals, await outside.deliveries(), paths, event_ids)
    print(f"\ndemo: {len(arrivals)} of {EXPECTED_COUNT} deliveries arrived, all signatures verified")


async def _subscribe(outside: Outside, receiver_url: str) -> dict[int, str]:
    """Make every endpoint; the receiver's path of each, by the endpoint's id."""
    token = await outside.kajabi_token()
    paths = {}
    for wanted in WANTED:
        paths[await outside.subscribe(wanted, receiver_url, token)] = wanted.path
        print(f"subscribed  {wanted.dialect:6}  {wanted.path:16}  {dict(wanted.event)}")
    return paths


async def _publish(outside: Outside) -> dict[str, str]:
    """Publish every event; the name of each, by its id."""
    print()
    names = {}
    for name, (event_type, data) in EVENTS.items():
        event_id = await outside.publish(event_type, data)
        names[event_id] = name
        print(f"published   {event_type:18}  {event_id}  ({name})")
    print()
    return names


async def _arrival(
    outside: Outside, receiver: Receiver, number: int, paths: Mapping[int, str], secret: str
) -> Arrival:
    """The next request that comes, once its signature is checked and Hookwright has recorded it."""
    request = (await receiver.wait_for(number, timeout=TIMEOUT_SECONDS))[number - 1]
    _check_signature(request, secret)
    delivery = await _recorded(outside, request, paths)
    last = delivery["attempts"][-1]
    print(
        f"delivered   {delivery['dialect']:6}  {delivery['dialect_event']:30}  {receiver.url}{request.path:16}"
        f"  {last['status_code']}  {last['duration_ms']:5.1f} ms  {_start_of(request.body)}"
    )
    return Arrival(request, delivery)


async def _recorded(outside: Outside, request: Received, paths: Mapping[int, str]) -> dict[str, Any]:
    """The finished delivery that a request belongs to; a moment may pass before its outcome is on disk."""
    message_id = request.headers["webhook-id"]
    while True:
        for delivery in await outside.deliveries():
            here = (delivery["message_id"], paths.get(delivery["endpoint"]["id"]))
            if here == (message_id, request.path) and delivery["finished_at"] is not None:
                detail: dict[str, Any] = await outside.look_up(f"/deliveries/{delivery['id']}")
                return detail
        await asyncio.sleep(POLL_SECONDS)


def _check_signature(request: Received, secret: str) -> None:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError as error:
        raise DemoFailed(f"the signature of the request to {request.path} does not verify: {error}") from None


def _check_set(
    arrivals: list[Arrival], deliveries: list[dict[str, Any]], paths: Mapping[int, str], names: Mapping[str, str]
) -> None:
    """Refuse anything but exactly what was expected: at the receiver, and in Hookwright's own books."""
    expected = Counter((wanted.path, name) for wanted in WANTED for name in wanted.expected)
    arrived = Counter((arrival.request.path, names[arrival.delivery["event"]["id"]]) for arrival in arrivals)
    booked = Counter(
        (paths[delivery["endpoint"]["id"]], names[delivery["event"]["id"]])
        for delivery in deliveries
        if delivery["status"] == "delivered"
    )
    if arrived != expected:
        raise DemoFailed(f"expected {sorted(expected)}, but {sorted(arrived.elements())} arrived")
    if booked != expected or len(deliveries) != EXPECTED_COUNT:
        raise DemoFailed(f"expected {sorted(expected)}, but Hookwright lists {deliveries}")


def _start_of(body: bytes) -> str:
    text = body.decode()
    return text if len(text) <= BODY_START else text[:BODY_START] + "…"


if __name__ == "__main__":
    sys.exit(main())
