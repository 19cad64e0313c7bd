"""Operational events reach whoever subscribed, once, and never cause one another. Brakes hold in the worker."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from engine.harness import Engine, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.gates import BREAKER_FAILURES, BREAKER_FIRST_WAIT
from hookwright.core.model import SECOND, EndpointChange
from hookwright.core.times import iso_micros
from hookwright.engine.upkeep import advance_replays, expire
from hookwright.operations.announcements import draft_of, tell
from hookwright.operations.endpoints import change_endpoint, set_status
from hookwright.operations.replays import ReplayRequest, begin_replay, count_replay, recover_endpoint
from hookwright.store.base import Store


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock) as engine:
        yield engine


async def dead_delivery(engine: Engine) -> None:
    """A delivery that dies at its first attempt."""
    endpoint = await engine.endpoint("/failing")
    await change_endpoint(engine.services, engine.account.id, endpoint.id, EndpointChange(retry_schedule=(0,)))
    await engine.publish()
    engine.receiver.fail_next(1)
    await engine.worker.tick()


async def test_a_death_is_told_to_whoever_subscribed(engine: Engine) -> None:
    await engine.endpoint("/told", "delivery.dead")
    await dead_delivery(engine)
    assert await tell(engine.services) == 1
    assert await tell(engine.services) == 0
    await engine.worker.tick()
    [_, told] = await engine.receiver.wait_for(2)
    assert told.path == "/told"
    assert told.json()["delivery"]["last_status_code"] == 500


async def test_an_expiry_is_told_and_counted(engine: Engine) -> None:
    await engine.endpoint("/told", "delivery.dead")
    endpoint = await engine.endpoint()
    await set_status(engine.services, engine.account.id, endpoint.id, "paused")
    await engine.publish(expires_at=iso_micros(engine.clock.now() + SECOND))
    engine.clock.move(seconds=1)
    assert await expire(engine.store, engine.clock, engine.metrics) == 1
    assert await tell(engine.services) == 1
    await engine.worker.tick()
    [told] = await engine.receiver.wait_for(1)
    assert told.json()["delivery"]["last_error"] == "expired"
    assert b'hookwright_deliveries_dead_total{dialect="plain"} 1.0' in generate_latest(engine.metrics.registry)


async def test_a_death_that_is_told_twice_is_one_event(engine: Engine) -> None:
    await engine.endpoint("/told", "delivery.dead")
    await dead_delivery(engine)
    [announcement] = await engine.store.announcements(10)
    # As after a crash between the commit of the event and the deletion of what was to be told.
    await engine.services.intake.accept([draft_of(engine.services, announcement)])
    await tell(engine.services)
    assert len(await engine.deliveries(event_type="delivery.dead")) == 1


async def test_a_telling_that_cannot_be_delivered_is_not_told_of(engine: Engine) -> None:
    endpoint = await engine.endpoint("/told", "delivery.dead")
    await change_endpoint(engine.services, engine.account.id, endpoint.id, EndpointChange(retry_schedule=(0,)))
    await dead_delivery(engine)
    await tell(engine.services)
    engine.receiver.fail_next(1)
    await engine.worker.tick()
    assert [each.status for each in await engine.deliveries(event_type="delivery.dead")] == ["dead"]
    assert await tell(engine.services) == 0


async def test_a_410_is_told_as_a_disabled_endpoint_with_its_reason(engine: Engine) -> None:
    await engine.endpoint("/told", "endpoint.disabled")
    await engine.endpoint("/gone")
    await engine.publish()
    engine.receiver.answer(410, times=1)
    await engine.worker.tick()
    await tell(engine.services)
    await engine.worker.tick()
    requests = await engine.receiver.wait_for(2)
    assert requests[-1].json()["reason"] == "gone"


async def test_an_open_breaker_stops_requests_and_spends_no_retries(engine: Engine) -> None:
    await engine.endpoint()
    for _ in range(BREAKER_FAILURES + 10):
        await engine.publish()
    engine.receiver.answer(500)
    worker = engine.another_worker(concurrency=1)
    while await worker.tick():
        pass
    assert engine.receiver.count == BREAKER_FAILURES
    untouched = [each for each in await engine.deliveries() if each.attempts == 0]
    assert len(untouched) == 10

    engine.receiver.answer(200)
    engine.clock.move(seconds=BREAKER_FIRST_WAIT / SECOND)
    assert await worker.tick() == 1, "one probe"
    engine.clock.move(seconds=3600)
    while await engine.worker.tick():
        pass
    assert {each.status for each in await engine.deliveries()} == {"delivered"}


async def test_a_replay_of_many_goes_at_its_rate_and_is_counted_first(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await change_endpoint(engine.services, engine.account.id, endpoint.id, EndpointChange(retry_schedule=(0,)))
    for _ in range(5):
        await engine.publish()
    engine.receiver.fail_next(5)
    while await engine.worker.tick():
        pass
    request = ReplayRequest(endpoint_id=endpoint.id, rate_per_second=2)
    assert await count_replay(engine.services, engine.account.id, request) == 5
    replay = await begin_replay(engine.services, engine.account.id, request)
    assert replay.total == 5
    sent = []
    for _ in range(4):
        await advance_replays(engine.store, engine.clock)
        sent.append(await engine.worker.tick())
    assert sent == [2, 2, 1, 0]
    assert {each.status for each in await engine.deliveries()} == {"delivered"}


async def test_recovery_sends_what_died_and_what_was_put_aside(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await change_endpoint(engine.services, engine.account.id, endpoint.id, EndpointChange(retry_schedule=(0,)))
    await engine.publish()
    engine.receiver.fail_next(1)
    await engine.worker.tick()
    await set_status(engine.services, engine.account.id, endpoint.id, "disabled", "failing")
    await engine.publish()
    assert await engine.worker.tick() == 0
    since = engine.clock.now() - SECOND
    await recover_endpoint(engine.services, engine.account.id, endpoint.id, since, 10)
    await advance_replays(engine.store, engine.clock)
    assert await engine.worker.tick() == 2
    assert {each.status for each in await engine.deliveries()} == {"delivered"}


async def test_an_endpoint_that_was_activated_by_itself_still_recovers_what_it_missed(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await engine.publish()
    engine.receiver.answer(410)
    await engine.worker.tick()
    engine.receiver.answer(200)
    engine.clock.move(hours=1)
    await set_status(engine.services, engine.account.id, endpoint.id, "active")
    replay = await recover_endpoint(engine.services, engine.account.id, endpoint.id, None, 10)
    assert replay.total == 1
    await advance_replays(engine.store, engine.clock)
    assert await engine.worker.tick() == 1
    engine.clock.move(hours=1)
    assert (await recover_endpoint(engine.services, engine.account.id, endpoint.id, None, 10)).total == 0


async def test_a_410_to_an_operational_event_disables_nothing(engine: Engine) -> None:
    told = await engine.endpoint("/told", "delivery.dead")
    await dead_delivery(engine)
    await tell(engine.services)
    engine.receiver.answer(410)
    await engine.worker.tick()
    kept = await engine.store.endpoint(engine.account.id, told.id)
    assert kept is not None
    assert kept.status == "active"
    assert await tell(engine.services) == 0


async def test_what_is_told_is_also_logged(engine: Engine) -> None:
    with capture_logs() as lines:
        await dead_delivery(engine)
        await tell(engine.services)
    [line] = [line for line in lines if line["event"] == "delivery.dead"]
    assert line["account_id"] == engine.account.id
    assert line["delivery_last_status_code"] == 500
    assert not any("url" in name for name in line)


async def test_an_endpoint_that_was_disabled_and_receives_again_has_recovered(engine: Engine) -> None:
    endpoint = await engine.endpoint()
    await engine.endpoint("/told", "endpoint.recovered")
    await engine.publish()
    engine.receiver.answer(410)
    await engine.worker.tick()
    engine.receiver.answer(200)
    assert await tell(engine.services) == 2  # the dead delivery, the disabled endpoint
    await set_status(engine.services, engine.account.id, endpoint.id, "active")
    await engine.publish()
    await engine.publish()
    await engine.worker.tick()
    assert await tell(engine.services) == 1
    await engine.worker.tick()
    assert [request.path for request in engine.receiver.requests].count("/told") == 1
