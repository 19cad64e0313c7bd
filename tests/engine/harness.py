"""An engine on a store, without HTTP in front: endpoints, events and a worker that a test drives tick by tick."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from hookwright.ambient import Dice, MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import Accepted, Account, Delivery, Endpoint, Event, Notice, Subscription, WireForm
from hookwright.core.vocabulary import Data
from hookwright.dialects.base import STANDARD_FORM, Wording
from hookwright.engine.intake import GroupCommit
from hookwright.engine.keyring import Keyring
from hookwright.engine.lanes import OwnLanes, every_lane
from hookwright.engine.limits import SendLimits
from hookwright.engine.sender import Sender
from hookwright.engine.worker import Worker, WorkerSettings
from hookwright.operations.accounts import NewAccount, create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery, Store
from hookwright.telemetry.metrics import Metrics
from hookwright.telemetry.traces import NoTraces, Traces
from hookwright.testing.receiver import Receiver
from hookwright.vault import Vault

DIALECT = "plain"


def translate(event: Event, data: Data | None) -> list[Notice]:
    """One notice for each event, under its own type, as its own data."""
    return [Notice(dialect=DIALECT, event=event.type, render=lambda: event.data)]


PLAIN = Wording(name=DIALECT, translate=translate, forms={DIALECT: STANDARD_FORM})


@dataclass
class Engine:
    """What a test works with."""

    services: Services
    clock: MovableClock
    worker: Worker
    receiver: Receiver
    new_account: NewAccount
    metrics: Metrics

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def account(self) -> Account:
        return self.new_account.account

    async def endpoint(self, path: str = "/", event: str = "contact.created") -> Endpoint:
        url = self.receiver.url + path
        return await create_endpoint(self.services, self.account.id, DIALECT, url, [Subscription(event)])

    async def publish(self, traceparent: str | None = None, **changes: Any) -> Accepted:
        fields: dict[str, Any] = {
            "type": "contact.created",
            "account": self.account.id,
            "data": {"contact": {"id": 1, "email": "ada@example.com"}},
        }
        body = msgspec.json.encode(fields | changes)
        request = msgspec.json.decode(body, type=Publish)
        [answer] = await publish(self.services, [request], traceparent=traceparent)
        assert isinstance(answer, Accepted)
        return answer

    async def deliveries(self, **filters: Any) -> list[Delivery]:
        """Oldest first."""
        query = DeliveryQuery(account_id=self.account.id, **filters)
        return (await self.store.deliveries(query))[::-1]

    async def delivery(self) -> Delivery:
        [delivery] = await self.deliveries()
        return delivery

    def another_worker(self, **settings: Any) -> Worker:
        """A second worker on the same store, as another process would be."""
        return make_worker(self.services, self.clock, **settings)


def make_worker(
    services: Services,
    clock: MovableClock,
    limits: SendLimits | None = None,
    metrics: Metrics | None = None,
    forms: Mapping[str, WireForm] = PLAIN.forms,
    own_lanes: OwnLanes = every_lane,
    **settings: Any,
) -> Worker:
    return Worker(
        services.store,
        Sender(clock, TargetPolicy(allow_private=True), limits),
        Keyring(services.store, services.vault, clock),
        forms,
        clock,
        Dice(seed=2),
        WorkerSettings(**settings),
        metrics,
        services.traces,
        own_lanes,
    )


@asynccontextmanager
async def running_engine(
    store: Store, clock: MovableClock, traces: Traces | None = None, wordings: Sequence[Wording] = (PLAIN,)
) -> AsyncIterator[Engine]:
    """An engine with one account and a receiver that answers 200."""
    forms = {name: form for wording in wordings for name, form in wording.forms.items()}
    metrics = Metrics()
    intake = GroupCommit(store, metrics=metrics)
    services = Services(
        store=store,
        clock=clock,
        dice=Dice(seed=1),
        vault=Vault(bytes(32)),
        intake=intake,
        policy=TargetPolicy(allow_private=True),
        translations={wording.name: wording.translate for wording in wordings},
        traces=traces or NoTraces(),
    )
    async with Receiver() as receiver:
        account = await create_account(services, "Ada's courses")
        worker = make_worker(services, clock, metrics=metrics, forms=forms)
        yield Engine(services, clock, worker, receiver, account, metrics)
        await intake.close()


class Held:
    """A receiver's behaviour that takes requests and answers only when it is told to."""

    def __init__(self) -> None:
        self._arrivals: asyncio.Queue[None] = asyncio.Queue()
        self._go = asyncio.Event()
        self.arrived_count = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.startswith(b"content-length"))
        await reader.readexactly(length)
        self.arrived_count += 1
        self._arrivals.put_nowait(None)
        await self._go.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def arrived(self) -> None:
        """Returns when another request has arrived."""
        async with asyncio.timeout(5):
            await self._arrivals.get()

    def answer(self) -> None:
        """Answer everything that is held, and whatever comes after."""
        self._go.set()
