"""Lives of one machine: a store with its intake and worker, from power on to the cut, again and again on one disk.

Everything is the product's own but for what lies outside it: the disk, the clock, and receivers that answer at once.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from hookwright.ambient import Dice, MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.errors import Unavailable
from hookwright.core.model import OWN_DIALECT, Accepted, Instant, Outcome, Settled, Subscription
from hookwright.dialects.standard import STANDARD
from hookwright.engine.intake import GroupCommit
from hookwright.engine.keyring import Keyring
from hookwright.engine.upkeep import rescue
from hookwright.engine.worker import Worker, WorkerSettings
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import Details, create_signed_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery, EndpointQuery
from hookwright.store.sqlite import SqliteStore
from hookwright.vault import Vault

EVENT_TYPE = "contact.created"
ENDPOINTS = 3
PUBLISHERS = 3
MOST_EVENTS = 5
MOST_NOTE = 6_000  # characters: some payloads are longer than a page of the file
FAILING = 0.2
STEP_SECONDS = 2.0  # of the machine's clock; leases last ten of these, the first retries come after one to three
SCHEDULE = (0, 2, 2, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8)
LAST_STEPS, LAST_STEP_SECONDS = 400, 60.0  # a breaker may have become slow to try again
UNFINISHED = DeliveryQuery(statuses=("pending", "in_flight"))


class Request(NamedTuple):
    """Events that were published together, by their idempotency keys."""

    keys: tuple[str, ...]
    body: bytes


@dataclass
class Told:
    """What the outside world was told by one machine in all its lives: what a power cut must not make untrue."""

    account_id: int | None = None
    endpoint_ids: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    unanswered: list[Request] = field(default_factory=list)
    event_ids: dict[str, str] = field(default_factory=dict)  # by idempotency key, as they were acknowledged
    recorded: dict[tuple[int, int], str] = field(default_factory=dict)  # (delivery, attempt): the status it was given
    sent: dict[str, bytes] = field(default_factory=dict)  # by message id, as receivers saw them
    succeeded: set[tuple[str, str]] = field(default_factory=set)  # (URL, message id) that was answered with success
    troubles: list[str] = field(default_factory=list)  # what the outside world saw that may never be


class WitnessedStore(SqliteStore):
    """The store; what it says that it has recorded is written down."""

    def __init__(self, path: Path, open_file: Callable[[Path], sqlite3.Connection], told: Told) -> None:
        super().__init__(path, open_file)
        self._told = told

    async def settle(self, settled: Sequence[Settled], now: Instant) -> set[int]:
        written = await super().settle(settled, now)
        self._told.recorded |= {
            (each.claim.delivery_id, each.claim.attempt): each.settlement.status
            for each in settled
            if each.claim.delivery_id in written
        }
        return written


class Receivers:
    """They answer at once, some of them with an error, and see what they are sent."""

    def __init__(self, told: Told, clock: MovableClock, dice: random.Random) -> None:
        self._told = told
        self._clock = clock
        self._dice = dice

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        message_id = headers["webhook-id"]
        if self._told.sent.setdefault(message_id, body) != body:
            self._told.troubles.append(f"message {message_id} was sent again with another body")
        status = 500 if self._dice.random() < FAILING else 200
        if status == 200:
            self._told.succeeded.add((url, message_id))
        return Outcome(started_at=self._clock.now(), duration_us=1000, status_code=status)


class Machine:
    """One life: what runs on the disk until the power is cut."""

    def __init__(
        self,
        path: Path,
        open_file: Callable[[Path], sqlite3.Connection],
        told: Told,
        clock: MovableClock,
        dice: random.Random,
    ) -> None:
        self._told, self._clock, self._dice = told, clock, dice
        store = self._store = WitnessedStore(path, open_file, told)
        vault = Vault(bytes(32))
        settings = WorkerSettings(retry_schedule=SCHEDULE, record_tries=1)
        self._worker = Worker(
            store,
            Receivers(told, clock, dice),
            Keyring(store, vault, clock),
            STANDARD.forms,
            clock,
            Dice(dice.randrange(1_000_000)),
            settings,
        )
        self._intake = GroupCommit(store, lambda lane_index: self._worker.wake(), worker=self._worker)
        self._services = Services(
            store=store,
            clock=clock,
            dice=Dice(dice.randrange(1_000_000)),
            vault=vault,
            intake=self._intake,
            policy=TargetPolicy(allow_private=True),
            translations={STANDARD.name: STANDARD.translate},
        )
        self._stop = asyncio.Event()

    async def live(self) -> None:
        """Publish and deliver until the disk gives no answer any more."""
        try:
            with suppress(Unavailable):
                await self._store.migrate()
                await self._set_up()
                await self._publish_and_deliver()
        finally:
            await self._end()

    async def finish(self) -> None:
        """The last life, which is not cut: ask again for what was not answered, and deliver all there is."""
        await self._store.migrate()
        await self._set_up()
        try:
            while self._told.unanswered:
                await self._publish(self._told.unanswered[-1])
            for _ in range(LAST_STEPS):
                if not await self._store.count_deliveries(UNFINISHED, at_most=1):
                    break
                await self._step(LAST_STEP_SECONDS)
        finally:
            await self._end()

    async def _set_up(self) -> None:
        told = self._told
        if told.account_id is None:
            told.account_id = (await create_account(self._services, "Ada's courses")).account.id
        # One whose creation was not answered may be there all the same.
        found = await self._store.endpoints(EndpointQuery(account_id=told.account_id))
        told.endpoint_ids += sorted({endpoint.id for endpoint in found} - set(told.endpoint_ids))
        while len(told.endpoint_ids) < ENDPOINTS:
            url = f"http://127.0.0.1:9/{len(told.endpoint_ids)}"
            subscriptions = [Subscription(EVENT_TYPE)]
            created = await create_signed_endpoint(
                self._services, told.account_id, OWN_DIALECT, url, subscriptions, Details()
            )
            told.endpoint_ids.append(created.endpoint.id)

    async def _publish_and_deliver(self) -> None:
        sending = asyncio.create_task(self._worker.run(self._stop))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_stepping())
                for _ in range(PUBLISHERS):
                    group.create_task(self._keep_publishing())
        finally:
            self._stop.set()
            self._worker.wake()
            await sending

    async def _keep_publishing(self) -> None:
        with suppress(Unavailable):
            while True:
                await self._publish(self._next_request())
        self._stop.set()  # for whoever has nothing to write and would not notice

    async def _keep_stepping(self) -> None:
        with suppress(Unavailable):
            while not self._stop.is_set():
                await self._step()
                await asyncio.sleep(0)

    async def _step(self, seconds: float = STEP_SECONDS) -> None:
        """Let time pass, and do what became due."""
        self._clock.move(seconds=seconds)
        await rescue(self._store, self._clock)
        await self._worker.tick()

    async def _publish(self, request: Request) -> None:
        """An answer is written down before anything else is done, as every producer of the harness does it."""
        told = self._told
        answers = await publish(self._services, msgspec.json.decode(request.body, type=list[Publish]))
        if request in told.unanswered:  # it may have been asked twice at once
            told.unanswered.remove(request)
        for key, answer in zip(request.keys, answers, strict=True):
            if not isinstance(answer, Accepted):
                told.troubles.append(f"the event with the key {key} was refused: {answer}")
            elif told.event_ids.setdefault(key, answer.event_id) != answer.event_id:
                told.troubles.append(f"the key {key} was answered with two events")

    def _next_request(self) -> Request:
        """What was not answered in an earlier life is asked again, with its keys."""
        told = self._told
        if told.unanswered and self._dice.random() < 0.5 and (again := self._dice.choice(told.unanswered)):
            return again
        number = len(told.requests)
        keys = tuple(f"{number}-{place}" for place in range(self._dice.randint(1, MOST_EVENTS)))
        request = Request(keys, msgspec.json.encode([self._event(key) for key in keys]))
        told.requests.append(request)
        told.unanswered.append(request)
        return request

    def _event(self, key: str) -> dict[str, object]:
        note = "x" * self._dice.choice((0, 0, 0, self._dice.randrange(MOST_NOTE)))
        contact = {"id": 1, "email": "ada@example.com", "first_name": note}
        return {
            "type": EVENT_TYPE,
            "account": self._told.account_id,
            "idempotency_key": key,
            "data": {"contact": contact},
        }

    async def _end(self) -> None:
        self._stop.set()
        await self._worker.drain(0)
        await self._intake.close()
        await self._store.close()
