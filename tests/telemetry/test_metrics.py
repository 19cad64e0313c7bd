"""The numbers, as Prometheus reads them, of an engine that publishes, delivers, fails and gives up."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.harness import DIALECT, Engine, Held, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.gates import BREAKER_FAILURES, BREAKER_FIRST_WAIT
from hookwright.core.model import SECOND, EndpointChange
from hookwright.operations.endpoints import change_endpoint
from hookwright.store.base import Store
from hookwright.telemetry.metrics import Metrics, Scrape

Samples = dict[str, float]


@pytest.fixture
async def engine(sqlite_store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(sqlite_store, clock) as engine:
        yield engine


@pytest.fixture
def scrape(engine: Engine) -> Scrape:
    return Scrape(engine.metrics, engine.store, engine.clock)


async def samples(scrape: Scrape) -> Samples:
    """Every sample by its name, its outcome behind a colon; the dialect is always the harness's."""
    found: Samples = {}
    for family in text_string_to_metric_families((await scrape()).decode()):
        for sample in family.samples:
            assert set(sample.labels) <= {"dialect", "outcome", "le"}
            assert sample.labels.get("dialect", DIALECT) == DIALECT
            if "le" not in sample.labels:
                name = sample.name.removeprefix("hookwright_")
                found[":".join(filter(None, (name, sample.labels.get("outcome"))))] = sample.value
    return found


async def test_a_new_process_has_counted_nothing(scrape: Scrape) -> None:
    seen = await samples(scrape)
    assert (seen["events_published_total"], seen["deliveries_in_flight"], seen["deliveries_due"]) == (0, 0, 0)
    assert (seen["oldest_due_seconds"], seen["breakers_open"], seen["breakers_half_open"]) == (0, 0, 0)


async def test_an_event_counts_once_however_often_it_is_published(engine: Engine, scrape: Scrape) -> None:
    await engine.publish(idempotency_key="one")
    assert (await engine.publish(idempotency_key="one")).duplicate
    await engine.publish()
    assert (await samples(scrape))["events_published_total"] == 2


async def test_latencies_run_from_the_acceptance(engine: Engine, scrape: Scrape) -> None:
    await engine.endpoint()
    await engine.publish()
    engine.receiver.fail_next(1)
    engine.clock.move(seconds=2)
    await engine.worker.tick()
    seen = await samples(scrape)
    assert (seen["attempts_total:failed"], seen["accept_to_first_attempt_seconds_count"]) == (1, 1)
    assert seen["accept_to_first_attempt_seconds_sum"] == 2
    assert seen["accept_to_success_seconds_count"] == 0

    engine.clock.move(seconds=8)
    await engine.worker.tick()
    seen = await samples(scrape)
    assert (seen["attempts_total:delivered"], seen["accept_to_first_attempt_seconds_count"]) == (1, 1)
    assert seen["accept_to_success_seconds_sum"] == pytest.approx(10, abs=0.5)


async def test_a_replay_is_an_attempt_and_no_latency(engine: Engine, scrape: Scrape) -> None:
    await engine.endpoint()
    await engine.publish()
    await engine.worker.tick()
    await engine.store.replay((await engine.delivery()).id, engine.clock.now())
    engine.clock.move(hours=5)
    await engine.worker.tick()
    seen = await samples(scrape)
    assert (seen["attempts_total:delivered"], seen["accept_to_success_seconds_count"]) == (2, 1)
    assert seen["accept_to_first_attempt_seconds_count"] == 1


async def test_the_dead_are_counted(engine: Engine, scrape: Scrape) -> None:
    endpoint = await engine.endpoint()
    await change_endpoint(engine.services, engine.account.id, endpoint.id, EndpointChange(retry_schedule=(0,)))
    engine.receiver.answer(500)
    await engine.publish()
    await engine.worker.tick()
    seen = await samples(scrape)
    assert (seen["attempts_total:failed"], seen["deliveries_dead_total"]) == (1, 1)


async def test_what_is_being_sent_is_in_flight_and_what_waits_is_due(engine: Engine, scrape: Scrape) -> None:
    held = Held()
    engine.receiver.behave(held)
    await engine.endpoint()
    await engine.publish()
    sending = asyncio.create_task(engine.worker.tick())
    await held.arrived()
    await engine.publish()
    engine.clock.move(seconds=30)
    seen = await samples(scrape)
    assert (seen["deliveries_in_flight"], seen["deliveries_due"], seen["oldest_due_seconds"]) == (1, 1, 30)
    held.answer()
    await sending
    assert (await samples(scrape))["deliveries_in_flight"] == 0


async def test_an_open_breaker_is_counted_as_open_and_after_its_time_as_half_open(
    engine: Engine, scrape: Scrape
) -> None:
    await engine.endpoint()
    for _ in range(BREAKER_FAILURES):
        await engine.publish()
    engine.receiver.answer(500)
    while await engine.worker.tick():
        pass  # an endpoint that has not answered yet gets its requests little by little
    seen = await samples(scrape)
    assert (seen["breakers_open"], seen["breakers_half_open"]) == (1, 0)
    engine.clock.move(seconds=BREAKER_FIRST_WAIT / SECOND)
    seen = await samples(scrape)
    assert (seen["breakers_open"], seen["breakers_half_open"]) == (0, 1)


async def test_the_store_is_asked_at_most_once_a_second(engine: Engine, scrape: Scrape) -> None:
    await engine.endpoint()
    assert (await samples(scrape))["deliveries_due"] == 0
    await engine.publish()
    assert (await samples(scrape))["deliveries_due"] == 0
    engine.clock.move(seconds=1)
    assert (await samples(scrape))["deliveries_due"] == 1


async def test_without_the_store_the_process_still_tells_its_own_numbers(engine: Engine, scrape: Scrape) -> None:
    await engine.publish()
    await engine.store.close()
    seen = await samples(scrape)
    assert seen["events_published_total"] == 1
    assert "deliveries_due" not in seen


async def test_two_engines_in_one_process_count_for_themselves(engine: Engine, scrape: Scrape) -> None:
    await engine.publish()
    other = Scrape(Metrics(), engine.store, engine.clock)
    assert (await samples(other))["events_published_total"] == 0
    assert (await samples(scrape))["events_published_total"] == 1
