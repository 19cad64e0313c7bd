"""The stand-in: a whole Hookwright for one test, used from any thread, with or without an event loop.

The pytest fixture `hookwright` is one of these; see docs/testing.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from hookwright.config import Settings
from hookwright.core.changes import merged
from hookwright.core.errors import Conflict, Invalid, NotFound, Problem
from hookwright.core.model import ANY_RESOURCE, Delivery, Subscription
from hookwright.core.times import iso_seconds, to_datetime
from hookwright.operations.accounts import create_account, delete_account
from hookwright.operations.endpoints import Details, create_endpoint
from hookwright.operations.event_types import declare_event_type, declared_types, delete_event_type
from hookwright.operations.named_samples import sample_named
from hookwright.operations.own_endpoints import create_own_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.operations.signing_secrets import reveal_secrets
from hookwright.store.base import EndpointQuery
from hookwright.testing.credentials import Credentials, KajabiCredentials, KitCredentials, make_credentials
from hookwright.testing.stand_in.loop_thread import LoopThread
from hookwright.testing.stand_in.quiet import warnings_to_standard_logging
from hookwright.testing.stand_in.receiver import CheckingReceiver
from hookwright.testing.stand_in.server import Server

__all__ = [
    "Endpoint",
    "KajabiAccess",
    "KitAccess",
    "OwnAccess",
    "Published",
    "StandIn",
    "StandIns",
    "VerifiedRequest",
]


class KajabiAccess(KajabiCredentials, frozen=True, kw_only=True):
    """A client of Kajabi's API; `base_url` stands in for `https://api.kajabi.com`."""

    base_url: str


class KitAccess(KitCredentials, frozen=True, kw_only=True):
    """A client of Kit's API; `base_url` stands in for `https://api.kit.com`."""

    base_url: str


class OwnAccess(NamedTuple):
    """Keys of Hookwright's own API, below `base_url`."""

    base_url: str
    publish_key: str
    admin_key: str


class Endpoint(NamedTuple):
    """What `subscribe` made: where it sends, and what its receiver verifies with."""

    id: int
    url: str
    signing_secret: str


class Published(NamedTuple):
    """An event that was accepted, and what came of its deliveries up to now."""

    event_id: str
    type: str
    deliveries: list[Delivery]


class StandIn:
    """Hookwright for one test: an account of its own, a way into each API, a receiver, and time that can be moved.

    Time stands still until `travel` moves it. `publish` and `travel` return when everything that is due by then has
    been sent and its outcome is on disk. Every method may be called from any thread.
    """

    def __init__(self, loop: LoopThread, server: Server, credentials: Credentials) -> None:
        self._loop = loop
        self._server = server
        kajabi, kit = credentials.kajabi, credentials.kit
        self.url = server.url
        self.account_id = credentials.account_id
        self.api = OwnAccess(f"{server.url}/api/v1", credentials.publish_key, credentials.admin_key)
        self.kajabi = KajabiAccess(base_url=server.url, **msgspec.structs.asdict(kajabi))
        self.kit = KitAccess(base_url=server.url, **msgspec.structs.asdict(kit))
        self.receiver = CheckingReceiver(loop, server.sent, server.clock, self._state)

    @property
    def now(self) -> datetime:
        """The server's time, in UTC. Signatures are stamped with the present time all the same."""
        return to_datetime(self._server.clock.now())

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery, oldest first: its `status`, `attempts`, `last_status_code`, `last_error` and more."""
        return self._loop.call(self._server.deliveries(self.account_id))

    def publish(self, name: str, data: Mapping[str, Any] | None = None, /, **changes: Any) -> Published:
        """Publish an event with this data, or with a sample's; the changes are laid over it, object into object.

        `name` is an event type, or what a dialect calls an event: `publish("kajabi:tag_added", tag={"id": 123})`.
        Raises Invalid.
        """
        return self._loop.call(self._publish(name, data, changes))

    def subscribe(self, *events: str, resource: str | int | None = None, url: str | None = None) -> Endpoint:
        """An endpoint for events, at the receiver unless another URL is given.

        Event types make one of Hookwright's own; `kajabi:tag_added` makes a hook, `kit:subscriber.tag_add` a webhook,
        as their APIs would. `resource` is the id of the tag, form or other object that it is about. Raises Invalid.
        """
        return self._loop.call(self._subscribe(events, ANY_RESOURCE if resource is None else str(resource), url))

    def declare(
        self, name: str, *, schema: Mapping[str, Any] | None = None, sample: Mapping[str, Any] | None = None
    ) -> None:
        """Declare an event type, as a platform does; it is forgotten after the test. Raises Invalid, Conflict."""
        self._loop.call(declare_event_type(self._server.services, name, schema=schema, sample=sample))

    def travel(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let time pass: every retry that becomes due is made, each at its own moment, in order."""
        distance = timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days) // timedelta(microseconds=1)
        if distance < 0:
            raise ValueError("time only goes forward")
        self._loop.call(self._server.travel(self.account_id, distance))

    def settle(self) -> None:
        """Wait until everything that is due has been sent, for what was published by HTTP."""
        self._loop.call(self._server.settle(self.account_id))

    async def _publish(self, name: str, data: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> Published:
        services = self._server.services
        type = name
        if data is None or ":" in name:
            sample = await sample_named(services, name)
            type, data = sample.type, sample.data if data is None else data
        request = Publish(type=type, account=self.account_id, data=Raw(msgspec.json.encode(merged(data, changes))))
        [accepted] = await publish(services, [request])
        if isinstance(accepted, Conflict):
            raise accepted
        await self._server.settle(self.account_id)
        deliveries = await self._server.deliveries(self.account_id, accepted.event_id)
        return Published(accepted.event_id, type, deliveries)

    async def _subscribe(self, events: tuple[str, ...], resource: str, url: str | None) -> Endpoint:
        if not events:
            raise Invalid(Problem("/events", "must name at least one"))
        url = url or f"{self.receiver.url}/"
        dialects = {event.partition(":")[0] if ":" in event else None for event in events}
        if len(dialects) > 1:
            raise Invalid(Problem("/events", "must be of one dialect"))
        if dialects == {None}:
            return await self._subscribe_own(events, resource, url)
        return await self._subscribe_foreign(events, resource, url)

    async def _subscribe_own(self, events: tuple[str, ...], resource: str, url: str) -> Endpoint:
        wanted = [Subscription(event, resource) for event in events]
        endpoint, key = await create_own_endpoint(self._server.services, self.account_id, url, wanted, Details())
        assert key.signing_secret is not None  # as by default
        return Endpoint(endpoint.id, url, key.signing_secret)

    async def _subscribe_foreign(self, events: tuple[str, ...], resource: str, url: str) -> Endpoint:
        services = self._server.services
        notices = [(await sample_named(services, event)).notice for event in events]
        [dialect] = {notice.dialect for notice in notices if notice}
        if self._server.has_own_secret(dialect):
            raise Invalid(Problem("/events", f"an endpoint of {dialect} has more to it: make it through its API"))
        site_id = int(self.kajabi.site_id) if any(notice and notice.site_id for notice in notices) else None
        wanted = [Subscription(notice.event, resource) for notice in notices if notice]
        endpoint = await create_endpoint(services, self.account_id, dialect, url, wanted, site_id)
        [secret, *_] = await reveal_secrets(services, self.account_id, None)
        return Endpoint(endpoint.id, url, secret)

    async def _state(self) -> str:
        """What there is to know when something did not come."""
        endpoints = await self._server.services.store.endpoints(EndpointQuery(account_id=self.account_id))
        urls = {endpoint.id: endpoint.url for endpoint in endpoints}
        if not endpoints:
            return "there is no endpoint: nobody has subscribed"
        deliveries = await self._server.deliveries(self.account_id)
        if not deliveries:
            wanted = [f"  {each.dialect} {s.event}" for each in endpoints for s in each.subscriptions]
            return "\n".join(["nothing was published that an endpoint wants; they want:", *wanted])
        return "\n".join(["the deliveries:", *(_in_words(each, urls) for each in deliveries)])


def _in_words(delivery: Delivery, urls: Mapping[int, str]) -> str:
    last = delivery.last_status_code or delivery.last_error
    parts = [
        f"  {delivery.dialect}:{delivery.dialect_event} to {urls.get(delivery.endpoint_id, 'a deleted endpoint')}",
        f"{delivery.status} after {delivery.attempts} attempts",
        f"the last came to {last}" if last else "",
        f"the next at {iso_seconds(delivery.due_at)} of the server's time, see travel" if delivery.due_at else "",
    ]
    return ", ".join(part for part in parts if part)


class StandIns:
    """The servers of a test run: one for each set of settings, started when first needed, ended together."""

    def __init__(self) -> None:
        self._loop = LoopThread()
        self._servers: dict[tuple[Settings, str], Server] = {}

    @contextmanager
    def stand_in(self, settings: Mapping[str, Any], owner: str = "") -> Iterator[StandIn]:
        """A stand-in with an account of its own, and nothing left of those before. Raises ConfigError, TypeError.

        Those of one `owner` follow one another and share servers.
        """
        with warnings_to_standard_logging():
            server = self._server_for(Settings(**settings), owner)
            credentials = self._loop.call(_begin(server))
            stand_in = StandIn(self._loop, server, credentials)
            self._loop.call(stand_in.receiver.start())
            try:
                yield stand_in
            finally:
                self._loop.call(_end(server, credentials.account_id))
                self._loop.call(stand_in.receiver.stop())

    def close(self) -> None:
        """End every server, and the thread they run in."""
        for server in self._servers.values():
            self._loop.call(server.stop())
        self._loop.stop()

    def _server_for(self, settings: Settings, owner: str) -> Server:
        if (settings, owner) not in self._servers:
            server = Server(settings)
            self._loop.call(server.start())
            self._servers[settings, owner] = server
        return self._servers[settings, owner]


async def _begin(server: Server) -> Credentials:
    server.return_to_present()
    account_id = (await create_account(server.services, "Test")).account.id
    return await make_credentials(server.services, account_id)


async def _end(server: Server, account_id: int) -> None:
    """Nothing of a test reaches the next one: what waits is cancelled, what was declared is forgotten."""
    for name in await declared_types(server.services):
        await delete_event_type(server.services, name)
    try:
        await delete_account(server.services, account_id)
    except NotFound:  # the test has done it
        return
