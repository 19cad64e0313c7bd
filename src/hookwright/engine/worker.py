"""The worker: claim what is due, then send, settle, record.

Errors have three phases. Before the request they are ours. Those that pass (a store that does not answer, no sockets
left) leave the delivery untouched until its lease ends; a request that cannot be made (a secret that does not open)
is an attempt like any other, with its reason, though it never disables an endpoint. The attempt's own are the
receiver's: the sender turns them into an `Outcome`, never into an exception. After the request, a delivery that was
sent but could not be recorded is decided by its lease: it is sent again with the same id, as "at least once" allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from msgspec import Struct

from hookwright.ambient import Clock, Dice
from hookwright.core.errors import Unavailable
from hookwright.core.lifecycle import settle
from hookwright.core.model import SECOND, Claim, Instant, Outcome, Settled, WireForm
from hookwright.core.retry import STANDARD_SCHEDULE
from hookwright.engine.attempt_log import log_attempts
from hookwright.engine.keyring import Keyring
from hookwright.engine.lanes import OwnLanes, every_lane
from hookwright.engine.recording import Recorder
from hookwright.engine.request_making import NOT_MADE, NotMade, RequestMaker
from hookwright.engine.under_way import Claims, Request, UnderWay
from hookwright.engine.waiting import BELIEVED_FOR, Check, Waiting
from hookwright.store.base import NO_ROOM, Lease, Room, Store
from hookwright.telemetry.metrics import Metrics
from hookwright.telemetry.traces import NoTraces, Traces

# How long the end of a drain may wait for a store that does not take the last outcomes.
LAST_RECORDS_SECONDS = 5.0

# A claim that has found something goes on for so long: what it holds must begin soon after its endpoint was read.
LONGEST_CLAIM = SECOND // 5

# What waits in memory is renewed when its lease has run down to this part.
RENEWED_AT = 0.75

# So many leases are renewed or given back by one statement: others have their turn in between.
LEASES_AT_ONCE = 500

# Of the pauses between two renewals, as long as a claim's lease has to last when its request begins.
RENEWALS_AHEAD = 2

# So many requests begin in one turn of the event loop; the others wait for the next. Whatever else is to be done, an
# answer to a publisher above all, waits for one turn. Receivers that answer quickly then never have many requests
# under way, however many wait; slow ones have as many as they may, since turns are short while nobody answers.
STARTS_IN_A_TURN = 16

# Of so much that waits in memory keys are looked up together. They are remembered for a second, in which a process
# sends several times as much.
EXPECTED_AHEAD = 1_000

log = structlog.get_logger("hookwright.worker")


class Sends(Protocol):
    """What the worker needs of a sender."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """One HTTP request. Never raises for what a receiver does."""
        ...


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """How hard a worker works, and for how long a claim is its own.

    `concurrency` bounds the requests that began within a second; see `under_way` for those that take longer.
    """

    concurrency: int = 256
    lease_seconds: float = 8
    renew_seconds: float = 2.4
    recheck_seconds: float = 0.4  # whether what waits in memory may still be sent; see `waiting.BELIEVED_FOR`
    poll_seconds: float = 0.25
    retry_schedule: tuple[int, ...] = STANDARD_SCHEDULE
    record_tries: int = 5
    most_unrecorded: int = 2_500  # outcomes; while so many wait to be written, nothing more is begun


class Worker:
    """Sends deliveries, as many at a time as `UnderWay` allows. One tick claims, sends and records what is due."""

    def __init__(
        self,
        store: Store,
        sender: Sends,
        keyring: Keyring,
        forms: Mapping[str, WireForm],
        clock: Clock,
        dice: Dice,
        settings: WorkerSettings,
        metrics: Metrics | None = None,
        traces: Traces | None = None,
        own_lanes: OwnLanes = every_lane,
    ) -> None:
        self._store = store
        self._own_lanes = own_lanes
        self._sender = sender
        self._maker = RequestMaker(keyring, forms, clock)
        self._forms = forms
        self._clock = clock
        self._dice = dice
        self._settings = settings
        self._metrics = metrics or Metrics()
        self._traces = traces or NoTraces()
        self._under_way = UnderWay(settings.concurrency)
        self._recorder = Recorder(store, clock.now, settings.record_tries, self._recorded, settings.most_unrecorded)
        self._waiting = Waiting()
        self._woken = asyncio.Event()
        self._reserved = 0
        self._claimed = 0  # from the store, and not begun yet
        self._starting = False
        self._expected_starts = 0  # so many may begin before it is expected again what comes next
        self._may_be_more = False
        self._stop: asyncio.Event | None = None  # while it runs

    def wake(self) -> None:
        """There may be something due."""
        self._may_be_more = True
        self._woken.set()

    async def tick(self) -> int:
        """Claim what is due and has room; send, settle and record it. Answers how many were sent."""
        started = await self._start_due()
        if started:
            await asyncio.wait(started)
        await self._recorder.emptied()
        return len(started)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then nothing new is claimed, and what is in flight goes on."""
        chores = [asyncio.create_task(self._keep_leases()), asyncio.create_task(self._keep_sendable())]
        self._stop = stop
        try:
            while not stop.is_set():
                await self._work_once()
        finally:
            self._stop = None
            for chore in chores:
                chore.cancel()

    async def drain(self, seconds: float) -> None:
        """Let requests in flight finish; give back those that do not in time. To be called after `run` has ended."""
        heartbeat = asyncio.create_task(self._keep_leases())
        await self._give_back(self._waiting.take_all())
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
        unfinished = self._under_way.claims
        requests = set(self._under_way)
        for request in requests:
            request.cancel()
        if requests:
            await asyncio.wait(requests)
        # Before anything is given back: what was answered but is not recorded yet would be sent again.
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_RECORDS_SECONDS):
                await self._recorder.emptied()
        heartbeat.cancel()
        await self._give_back(unfinished)

    # -- claimed at birth ------------------------------------------------------------------------------------

    def reserve(self) -> Room:
        """Set aside room for deliveries that are about to be accepted.

        Half of the free slots while something may wait in the store, which comes first; else all of them, and half of
        what may wait in memory, so that whatever is accepted at the same time has room too.
        """
        if not self._is_running:
            return NO_ROOM
        free = self._room()
        deliveries = free // 2 if self._may_be_more else max(0, free + (self._waiting.room - self._reserved) // 2)
        self._reserved += deliveries
        return Room(deliveries, self._lease_until(), self, self._waiting.room_in_bytes, self._clock.now())

    def left(self, endpoint_id: int) -> int:
        """How many more may be claimed at birth for an endpoint.

        Where it answers quickly, half as many may wait as there is room for: never more than a third of all.
        """
        most = self._under_way.left(endpoint_id)
        if self._under_way.has_earned_all(endpoint_id) and not self._may_be_more:
            most += self._waiting.room // 2
        return max(0, most - self._waiting.number_for(endpoint_id))

    async def begin(self, claims: Sequence[Claim], room: Room) -> None:
        """Send what was claimed as it was accepted; what came too late, at the end of the process, is given back.

        Whatever goes wrong here is told to nobody who published: the events are on disk.
        """
        self._reserved -= room.deliveries
        claims, lease_until = await self._still_ours(claims, room.lease_until)
        if not self._is_running:
            await self._give_back(claims)
            return
        now = self._clock.now()
        for claim in claims:
            # Between the look at its endpoint and now somebody's lock or the disk may have been waited for.
            self._waiting.add(claim, now, lease_until, room.since)
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Give the free slots to what waits, some in each turn of the loop."""
        if not self._starting and len(self._waiting) and self._is_running:
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start_some)

    def _start_some(self) -> None:
        self._starting = False
        if not self._is_running:
            return
        now = self._clock.now()
        room = self._free_slots(now)
        if self._may_be_more:
            # Some slots are left to the store; not the last ones, or what was claimed at birth would stand still.
            room -= min(self._settings.concurrency // 4, room // 2)
        for _ in range(min(room, STARTS_IN_A_TURN)):
            self._expect_next()
            claim = self._waiting.take(self._under_way.has_room_for, now)
            if claim is None:
                return
            self._start((claim,))
        if room > STARTS_IN_A_TURN:
            self._start_waiting()

    def _expect_next(self) -> None:
        """Have the keys looked up of what goes next: before it goes, and not so early that they are forgotten."""
        if self._expected_starts == 0:
            next_ones = self._waiting.next_ones(EXPECTED_AHEAD)
            self._maker.expect(next_ones)
            self._expected_starts = 1 + len(next_ones) // 2
        self._expected_starts -= 1

    async def _keep_sendable(self) -> None:
        while True:
            # At once, so that a check that takes long does not also come late.
            await asyncio.gather(self._recheck(), asyncio.sleep(self._settings.recheck_seconds))

    async def _recheck(self) -> None:
        try:
            await self.give_back_unsendable()
        except Unavailable as error:
            # They stay, unsent, until a check succeeds; what is ours no longer then is forgotten by `take`.
            log.warning("what waits in memory not checked", error=str(error))
        except Exception:
            log.exception("what waits in memory not checked")

    async def give_back_unsendable(self) -> int:
        """Give back what waits for endpoints that were changed meanwhile, or has waited for too long."""
        if not len(self._waiting):
            return 0
        asked, seen_since, now = self._waiting.endpoint_ids, self._waiting.seen_since, self._clock.now()
        # The clocks of two processes may differ a little.
        sendable = await self._store.sendable(asked, seen_since - SECOND)
        self._waiting.checked(Check(sendable, seen_since, now))
        # Not what began to wait meanwhile: nobody asked about its endpoint.
        out = self._waiting.take_out(set(asked) - sendable, self._clock.now())
        # What an endpoint may have depends on others too: on how many of all requests are slow.
        self._waiting.all_may_go_again()
        self._start_waiting()
        await self._give_back(out)
        return len(out)

    # -- claim -----------------------------------------------------------------------------------------------

    async def _work_once(self) -> None:
        self._woken.clear()
        room = self._room()
        try:
            started = await self._start_due() if room else []
        except Unavailable as error:
            log.warning("store unavailable", error=str(error))
            started = []
        except Exception:
            # A process whose worker has ended would accept events and never send them.
            log.exception("claim failed")
            started = []
        self._may_be_more = len(started) == room
        if room and self._may_be_more:
            return
        try:
            await asyncio.wait_for(self._woken.wait(), self._settings.poll_seconds)
        except TimeoutError:
            return

    async def _start_due(self) -> list[Request]:
        crowd = self._under_way.crowd()
        now, lease_until = self._clock.now(), self._lease_until()
        room, own = self._room(), self._own_lanes()

        def may_go_on() -> bool:
            return self._clock.now() < now + LONGEST_CLAIM

        found = await self._store.claim(room, now, lease_until, own, crowd, may_go_on)
        claims, _ = await self._still_ours(await self._still_wanted(found, now), lease_until)
        self._maker.expect(claims)
        return await self._start_each(parcels_of(claims))

    async def _still_wanted(self, claims: Sequence[Claim], looked_at: Instant) -> Sequence[Claim]:
        """Claims whose endpoints were seen lately, or else are unchanged; the others are given back.

        A look's last endpoint may wait for a lock, or the disk, while a person pauses the first one.
        """
        if not claims or self._clock.now() < looked_at + BELIEVED_FOR:
            return claims
        ids = sorted({claim.endpoint_id for claim in claims})
        try:
            sendable = await self._store.sendable(ids, looked_at - SECOND, through_gates=True)
        except Unavailable as error:
            log.warning("what took long to claim not checked", error=str(error))
            sendable = set()
        await self._give_back([claim for claim in claims if claim.endpoint_id not in sendable])
        return [claim for claim in claims if claim.endpoint_id in sendable]

    async def _start_each(self, parcels: Sequence[Claims]) -> list[Request]:
        started: list[Request] = []
        try:
            for parcel in parcels:
                started.append(self._start(parcel))
                self._claimed = len(parcels) - len(started)
                if len(started) % STARTS_IN_A_TURN == 0:
                    await asyncio.sleep(0)
        finally:
            self._claimed = 0  # whatever ended it, the slots of those that did not begin are free
        return started

    def _start(self, claims: Claims) -> Request:
        task = asyncio.create_task(self._deliver(claims))
        self._under_way.add(task, claims, self._clock.now())
        self._metrics.started(claims)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, request: Request) -> None:
        answered = not request.cancelled() and request.result()
        endpoint_id = self._under_way.endpoint_of(request)
        endpoint_has_room = self._under_way.remove(request, self._clock.now(), answered)
        self._waiting.earn()
        self._waiting.may_go_again(endpoint_id)
        self._start_waiting()
        # Claiming for each slot that becomes free would cost a transaction for each delivery. What waits for fewer
        # free slots, since slow receivers hold the others, is found by the next poll.
        if endpoint_has_room or (self._may_be_more and self._room() >= self._settings.concurrency // 4):
            self._woken.set()

    @property
    def _is_running(self) -> bool:
        # Not for as long as `run` takes to notice: a request that ends meanwhile must not make room for another.
        return self._stop is not None and not self._stop.is_set()

    def _room(self) -> int:
        return max(0, self._free_slots(self._clock.now()) - self._claimed)

    def _free_slots(self, now: Instant) -> int:
        # A store that records more slowly than receivers answer would let leases end before outcomes are written.
        return 0 if self._recorder.is_behind else self._under_way.room(now)

    def _lease_until(self) -> Instant:
        return self._clock.now() + round(self._settings.lease_seconds * SECOND)

    # -- send, settle, record --------------------------------------------------------------------------------

    async def _deliver(self, claims: Claims) -> bool:
        """Send, and hand on what it came to. Answers whether the receiver answered."""
        first = claims[0]
        try:
            with self._traces.attempt(claims) as tell:
                outcome = await self._send(claims)
                tell(outcome)
            settled = self._settle(claims, outcome)
        except Exception:
            # Ours, not the receiver's: the lease ends by itself and the delivery goes back untouched.
            log.exception("delivery not sent", delivery_id=first.delivery_id, event_id=first.event_id)
            self._metrics.finished(claims)
            self._metrics.not_begun()
            return False
        except asyncio.CancelledError:
            self._metrics.finished(claims)
            raise
        self._recorder.add(settled)
        return outcome.error is None

    async def _send(self, claims: Claims) -> Outcome:
        began = self._clock.now()
        try:
            request = await self._maker.made(claims)
            return await self._sender.send(request.url, request.headers, request.body)
        except NotMade as problem:
            detail = str(problem)
        except ValueError:
            # So says the sender of what is no request; nothing was sent.
            log.exception("request not made", delivery_id=claims[0].delivery_id, endpoint_id=claims[0].endpoint_id)
            detail = "its headers or its URL cannot be sent"
        self._metrics.not_begun()
        return Outcome(started_at=began, duration_us=0, error=NOT_MADE, detail=detail)

    def _settle(self, claims: Claims, outcome: Outcome) -> list[Settled]:
        """One settlement for all that went out together, so that it stays together."""
        first = claims[0]
        form = self._forms.get(first.dialect)
        jitter = 0 if form is not None and form.exact_schedule else self._dice.jitter()
        # What is our own fault disables nobody.
        may_disable = form is not None and form.may_disable and outcome.error != NOT_MADE
        settlement = settle(first, outcome, self._schedule_of(first), self._clock.now(), jitter, may_disable)
        return [Settled(claim=claim, outcome=outcome, settlement=settlement) for claim in claims]

    def _schedule_of(self, claim: Claim) -> tuple[int, ...]:
        return claim.retry_schedule or self._settings.retry_schedule

    def _recorded(self, parcels: Sequence[Sequence[Settled]], recorded: set[int]) -> None:
        settled = [each for parcel in parcels for each in parcel]
        self._metrics.finished([each.claim for each in settled])
        self._metrics.attempted(settled, recorded)
        log_attempts(settled, recorded, self._schedule_of)
        if any(parcel[0].claim.line is not None for parcel in parcels):
            self.wake()  # it may be the next one's turn
        self._start_waiting()

    # -- leases ----------------------------------------------------------------------------------------------

    async def renew_leases(self) -> int:
        """Keep the claims of requests that are still in flight, and of what waits. Answers how many are still ours.

        What began to wait a moment ago will have gone out before its lease is in danger.
        """
        soon = self._clock.now() + round(self._settings.lease_seconds * RENEWED_AT * SECOND)
        claims = self._under_way.claims + self._recorder.claims + self._waiting.claims_until(soon)
        number = 0
        for some in _in_turns(claims):
            until = self._lease_until()
            ours = await self._store.renew(_leases(some), until)
            self._waiting.renewed(ours, until)
            number += len(ours)
        return number

    async def _still_ours(self, claims: Sequence[Claim], lease_until: Instant) -> tuple[Sequence[Claim], Instant]:
        """Claims whose lease lasts until it is renewed as a rule, and until when; what took long is renewed here.

        Otherwise the lease could end while the request is under way, and somebody else would send it too.
        """
        enough = round(RENEWALS_AHEAD * self._settings.renew_seconds * SECOND)
        if not claims or self._clock.now() + enough <= lease_until:
            return claims, lease_until
        until = self._lease_until()
        ours: set[int] = set()
        try:
            for some in _in_turns(claims):
                ours |= await self._store.renew(_leases(some), until)
        except Exception:
            log.warning("claims that took long not renewed; their leases end by themselves", exc_info=True)
        return whole_parcels(claims, ours), until

    async def _keep_leases(self) -> None:
        pause = self._settings.renew_seconds
        while True:
            await asyncio.sleep(pause)
            pause = self._settings.renew_seconds
            try:
                await self.renew_leases()
            except Unavailable as error:
                # The leases run on: waiting the whole pause again could outlast them.
                pause /= 10
                log.warning("leases not renewed", error=str(error))
            except Exception:
                log.exception("leases not renewed")

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        try:
            for some in _in_turns(claims):
                await self._store.release(_leases(some), self._clock.now())
        except Unavailable as error:
            log.warning("deliveries not given back; their leases end by themselves", error=str(error))
        except Exception:
            log.exception("deliveries not given back; their leases end by themselves")
        else:
            log.warning("deliveries given back", deliveries=len(claims))


def parcels_of(claims: Sequence[Claim]) -> list[Claims]:
    """Claims of one batch together, in the order of their ids; every other claim by itself."""
    parcels: dict[tuple[str, int], list[Claim]] = {}
    for claim in claims:
        key = ("one", claim.delivery_id) if claim.batch_id is None else ("batch", claim.batch_id)
        parcels.setdefault(key, []).append(claim)
    return [tuple(sorted(together, key=lambda claim: claim.delivery_id)) for together in parcels.values()]


def whole_parcels(claims: Sequence[Claim], ours: Container[int]) -> list[Claim]:
    """Those that are ours. Of a batch all have to be: what is left of one would be another request with its id."""
    broken = {claim.batch_id for claim in claims if claim.delivery_id not in ours and claim.batch_id is not None}
    return [claim for claim in claims if claim.delivery_id in ours and claim.batch_id not in broken]


def _in_turns(claims: Sequence[Claim]) -> Iterator[Sequence[Claim]]:
    return (claims[start : start + LEASES_AT_ONCE] for start in range(0, len(claims), LEASES_AT_ONCE))


def _leases(claims: Sequence[Claim]) -> list[Lease]:
    return [Lease(claim.delivery_id, claim.fence) for claim in claims]
