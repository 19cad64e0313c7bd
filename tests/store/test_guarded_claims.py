"""Caps, rates and breakers hold over all workers, spend no retries, and lose nothing."""

import asyncio

import pytest
from msgspec.structs import replace

from hookwright.core.gates import BREAKER_FAILURES, BREAKER_FIRST_WAIT, CROWDED_WAIT, PROBE_WAIT
from hookwright.core.health import DISABLE_AFTER
from hookwright.core.model import DAY, HOUR, SECOND, Account, Claim, Endpoint, EndpointChange, Instant
from hookwright.store.base import Store
from store.given import (
    NOW,
    accept,
    add_account,
    add_endpoint,
    claim_one,
    deliveries_of,
    draft,
    forgotten,
    query,
    settled,
)

LEASE = NOW + 10 * SECOND


async def braked_endpoint(store: Store, account: Account, change: EndpointChange) -> Endpoint:
    endpoint = await add_endpoint(store, account)
    changed = await store.change_endpoint(account.id, endpoint.id, change, NOW)
    assert changed is not None
    return changed


async def accept_several(store: Store, account: Account, number: int, now: Instant = NOW) -> None:
    await accept(store, *(draft(account, now=now) for _ in range(number)))


async def claim_ids(store: Store, now: Instant) -> list[int]:
    return [claim.delivery_id for claim in await store.claim(100, now, now + 10 * SECOND)]


async def fail(store: Store, claim: Claim, now: Instant, status_code: int = 500) -> None:
    await store.settle([settled(claim, "pending", due_at=now, status_code=status_code)], now)


async def test_a_cap_bounds_what_is_in_flight_over_all_workers(store: Store, second: Store) -> None:
    account = await add_account(store)
    await braked_endpoint(store, account, EndpointChange(max_in_flight=3))
    await accept_several(store, account, 20)
    found = await asyncio.gather(*(each.claim(10, NOW, LEASE) for each in (store, second) * 3))
    claims = [claim for claims in found for claim in claims]
    assert len(claims) == 3
    await store.settle([settled(claims[0])], NOW)
    assert len(await claim_ids(store, NOW + CROWDED_WAIT)) == 1
    assert {delivery.attempts for delivery in await deliveries_of(store, account, "pending")} == {0}


async def test_a_rate_bounds_what_starts_over_all_workers(store: Store, second: Store) -> None:
    account = await add_account(store)
    await braked_endpoint(store, account, EndpointChange(rate_per_second=4))
    await accept_several(store, account, 30)
    found = await asyncio.gather(*(each.claim(10, NOW, LEASE) for each in (store, second) * 3))
    assert sum(map(len, found)) == 4
    assert await claim_ids(store, NOW) == []
    assert len(await claim_ids(second, NOW + SECOND // 4)) == 1
    assert len(await claim_ids(second, NOW + SECOND)) == 3


async def test_what_a_brake_holds_back_does_not_hide_what_is_due_elsewhere(store: Store) -> None:
    account = await add_account(store)
    await braked_endpoint(store, account, EndpointChange(max_in_flight=1))
    await accept_several(store, account, 50)
    other = await add_account(store, "Grace's courses")
    await add_endpoint(store, other)
    await accept_several(store, other, 1, NOW + 1)
    claims = await store.claim(5, NOW + 1, LEASE)
    assert other.id in {claim.account_id for claim in claims}


async def test_what_a_claim_has_found_does_not_wait_for_every_braked_endpoint_behind_it(store: Store) -> None:
    account, free = await add_account(store), await add_account(store, "Grace's courses")
    for _ in range(5):
        await braked_endpoint(store, account, EndpointChange(max_in_flight=1))
    await add_endpoint(store, free)
    await accept_several(store, free, 1)
    await accept_several(store, account, 1)

    # There is no time for more than one of them, and each claim takes the next one.
    found = [await store.claim(20, NOW, LEASE, may_go_on=lambda: False) for _ in range(5)]

    assert [len(claims) for claims in found] == [2, 1, 1, 1, 1]
    assert free.id in {claim.account_id for claim in found[0]}
    assert await forgotten(store, NOW) == []


async def test_failures_in_a_row_open_the_breaker_and_one_probe_closes_it(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, BREAKER_FAILURES + 5)
    for _ in range(BREAKER_FAILURES):
        await fail(store, (await store.claim(1, NOW, LEASE))[0], NOW)
    assert await claim_ids(store, NOW) == []
    kept = await store.endpoint(account.id, endpoint.id)
    assert kept is not None
    assert kept.health.breaker_open_until == NOW + BREAKER_FIRST_WAIT

    later = NOW + BREAKER_FIRST_WAIT
    probes = await store.claim(100, later, later + 10 * SECOND)
    assert len(probes) == 1
    assert await claim_ids(store, later) == []
    await store.settle([settled(probes[0])], later)
    healthy = await store.endpoint(account.id, endpoint.id)
    assert healthy is not None
    assert healthy.health.breaker_open_until is None
    assert len(await claim_ids(store, later)) == BREAKER_FAILURES + 4


async def opened_breaker(store: Store, account: Account, retry_at: Instant) -> tuple[Endpoint, Instant]:
    """An endpoint whose breaker has just opened, and until when. What failed is to be retried at a time."""
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, BREAKER_FAILURES)
    for claim in await store.claim(100, NOW, LEASE):
        await store.settle([settled(claim, "pending", due_at=retry_at, status_code=500)], NOW)
    return endpoint, NOW + BREAKER_FIRST_WAIT


async def test_what_waits_behind_a_breaker_goes_as_soon_as_it_closes_and_retries_keep_their_own_time(
    store: Store,
) -> None:
    account = await add_account(store)
    # A retry at the very time of the probe after the first one is no other than the rest.
    retry_at = NOW + BREAKER_FIRST_WAIT + PROBE_WAIT
    _, half_open = await opened_breaker(store, account, retry_at)
    await accept_several(store, account, 3, NOW)
    assert await claim_ids(store, NOW) == []
    [probe] = await store.claim(100, half_open, half_open + 10 * SECOND)
    await accept_several(store, account, 2, half_open)
    assert await claim_ids(store, half_open) == []
    closed = half_open + SECOND
    await store.settle([settled(probe)], closed)
    assert len(await claim_ids(store, closed)) == 4
    assert await claim_ids(store, retry_at - 1) == []
    assert len(await claim_ids(store, retry_at)) == BREAKER_FAILURES


async def test_a_backlog_behind_a_breaker_is_left_as_it_is_and_shown_with_the_time_of_the_next_probe(
    store: Store,
) -> None:
    account = await add_account(store)
    _, half_open = await opened_breaker(store, account, NOW + HOUR)
    await accept_several(store, account, 3)
    for now in (NOW, half_open - 1):
        assert await claim_ids(store, now) == []
        waiting = [each for each in await deliveries_of(store, account, "pending") if each.attempts == 0]
        assert {each.due_at for each in waiting} == {half_open}
        assert (await store.backlog(now)).due == 0
    own_times = "SELECT DISTINCT due_at FROM deliveries WHERE attempts = 0"
    assert await query(store, own_times, own_times) == [(NOW,)]


async def test_a_probe_that_decides_nothing_lets_the_next_one_go_at_once(store: Store) -> None:
    account = await add_account(store)
    _, half_open = await opened_breaker(store, account, NOW + HOUR)
    operational = draft(account)
    await accept(store, replace(operational, event=replace(operational.event, type="endpoint.warned")))
    await accept_several(store, account, 1, NOW + 1)
    [probe] = await store.claim(100, half_open, half_open + 10 * SECOND)
    await store.settle([settled(probe)], half_open)
    assert len(await claim_ids(store, half_open)) == 1


async def test_a_probe_that_fails_puts_the_next_one_off_as_its_breaker_says(store: Store) -> None:
    account = await add_account(store)
    endpoint, half_open = await opened_breaker(store, account, NOW + HOUR)
    await accept_several(store, account, 3)
    [probe] = await store.claim(100, half_open, half_open + 10 * SECOND)
    await fail(store, probe, half_open + SECOND)
    kept = await store.endpoint(account.id, endpoint.id)
    assert kept is not None
    assert kept.health.breaker_open_until is not None
    assert await claim_ids(store, kept.health.breaker_open_until - 1) == []
    assert len(await claim_ids(store, kept.health.breaker_open_until)) == 1


@pytest.mark.parametrize("together", [True, False], ids=["settled together", "settled one by one"])
async def test_failures_with_successes_between_them_open_no_breaker_though_all_were_claimed_before_the_first(
    store: Store, together: bool
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, 3 * BREAKER_FAILURES)
    claims = await store.claim(100, NOW, LEASE)
    outcomes = [
        settled(claim) if number % 3 else settled(claim, "pending", due_at=NOW + HOUR, status_code=500)
        for number, claim in enumerate(claims)
    ]
    for some in [outcomes] if together else [[each] for each in outcomes]:
        await store.settle(some, NOW)
    kept = await store.endpoint(account.id, endpoint.id)
    assert kept is not None
    assert (kept.health.failures, kept.health.breaker_open_until) == (0, None)


async def test_whoever_activates_an_endpoint_closes_its_breaker_and_all_of_it_goes(store: Store) -> None:
    account = await add_account(store)
    endpoint, _ = await opened_breaker(store, account, NOW + HOUR)
    await accept_several(store, account, 3)
    assert await claim_ids(store, NOW) == []
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)
    assert len(await claim_ids(store, NOW)) == 3


async def test_nothing_is_forgotten_where_a_breaker_closes_while_others_look(store: Store, second: Store) -> None:
    account = await add_account(store)
    _, half_open = await opened_breaker(store, account, NOW + HOUR)
    await accept_several(store, account, 1)
    [probe] = await store.claim(100, half_open, half_open + 10 * SECOND)
    await accept_several(store, account, 20, half_open)
    found = await asyncio.gather(
        store.settle([settled(probe)], half_open),
        *(claim_ids(each, half_open) for each in (second, store) * 3),
        accept_several(second, account, 1, half_open),
    )
    assert await forgotten(store, half_open) == []
    at_once = [id for ids in found if isinstance(ids, list) for id in ids]
    assert len(at_once) + len(await claim_ids(store, half_open)) == 21


async def test_an_endpoint_that_fails_for_five_days_is_warned_and_disabled_and_its_account_is_told(
    store: Store,
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, 1)
    for hour in range(0, 5 * 24 + 1, 2):
        now = NOW + hour * HOUR
        claims = await store.claim(1, now, now + SECOND)
        if claims:
            await fail(store, claims[0], now)
    disabled = await store.endpoint(account.id, endpoint.id)
    assert disabled is not None
    assert (disabled.status, disabled.status_reason) == ("disabled", "failing")
    told = [announcement.type for announcement in await store.announcements(100)]
    assert told == ["endpoint.warned"] * 3 + ["endpoint.disabled"]


async def test_an_endpoint_that_failures_may_not_disable_is_warned_and_stays_active(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, 1)
    for hour in range(0, 6 * 24, 6):
        now = NOW + hour * HOUR
        [claimed] = await store.claim(1, now, now + SECOND)
        await store.settle([settled(claimed, "pending", due_at=now + HOUR, may_disable=False)], now)
    found = await store.endpoint(account.id, endpoint.id)
    assert found is not None
    assert (found.status, found.health.failures) == ("active", 24)
    assert [told.type for told in await store.announcements(10)] == ["endpoint.warned"] * 3


async def test_days_of_failures_of_ours_and_one_of_the_receivers_do_not_disable(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, 1)
    for hour in range(0, 6 * 24 + 1, 6):
        now = NOW + hour * HOUR
        [claimed] = await store.claim(1, now, now + SECOND)
        is_the_receivers = hour == 6 * 24
        await store.settle([settled(claimed, "pending", due_at=now + HOUR, may_disable=is_the_receivers)], now)
    found = await store.endpoint(account.id, endpoint.id)
    assert found is not None
    assert (found.status, found.health.failing_since) == ("active", NOW + 6 * DAY)


async def test_activating_an_endpoint_begins_its_health_anew(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept_several(store, account, 1)
    await fail(store, await claim_one(store), NOW)
    changed = await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW)
    assert changed is not None
    assert changed.health.failing_since is None


async def test_a_delivery_that_dies_is_told_of_once_and_the_telling_is_deleted(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept_several(store, account, 1)
    await store.settle([settled(await claim_one(store), "dead", status_code=500)], NOW)
    [told] = await store.announcements(10)
    assert (told.account_id, told.type) == (account.id, "delivery.dead")
    await store.delete_announcement(told)
    assert await store.announcements(10) == []


async def test_deliveries_of_operational_events_count_neither_for_nor_against(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    operational = draft(account)
    event = replace(operational.event, type="endpoint.warned")
    await accept(store, replace(operational, event=event))
    await store.settle([settled(await claim_one(store), "dead", status_code=500)], NOW)
    kept = await store.endpoint(account.id, endpoint.id)
    assert kept is not None
    assert kept.health.failing_since is None
    assert await store.announcements(10) == []


async def test_a_success_after_a_warning_is_told(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept_several(store, account, 1)
    for now in (NOW, NOW + 3 * DAY):
        await fail(store, (await store.claim(1, now, now + SECOND))[0], now)
    later = NOW + 3 * DAY
    await store.settle([settled((await store.claim(1, later, later + SECOND))[0])], later)
    assert [told.type for told in await store.announcements(10)] == ["endpoint.warned", "endpoint.recovered"]
    assert later - NOW < DISABLE_AFTER
