"""When an endpoint is tried again and what ends it, by its dialect: as its vendor documents, or by our own rules."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from engine.harness import Engine, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.gates import BREAKER_FAILURES
from hookwright.core.model import SECOND, Endpoint, Subscription
from hookwright.core.retry import STANDARD_SCHEDULE
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kit import KIT
from hookwright.dialects.kit.envelopes import BATCH_LIMIT, RETRY_SCHEDULE
from hookwright.dialects.standard import STANDARD
from hookwright.operations.accounts import create_site
from hookwright.operations.endpoints import Details, create_endpoint, create_signed_endpoint
from hookwright.store.base import Store

# developers.kit.com "Retries": after each failure, in seconds.
KITS_PAUSES = (30, 120, 900, 3_600, 14_400, 43_200, 86_400)


class Kind(NamedTuple):
    """A kind of endpoint: its dialect name, what its dialect calls a tag that was added, how it is made."""

    dialect: str
    event: str
    details: Details = Details()


KITS = Kind("kit_endpoints", "subscriber.tag_added", Details(retry_schedule=RETRY_SCHEDULE, batch_limit=BATCH_LIMIT))
BY_OUR_RULES = (
    Kind("hookwright", "contact.tag_added"),
    Kind("kajabi", "tag_added"),
    Kind("kit", "subscriber.tag_add"),
)


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(store, clock, wordings=(STANDARD, KAJABI, KIT)) as engine:
        yield engine


async def endpoint_of(engine: Engine, kind: Kind) -> Endpoint:
    services, account_id, url, wanted = (
        engine.services,
        engine.account.id,
        engine.receiver.url,
        [Subscription(kind.event)],
    )
    if kind.dialect == "kajabi":
        site = await create_site(services, account_id, "Ada", "ada")
        return await create_endpoint(services, account_id, kind.dialect, url, wanted, site.id)
    return (await create_signed_endpoint(services, account_id, kind.dialect, url, wanted, kind.details)).endpoint


async def publish_tag(engine: Engine) -> None:
    contact = {"id": 1, "email": "ada@example.com"}
    await engine.publish(type="contact.tag_added", data={"contact": contact, "tag": {"id": 44}})


async def as_it_is(engine: Engine, endpoint: Endpoint) -> Endpoint:
    found = await engine.store.endpoint(endpoint.account_id, endpoint.id)
    assert found is not None
    return found


async def delay_of(engine: Engine) -> float | None:
    """Seconds until the only delivery is tried again."""
    due_at = (await engine.delivery()).due_at
    return None if due_at is None else (due_at - engine.clock.now()) / SECOND


async def told(engine: Engine) -> list[str]:
    return [announcement.type for announcement in await engine.store.announcements(100)]


async def fail_for(engine: Engine, days: int) -> None:
    """Days in which every request fails: an event each six hours, and the retries that fall due then."""
    engine.receiver.answer(500)
    for _ in range(4 * days + 1):
        await publish_tag(engine)
        await engine.worker.tick()
        engine.clock.move(hours=6)


async def test_kits_whole_schedule_is_kept_to_the_second(engine: Engine) -> None:
    await endpoint_of(engine, KITS)
    await publish_tag(engine)
    engine.receiver.answer(500)
    assert await engine.worker.tick() == 1
    for pause in KITS_PAUSES:
        assert await delay_of(engine) == pause
        engine.clock.move(seconds=pause - 1)
        assert await engine.worker.tick() == 0, "sent before it was due"
        engine.clock.move(seconds=1)
        assert await engine.worker.tick() == 1
    delivery = await engine.delivery()
    assert (delivery.status, delivery.attempts, delivery.due_at) == ("dead", 8, None)


@pytest.mark.parametrize("status", [429, 503])
async def test_kits_schedule_yields_to_retry_after(engine: Engine, status: int) -> None:
    await endpoint_of(engine, KITS)
    await publish_tag(engine)
    engine.receiver.answer(status, headers={"retry-after": "7"})
    await engine.worker.tick()
    assert await delay_of(engine) == 7


async def test_a_batch_of_kits_keeps_the_schedule_as_one(engine: Engine) -> None:
    endpoint = await endpoint_of(engine, KITS)
    for _ in range(BREAKER_FAILURES + 2):
        await publish_tag(engine)
    engine.receiver.answer(500)
    for pause in KITS_PAUSES:
        assert await engine.worker.tick() == 1
        due = {delivery.due_at for delivery in await engine.deliveries()}
        assert due == {engine.clock.now() + pause * SECOND}
        engine.clock.move(seconds=pause)
    health = (await as_it_is(engine, endpoint)).health
    assert (health.failures, health.breaker_open_until) == (len(KITS_PAUSES), None), "a request is one failure"


async def test_a_410_ends_kits_delivery_alone(engine: Engine) -> None:
    endpoint = await endpoint_of(engine, KITS)
    await publish_tag(engine)
    engine.receiver.answer(410, times=1)
    await engine.worker.tick()
    assert (await engine.delivery()).status == "dead"
    assert (await as_it_is(engine, endpoint)).status == "active"
    assert await told(engine) == ["delivery.dead"]
    await publish_tag(engine)
    assert await engine.worker.tick() == 1
    assert [delivery.status for delivery in await engine.deliveries()] == ["dead", "delivered"]


async def test_days_of_failures_do_not_disable_kits_endpoint_but_its_account_is_told(engine: Engine) -> None:
    endpoint = await endpoint_of(engine, KITS)
    await fail_for(engine, days=6)
    assert (await as_it_is(engine, endpoint)).status == "active"
    assert [each for each in await told(engine) if each.startswith("endpoint.")] == ["endpoint.warned"] * 3
    assert "delivery.dead" in await told(engine)
    engine.receiver.answer(200)
    engine.clock.move(hours=24)
    await engine.worker.tick()
    assert (await told(engine))[-1] == "endpoint.recovered"


@pytest.mark.parametrize("kind", BY_OUR_RULES, ids=lambda kind: kind.dialect)
async def test_other_retries_are_moved_by_chance(engine: Engine, kind: Kind) -> None:
    await endpoint_of(engine, kind)
    await publish_tag(engine)
    engine.receiver.answer(500)
    await engine.worker.tick()
    delay, planned = await delay_of(engine), STANDARD_SCHEDULE[1]
    assert delay is not None
    assert delay != planned
    assert 0.8 * planned <= delay <= 1.2 * planned


@pytest.mark.parametrize("kind", BY_OUR_RULES, ids=lambda kind: kind.dialect)
async def test_a_410_disables_other_endpoints(engine: Engine, kind: Kind) -> None:
    endpoint = await endpoint_of(engine, kind)
    await publish_tag(engine)
    engine.receiver.answer(410)
    await engine.worker.tick()
    disabled = await as_it_is(engine, endpoint)
    assert (disabled.status, disabled.status_reason) == ("disabled", "gone")


@pytest.mark.parametrize("kind", BY_OUR_RULES, ids=lambda kind: kind.dialect)
async def test_five_days_of_failures_disable_other_endpoints(engine: Engine, kind: Kind) -> None:
    endpoint = await endpoint_of(engine, kind)
    await fail_for(engine, days=5)
    disabled = await as_it_is(engine, endpoint)
    assert (disabled.status, disabled.status_reason) == ("disabled", "failing")
    assert [each for each in await told(engine) if each.startswith("endpoint.")] == [
        *["endpoint.warned"] * 3,
        "endpoint.disabled",
    ]


async def test_one_outage_may_disable_one_dialects_endpoint_and_leave_anothers(engine: Engine) -> None:
    kits, own = await endpoint_of(engine, KITS), await endpoint_of(engine, BY_OUR_RULES[0])
    await fail_for(engine, days=5)
    assert (await as_it_is(engine, kits)).status == "active"
    assert (await as_it_is(engine, own)).status == "disabled"
