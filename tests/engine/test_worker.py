"""The worker, on both databases, against a real receiver: at least once, the same id, the same bytes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace as changed
from prometheus_client import generate_latest
from standardwebhooks.webhooks import Webhook

from engine.harness import DIALECT, Engine, Held, make_worker, running_engine
from engine.test_under_way import claim_to
from hookwright.ambient import MovableClock
from hookwright.core.attention import attention_of
from hookwright.core.model import HOUR, SECOND, Claim, EndpointChange, WireForm
from hookwright.core.retry import STANDARD_SCHEDULE
from hookwright.engine.worker import whole_parcels
from hookwright.operations.accounts import rotate_signing_secret
from hookwright.operations.endpoints import change_endpoint, delete_endpoint, require_endpoint, set_status
from hookwright.store.base import Store
from hookwright.vault import Vault


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock) as engine:
        yield engine


async def test_a_due_delivery_is_posted_signed_and_recorded(engine: Engine) -> None:
    await engine.endpoint("/in?secret=a%20b")
    accepted = await engine.publish()

    assert await engine.worker.tick() == 1

    [request] = await engine.receiver.wait_for(1)
    assert (request.method, request.path) == ("POST", "/in?secret=a%20b")
    assert request.json() == {"contact": {"id": 1, "email": "ada@example.com"}}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == f"{accepted.event_id}-1"
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.last_status_code) == ("delivered", 1, 200)
    [attempt] = await engine.store.attempts(delivery.id)
    assert (attempt.number, attempt.status_code, attempt.error, attempt.next_attempt_at) == (1, 200, None, None)


async def test_nothing_is_sent_twice_when_nothing_fails(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    assert [await engine.worker.tick() for _ in range(3)] == [1, 0, 0]
    assert engine.receiver.count == 1


async def test_the_reference_verifier_accepts_every_signature(engine: Engine) -> None:
    # standardwebhooks checks the timestamp against the machine's clock, so ours must be near it here.
    engine.clock.move(seconds=(await engine.store.now() - engine.clock.now()) / SECOND)
    await engine.endpoint()
    old = engine.new_account.signing_secret
    new = await rotate_signing_secret(engine.services, engine.account.id)
    await engine.publish()
    await engine.worker.tick()
    [request] = await engine.receiver.wait_for(1)
    for secret in (old, new):
        assert Webhook(secret).verify(request.body, request.headers) == request.json()


async def test_after_the_overlap_only_the_new_secret_signs(engine: Engine) -> None:
    await engine.endpoint()
    await rotate_signing_secret(engine.services, engine.account.id)
    engine.clock.move(hours=25)
    await engine.publish()
    await engine.worker.tick()
    [request] = await engine.receiver.wait_for(1)
    assert len(request.headers["webhook-signature"].split(" ")) == 1


async def test_a_failing_receiver_is_tried_by_the_standard_schedule_and_then_the_delivery_dies(
    engine: Engine,
) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.answer(500)
    starts = []
    for _ in STANDARD_SCHEDULE:
        assert await engine.worker.tick() == 1
        delivery = await engine.delivery()
        starts.append(engine.clock.now())
        if delivery.due_at is not None:
            engine.clock.move(seconds=(delivery.due_at - engine.clock.now() - 1) / SECOND)
            assert await engine.worker.tick() == 0, "sent before it was due"
            engine.clock.move(seconds=1 / SECOND)

    delays = [(after - before) / SECOND for before, after in pairwise(starts)]
    for delay, planned in zip(delays, STANDARD_SCHEDULE[1:], strict=True):
        assert 0.8 * planned <= delay <= 1.2 * planned
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts) == ("dead", 10)
    assert len(await engine.store.attempts(delivery.id)) == 10


async def test_every_retry_carries_the_same_id_and_the_same_bytes_and_a_fresh_signature(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.fail_next(2)
    for _ in range(3):
        await engine.worker.tick()
        engine.clock.move(hours=1)
    requests = await engine.receiver.wait_for(3)
    assert len({request.headers["webhook-id"] for request in requests}) == 1
    assert len({request.body for request in requests}) == 1
    assert len({request.headers["webhook-signature"] for request in requests}) == 3


async def test_an_endpoints_own_schedule_wins(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await change_endpoint(engine.services, engine.account.id, endpoint.id, EndpointChange(retry_schedule=(0, 60)))
    await engine.publish()
    engine.receiver.answer(503)
    await engine.worker.tick()
    due_at = (await engine.delivery()).due_at
    assert due_at is not None
    assert 48 * SECOND <= due_at - engine.clock.now() <= 72 * SECOND
    engine.clock.move(seconds=72)
    await engine.worker.tick()
    assert (await engine.delivery()).status == "dead"


async def test_a_step_of_the_machines_clock_moves_no_retry_and_is_signed_for(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.fail_next(1)
    await engine.worker.tick()
    engine.clock.step(hours=1)
    assert await engine.worker.tick() == 0
    engine.clock.move(seconds=6)
    assert await engine.worker.tick() == 1
    first, second = await engine.receiver.wait_for(2)
    signed_at = [int(request.headers["webhook-timestamp"]) for request in (first, second)]
    assert signed_at[1] - signed_at[0] == 3_600 + 6


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured(engine: Engine, status: int) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.answer(status, headers={"retry-after": "7200"})
    await engine.worker.tick()
    assert (await engine.delivery()).due_at == engine.clock.now() + 2 * HOUR


async def test_retry_after_waits_a_day_at_most(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.answer(429, headers={"retry-after": "99999999"})
    await engine.worker.tick()
    assert (await engine.delivery()).due_at == engine.clock.now() + 24 * HOUR


async def test_410_ends_the_delivery_and_disables_the_endpoint_whose_later_events_wait(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await engine.publish()
    engine.receiver.answer(410)
    await engine.worker.tick()
    assert (await engine.delivery()).status == "dead"
    disabled = await engine.store.endpoint(engine.account.id, endpoint.id)
    assert disabled is not None
    assert (disabled.status, disabled.status_reason) == ("disabled", "gone")

    await engine.publish()
    assert await engine.worker.tick() == 0
    assert [each.status for each in await engine.deliveries()] == ["dead", "pending"]

    engine.receiver.answer(200)
    await set_status(engine.services, engine.account.id, endpoint.id, "active")
    assert await engine.worker.tick() == 1
    assert [each.status for each in await engine.deliveries()] == ["dead", "delivered"]


async def test_a_redirect_is_a_failure_and_is_not_followed(engine: Engine) -> None:
    await engine.endpoint("/first")
    await engine.publish()
    engine.receiver.answer(302, headers={"location": engine.receiver.url + "/second"}, times=1)
    await engine.worker.tick()
    assert [request.path for request in engine.receiver.requests] == ["/first"]
    assert (await engine.delivery()).status == "pending"


async def test_what_the_receiver_answered_is_kept(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.answer(500, b"x" * 100_000)
    await engine.worker.tick()
    [attempt] = await engine.store.attempts((await engine.delivery()).id)
    assert (attempt.status_code, len(attempt.response_body)) == (500, 16_384)


async def test_a_receiver_that_is_not_there_is_an_attempt_with_its_reason(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    await engine.receiver.stop()
    await engine.worker.tick()
    await engine.receiver.start()
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.last_error) == ("pending", 1, "connect_refused")


async def test_a_deleted_endpoint_gets_nothing_more(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await engine.publish()
    await delete_endpoint(engine.services, engine.account.id, endpoint.id, None)
    assert await engine.worker.tick() == 0
    assert engine.receiver.count == 0
    assert (await engine.delivery()).status == "cancelled"


async def test_a_paused_endpoint_gets_its_events_when_it_is_active_again(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await set_status(engine.services, engine.account.id, endpoint.id, "paused")
    for _ in range(2):
        await engine.publish()
    assert await engine.worker.tick() == 0
    await set_status(engine.services, engine.account.id, endpoint.id, "active")
    assert await engine.worker.tick() == 2


async def test_a_worker_that_lost_its_lease_writes_nothing(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    held = Held()
    engine.receiver.behave(held)
    slow = asyncio.create_task(engine.worker.tick())
    await held.arrived()

    engine.clock.move(seconds=11)
    assert await engine.store.rescue(engine.clock.now()) == 1
    engine.receiver.behave(None)
    assert await engine.another_worker().tick() == 1
    held.answer()
    await slow

    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)
    assert len(await engine.store.attempts(delivery.id)) == 1


async def test_a_lease_that_is_renewed_is_not_rescued(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    held = Held()
    engine.receiver.behave(held)
    slow = asyncio.create_task(engine.worker.tick())
    await held.arrived()
    engine.clock.move(seconds=7)
    assert await engine.worker.renew_leases() == 1
    engine.clock.move(seconds=7)
    assert await engine.store.rescue(engine.clock.now()) == 0
    held.answer()
    await slow
    assert (await engine.delivery()).status == "delivered"


async def test_a_worker_never_has_more_in_flight_than_it_may(engine: Engine) -> None:
    for _ in range(5):
        await engine.endpoint()
    await engine.publish()
    worker = make_worker(engine.services, engine.clock, concurrency=2)
    held = Held()
    engine.receiver.behave(held)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await held.arrived()
    await held.arrived()
    assert len(await engine.deliveries(statuses=("in_flight",))) == 2
    held.answer()
    for _ in range(3):
        await held.arrived()
    stop.set()
    await running
    await worker.drain(5)
    assert {each.status for each in await engine.deliveries()} == {"delivered"}


async def test_draining_lets_requests_in_flight_finish_and_claims_nothing_more(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    held = Held()
    engine.receiver.behave(held)
    stop = asyncio.Event()
    running = asyncio.create_task(engine.worker.run(stop))
    await held.arrived()
    stop.set()
    await running
    await engine.publish()
    draining = asyncio.create_task(engine.worker.drain(5))
    held.answer()
    await draining
    assert [each.status for each in await engine.deliveries()] == ["delivered", "pending"]
    assert held.arrived_count == 1


async def test_draining_gives_back_what_does_not_finish_in_time(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    held = Held()
    engine.receiver.behave(held)
    stop = asyncio.Event()
    running = asyncio.create_task(engine.worker.run(stop))
    await held.arrived()
    stop.set()
    await running
    await engine.worker.drain(0.01)
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.due_at) == ("pending", 0, engine.clock.now())


async def test_a_delivery_that_cannot_be_signed_is_a_failed_attempt_with_its_reason(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    other = Vault(b"another master key, of 32 bytes.")
    without_the_key = replace(engine.services, vault=other)
    assert await make_worker(without_the_key, engine.clock, metrics=engine.metrics).tick() == 1
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.last_error) == ("pending", 1, "not_made")
    [attempt] = await engine.store.attempts(delivery.id)
    assert attempt.detail == "its signing secret does not open"
    assert b"hookwright_requests_not_begun_total 1.0" in generate_latest(engine.metrics.registry)
    engine.clock.move(seconds=7)
    assert await engine.worker.tick() == 1
    assert (await engine.delivery()).status == "delivered"


async def test_an_endpoint_that_cannot_be_signed_for_needs_attention_but_is_never_disabled(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await engine.publish()
    worker = make_worker(replace(engine.services, vault=Vault(b"another master key, of 32 bytes.")), engine.clock)
    while (await engine.delivery()).status != "dead":
        await worker.tick()
        engine.clock.move(seconds=2 * 86_400)
    after = await require_endpoint(engine.services, engine.account.id, endpoint.id, None)
    attention = attention_of(after, engine.clock.now(), may_disable=True)
    assert after.status == "active"
    assert attention is not None
    assert (attention.cure, attention.disabled_at) == ("look", None)


async def test_headers_that_no_request_can_have_are_a_failed_attempt(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    form = WireForm(headers=lambda *_: {"x-name": "two\nlines"})
    assert await make_worker(engine.services, engine.clock, forms={DIALECT: form}).tick() == 1
    assert (await engine.delivery()).last_error == "not_made"


async def test_what_this_version_does_not_know_is_left_to_one_that_does(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    assert await make_worker(engine.services, engine.clock, forms={}).tick() == 1  # as after a downgrade
    assert (await engine.delivery()).last_error == "not_made"
    engine.clock.move(seconds=7)
    assert await engine.worker.tick() == 1
    assert (await engine.delivery()).status == "delivered"


async def test_a_claim_that_took_long_is_renewed_before_it_is_sent(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    claims = await engine.store.claim(10, engine.clock.now(), engine.clock.now() + 10 * SECOND)
    engine.clock.move(seconds=9)
    assert (await engine.worker._still_ours(claims, engine.clock.now() + SECOND))[0] == claims
    engine.clock.move(seconds=2)
    assert await engine.store.rescue(engine.clock.now()) == 0
    engine.clock.move(seconds=8)
    assert await engine.store.rescue(engine.clock.now()) == 1
    assert (await engine.worker._still_ours(claims, engine.clock.now()))[0] == []


async def test_what_took_long_to_claim_is_not_sent_to_an_endpoint_that_was_paused_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused, other = await engine.endpoint("/paused"), await engine.endpoint("/other")
    await change_endpoint(engine.services, engine.account.id, other.id, EndpointChange(max_in_flight=1))
    engine.clock.move(seconds=2)
    await engine.publish()
    claim_due = engine.store.claim

    async def late(*asked: Any) -> list[Claim]:
        claims = await claim_due(*asked)
        await set_status(engine.services, engine.account.id, paused.id, "paused")
        engine.clock.move(seconds=1)
        return claims

    monkeypatch.setattr(engine.store, "claim", late)
    assert await engine.worker.tick() == 1
    assert [request.path for request in await engine.receiver.wait_for(1)] == ["/other"]
    of_paused = await engine.deliveries(endpoint_id=paused.id)
    assert [(each.status, each.attempts) for each in of_paused] == [("pending", 0)]


def test_of_a_batch_that_is_partly_lost_nothing_is_sent() -> None:
    one, two = (changed(claim_to(1), delivery_id=number, batch_id=1) for number in (1, 2))
    alone = changed(claim_to(1), delivery_id=3)
    assert whole_parcels([one, two, alone], {1, 3}) == [alone]
    assert whole_parcels([one, two, alone], {1, 2}) == [one, two]


async def test_a_replay_sends_the_same_message_again_in_a_new_round(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish()
    await engine.worker.tick()
    await engine.store.replay((await engine.delivery()).id, engine.clock.now())
    engine.receiver.fail_next(1)
    await engine.worker.tick()
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.round_start) == ("pending", 2, 1)
    assert delivery.due_at is not None
    assert delivery.due_at - engine.clock.now() <= 6 * SECOND, "the new round begins with the schedule's first delay"
    first, again = await engine.receiver.wait_for(2)
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
