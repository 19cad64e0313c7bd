"""An ordered endpoint shows what it waits for, and a person can end the wait."""

import httpx
import pytest

from api.conftest import CallerWith
from api.failures import claim_one
from api.requests import EVENTS, event, get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.model import HOUR, Account, Endpoint, Outcome, Settled, Settlement
from hookwright.core.times import iso_micros
from hookwright.operations.services import Services

PATH = "/api/v1/endpoints"


@pytest.fixture
async def ordered(admin: httpx.AsyncClient, endpoint: Endpoint) -> Endpoint:
    """The account's endpoint, whose deliveries are in the order of their keys."""
    path = f"{PATH}/{endpoint.id}?account={endpoint.account_id}"
    response = await admin.patch(path, json={"ordering": "key"})
    assert response.json()["ordering"] == "key"
    return endpoint


async def block(services: Services, clock: MovableClock) -> int:
    """Let the one delivery that may go fail, to be tried again in an hour; its id."""
    claim = await claim_one(services, clock)
    outcome = Outcome(started_at=clock.now(), duration_us=1500, status_code=500)
    settlement = Settlement(status="pending", due_at=clock.now() + HOUR)
    await services.store.settle([Settled(claim=claim, outcome=outcome, settlement=settlement)], clock.now())
    return claim.delivery_id


async def test_a_blocked_head_is_shown_with_what_waits_behind_it(
    admin: httpx.AsyncClient, services: Services, account: Account, ordered: Endpoint, clock: MovableClock
) -> None:
    for _ in range(3):
        await publish(admin, account, ordering_key="contact-7")
    head = await block(services, clock)
    (blocked,) = (await get(admin, f"/endpoints/{ordered.id}/blocked-lines", account=account.id))["data"]
    assert (blocked["ordering_key"], blocked["waiting"]) == ("contact-7", 2)
    assert blocked["head"]["id"] == head
    assert (blocked["head"]["last_status_code"], blocked["head"]["attempt_count"]) == (500, 1)
    for delivery in (await get(admin, "/deliveries", account=account.id))["data"]:
        shown = await get(admin, f"/deliveries/{delivery['id']}")
        assert shown["waits_for"] == (None if delivery["id"] == head else head)


async def test_cancelling_a_blocked_head_lets_the_next_one_go(
    admin: httpx.AsyncClient, services: Services, account: Account, ordered: Endpoint, clock: MovableClock
) -> None:
    for _ in range(2):
        await publish(admin, account, ordering_key="contact-7")
    head = await block(services, clock)
    response = await admin.post(f"/api/v1/deliveries/{head}/cancel")
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert (await get(admin, f"/endpoints/{ordered.id}/blocked-lines", account=account.id)) == {"data": []}
    assert (await claim_one(services, clock)).delivery_id != head


async def test_only_what_waits_can_be_cancelled(
    admin: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await publish(admin, account)
    claim = await claim_one(services, clock)
    assert (await admin.post(f"/api/v1/deliveries/{claim.delivery_id}/cancel")).status_code == 409
    assert (await admin.post(f"/api/v1/deliveries/{claim.delivery_id + 64}/cancel")).status_code == 404


async def test_a_key_of_another_account_neither_sees_nor_cancels(
    admin: httpx.AsyncClient,
    caller_with: CallerWith,
    account: Account,
    other_account: Account,
    ordered: Endpoint,
) -> None:
    await publish(admin, account, ordering_key="contact-7")
    (delivery,) = (await get(admin, "/deliveries", account=account.id))["data"]
    stranger = await caller_with("manage", of=other_account)
    assert (await stranger.get(f"{PATH}/{ordered.id}/blocked-lines")).status_code == 404
    assert (await stranger.post(f"/api/v1/deliveries/{delivery['id']}/cancel")).status_code == 404


async def test_an_event_shows_its_ordering_key_and_when_it_expires(
    admin: httpx.AsyncClient, account: Account, clock: MovableClock
) -> None:
    later = iso_micros(clock.now() + HOUR)
    answer = await publish(admin, account, ordering_key="contact-7", expires_at=later)
    shown = await get(admin, f"/events/{answer['event_id']}")
    assert (shown["ordering_key"], shown["expires_at"]) == ("contact-7", later)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\0b"])
async def test_an_ordering_key_has_1_to_255_characters(admin: httpx.AsyncClient, account: Account, key: str) -> None:
    refused = await admin.post(EVENTS, json=event(account, ordering_key=key))
    assert (refused.status_code, pointers(refused)) == (422, ["/ordering_key"])


async def test_an_unknown_ordering_is_refused(admin: httpx.AsyncClient, endpoint: Endpoint) -> None:
    path = f"{PATH}/{endpoint.id}?account={endpoint.account_id}"
    refused = await admin.patch(path, json={"ordering": "strict"})
    assert (refused.status_code, pointers(refused)) == (422, ["/ordering"])
