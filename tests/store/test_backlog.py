"""What waits, counted over every lane and no further than a bound; what a claim knows of its event's beginning."""

import pytest
from msgspec.structs import replace

from hookwright.core.gates import BREAKER_FAILURES, BREAKER_FIRST_WAIT
from hookwright.core.model import HOUR, SECOND, EndpointChange
from hookwright.store import claim_steps
from hookwright.store.base import Backlog, Store
from store.given import NOW, accept, accept_one, add_account, add_endpoint, claim, claim_one, draft, settled

NOTHING = Backlog(due=0, oldest_due_at=None, breakers_open=0, breakers_half_open=0)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_where_nothing_waits_the_backlog_is_empty(store: Store) -> None:
    assert await store.backlog(NOW) == NOTHING


async def test_only_what_may_be_sent_now_is_due(store: Store) -> None:
    for lane_index in (0, 37):
        account = await add_account(store, lane_index=lane_index)
        await add_endpoint(store, account)
        await accept(store, *(draft(account, now=NOW + second * SECOND) for second in (0, 1, 60)))
    assert await store.backlog(NOW - 1) == NOTHING
    assert await store.backlog(NOW + SECOND) == replace(NOTHING, due=4, oldest_due_at=NOW)
    await claim(store, now=NOW)
    assert await store.backlog(NOW + SECOND) == replace(NOTHING, due=2, oldest_due_at=NOW + SECOND)


async def test_what_waits_for_its_endpoint_is_not_due(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept(store, draft(account))
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await claim(store) == []
    assert await store.backlog(NOW) == NOTHING
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW + HOUR)
    assert await store.backlog(NOW + HOUR) == replace(NOTHING, due=1, oldest_due_at=NOW + HOUR)


async def test_a_breaker_is_open_then_half_open_then_closed(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(BREAKER_FAILURES + 1)))
    for claimed in (await claim(store))[:BREAKER_FAILURES]:
        await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW)
    later = NOW + BREAKER_FIRST_WAIT
    assert await store.backlog(later - 1) == replace(NOTHING, breakers_open=1)
    assert await store.backlog(later) == replace(NOTHING, breakers_half_open=1)
    await accept(store, draft(account, now=later))
    probe = await claim_one(store, later)
    assert await store.backlog(later) == replace(NOTHING, breakers_half_open=1)
    await store.settle([settled(probe)], later)
    assert await store.backlog(later) == NOTHING


async def test_the_breaker_of_an_endpoint_that_is_not_active_does_not_count(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(BREAKER_FAILURES)))
    for claimed in await claim(store):
        await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW)
    assert (await store.backlog(NOW)).breakers_open == 1
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await store.backlog(NOW) == NOTHING


async def test_nothing_is_counted_beyond_the_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_steps, "MOST_COUNTED", 3)
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account, now=NOW + number) for number in range(5)))
    assert await store.backlog(NOW + SECOND) == replace(NOTHING, due=3, oldest_due_at=NOW)


@pytest.mark.parametrize("change", [EndpointChange(), EndpointChange(max_in_flight=1)], ids=["free", "braked"])
async def test_a_claim_knows_when_its_event_was_accepted_and_in_which_trace(
    store: Store, change: EndpointChange
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, change, NOW)
    new = draft(account)
    traced = replace(new, event=replace(new.event, traceparent=TRACEPARENT))
    accepted = await accept_one(store, traced)
    kept = await store.event(accepted.event_id)
    assert kept is not None
    assert kept.traceparent == TRACEPARENT
    claimed = await claim_one(store, NOW + SECOND)
    assert (claimed.created_at, claimed.traceparent) == (NOW, TRACEPARENT)
