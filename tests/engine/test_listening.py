"""Sending to listeners: the answer that one gives is the outcome, and silence is a failed attempt."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime

from hookwright.ambient import MovableClock
from hookwright.core.listening import HeldRequest, ListenersAnswer, listener_url
from hookwright.core.model import MINUTE, SECOND, Endpoint, Outcome
from hookwright.engine.limits import SendLimits
from hookwright.engine.listening import Destinations, Listeners
from hookwright.store.base import Store
from store.given import add_account, add_endpoint, query

HEADERS = {"webhook-id": "message"}


async def answered(
    store: Store, clock: MovableClock, answer: ListenersAnswer | None, total_seconds: float = 5
) -> Outcome:
    """What a sending comes to when a listener is there, and gives this answer."""
    endpoint = await add_endpoint(store, await add_account(store))
    await store.heard_listener(endpoint.id, clock.now() + MINUTE)
    listeners = Listeners(store, clock, SendLimits(total_seconds=total_seconds))
    sending = asyncio.create_task(listeners.send(listener_url(endpoint.id), HEADERS, b"body"))
    request = await held_for(store, endpoint, clock)
    assert (request.headers, request.body) == (HEADERS, b"body")
    if answer is not None:
        assert await store.answer_request(endpoint.id, request.id, answer)
    outcome = await sending
    assert await query(store, *["SELECT count(*) FROM held_requests"] * 2) == [(0,)]
    return outcome


async def held_for(store: Store, endpoint: Endpoint, clock: MovableClock) -> HeldRequest:
    """The next request, as soon as it is there."""
    while True:
        for request in await store.fetch_requests(endpoint.id, clock.now(), 1):
            return request
        await asyncio.sleep(0)


async def test_a_listeners_answer_is_the_outcome(sqlite_store: Store, clock: MovableClock) -> None:
    answer = ListenersAnswer(status_code=503, body=b"x" * 20_000, retry_after="7")
    outcome = await answered(sqlite_store, clock, answer)
    assert (outcome.status_code, outcome.error, outcome.retry_after_seconds) == (503, None, 7)
    assert outcome.body == b"x" * 16_384
    assert outcome.started_at == clock.now()
    assert outcome.duration_us > 0


async def test_a_date_in_a_listeners_answer_goes_by_the_time_of_day(sqlite_store: Store, clock: MovableClock) -> None:
    clock.step(hours=1)
    in_a_minute = datetime.fromtimestamp((clock.time_of_day() + MINUTE) // SECOND, UTC)
    answer = ListenersAnswer(status_code=429, retry_after=format_datetime(in_a_minute, usegmt=True))
    outcome = await answered(sqlite_store, clock, answer)
    assert outcome.retry_after_seconds == 60


async def test_a_listener_may_say_why_there_was_no_answer(sqlite_store: Store, clock: MovableClock) -> None:
    outcome = await answered(sqlite_store, clock, ListenersAnswer(error="connect_refused", detail="port 3000"))
    assert (outcome.status_code, outcome.error, outcome.detail) == (None, "connect_refused", "port 3000")


async def test_a_listener_that_does_not_answer_in_time_is_a_timeout(sqlite_store: Store, clock: MovableClock) -> None:
    outcome = await answered(sqlite_store, clock, None, total_seconds=0.1)
    assert (outcome.status_code, outcome.error) == (None, "timeout")


async def test_without_a_listener_an_attempt_fails_at_once(sqlite_store: Store, clock: MovableClock) -> None:
    endpoint = await add_endpoint(sqlite_store, await add_account(sqlite_store))
    listeners = Listeners(sqlite_store, clock, SendLimits())
    outcome = await listeners.send(listener_url(endpoint.id), HEADERS, b"")
    assert (outcome.status_code, outcome.error) == (None, "no_listener")
    assert outcome.duration_us < SECOND


async def test_only_what_is_a_listeners_is_handed_to_listeners() -> None:
    class Noted:
        def __init__(self) -> None:
            self.urls: list[str] = []

        async def send(self, url: str, headers: object, body: bytes) -> Outcome:
            self.urls.append(url)
            return Outcome(started_at=0, duration_us=0)

    sender, listeners = Noted(), Noted()
    destinations = Destinations(sender, listeners)
    for url in ("https://example.com/", "listen://64", "http://listen://64"):
        await destinations.send(url, {}, b"")
    assert (sender.urls, listeners.urls) == (["https://example.com/", "http://listen://64"], ["listen://64"])
