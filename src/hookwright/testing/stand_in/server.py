"""A whole Hookwright in this process, whose time stands until it is moved."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from hookwright.ambient import AnchoredClock, Dice, MovableClock
from hookwright.app import FORMS, WORDINGS, Hookwright
from hookwright.config import Settings
from hookwright.core.model import SECOND, Delivery, Instant
from hookwright.server import HttpServer, listen, url_of
from hookwright.store.base import DeliveryQuery, EndpointQuery
from hookwright.testing.stand_in.sent import SentRequests

LOOPBACK = "127.0.0.1"
DRAIN_SECONDS = 1.0
LOOK_EVERY_SECONDS = 0.002
MOST_DELIVERIES = 10_000
# Shorter than a request may take: a receiver that the test itself holds up never answers.
SETTLE_SECONDS = 10.0


class NoChance(Dice):
    """Retries are due to the second."""

    def jitter(self) -> float:
        return 0.0


class StandingClock(MovableClock):
    """Stands until a test travels. What receivers compare with clocks of their own is of the present all the same."""

    def __init__(self) -> None:
        self._present = AnchoredClock()
        super().__init__(self._present.now())

    def time_of_day(self) -> Instant:
        return self._present.time_of_day()

    def return_to_present(self) -> None:
        """Undo every travel."""
        self.move(seconds=(self._present.now() - self.now()) / SECOND)


class Server:
    """Answers and sends, on a free port of this machine and a temporary SQLite file. For one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._folder = TemporaryDirectory(prefix="hookwright-test-")
        self._settings = replace(settings.at_home_in(Path(self._folder.name)), drain_seconds=DRAIN_SECONDS)
        self.sent = SentRequests()
        self.clock = StandingClock()

    async def start(self) -> None:
        """Listen, answer and send."""
        self.hookwright = await Hookwright.open(
            self._settings, self.clock, NoChance(seed=1), wordings=self.sent.remember(WORDINGS)
        )
        self.services = self.hookwright.services
        listening = listen(LOOPBACK, 0)
        self.url = url_of(listening)
        self._http = HttpServer(self.hookwright.app, DRAIN_SECONDS)
        self._listening = listening
        self._serving = asyncio.create_task(self._http.serve(sockets=[listening]))
        self.hookwright.start()
        await self._http.ready.wait()

    async def stop(self) -> None:
        """End, and leave nothing behind."""
        self._http.should_exit = True
        await asyncio.gather(self._serving, self.hookwright.drain())
        await self.hookwright.close()
        self._listening.close()
        self._folder.cleanup()

    def has_own_secret(self, dialect: str) -> bool:
        """Whether the endpoints of a dialect name have signing secrets of their own."""
        return FORMS[dialect].own_secret

    def return_to_present(self) -> None:
        """Undo every travel."""
        self.clock.return_to_present()

    async def travel(self, account_id: int, distance: Instant) -> None:
        """Let time pass, attempt by attempt: each retry of the account's is made at its own moment."""
        destination = self.clock.now() + distance
        await self.settle(account_id)
        while (due := await self._next_due(account_id)) is not None and due <= destination:
            self._move_to(due)
            await self.settle(account_id)
        self._move_to(destination)
        await self.settle(account_id)

    async def settle(self, account_id: int) -> None:
        """Wait until everything of this account that is due has been sent. Raises AssertionError when it hangs."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                # Looked at again and again: the store tells nobody of what it has recorded.
                while await self._unsettled(account_id) or await self.hookwright.do_chores():  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
        except TimeoutError:
            waiting = [f"{each.dialect_event} ({each.status})" for each in await self._unsettled(account_id)]
            raise AssertionError(
                f"not delivered within {SETTLE_SECONDS:g} s: {', '.join(waiting)}. If the receiver runs in this"
                " test's own event loop, call publish and travel in a thread: await asyncio.to_thread(…)"
            ) from None

    async def deliveries(self, account_id: int, event_id: str | None = None) -> list[Delivery]:
        """An account's deliveries, or those of one event; oldest first."""
        query = DeliveryQuery(account_id=account_id, event_id=event_id, ascending=True, limit=MOST_DELIVERIES)
        return await self.services.store.deliveries(query)

    async def _next_due(self, account_id: int) -> Instant | None:
        """When the next attempt is to be made. What is due already is held by something else than the time."""
        waiting = await self._unfinished(account_id)
        return min((each.due_at for each in waiting if each.due_at and each.due_at > self.clock.now()), default=None)

    async def _unsettled(self, account_id: int) -> list[Delivery]:
        """What is being sent, or is due and may be sent."""
        now = self.clock.now()
        at_work = [
            each
            for each in await self._unfinished(account_id)
            if each.status == "in_flight" or (each.due_at is not None and each.due_at <= now)
        ]
        if not at_work:
            return []
        endpoints = await self.services.store.endpoints(EndpointQuery(account_id=account_id, limit=MOST_DELIVERIES))
        active = {endpoint.id for endpoint in endpoints if endpoint.status == "active"}
        return [each for each in at_work if each.endpoint_id in active]

    async def _unfinished(self, account_id: int) -> list[Delivery]:
        query = DeliveryQuery(account_id=account_id, statuses=("pending", "in_flight"), limit=MOST_DELIVERIES)
        return await self.services.store.deliveries(query)

    def _move_to(self, instant: Instant) -> None:
        self.clock.move(seconds=(instant - self.clock.now()) / SECOND)
        self.hookwright.worker.wake()
