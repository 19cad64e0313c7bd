"""Replays of many over HTTP, and the recovery of one endpoint."""

from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.failures import fail_once
from api.requests import get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.model import MINUTE, Account, Endpoint
from hookwright.core.times import iso_micros
from hookwright.engine.upkeep import advance_replays
from hookwright.operations import replays
from hookwright.operations.services import Services

PATH = "/api/v1/replays"


@pytest.fixture
async def tenant(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    return await caller_with("manage", of=account)


@pytest.fixture
async def dead(
    admin: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> int:
    """So many dead deliveries of the endpoint."""
    for _ in range(3):
        await publish(admin, account)
        await fail_once(services, clock)
    clock.move(seconds=60)
    return 3


async def begin(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    response = await client.post(PATH, json=asked)
    assert response.status_code == 202, response.text
    shown: dict[str, Any] = response.json()
    return shown


async def statuses(client: httpx.AsyncClient) -> list[str]:
    return [delivery["status"] for delivery in (await get(client, "/deliveries"))["data"]]


async def test_a_replay_is_shown_from_its_beginning_to_its_end(
    tenant: httpx.AsyncClient, services: Services, account: Account, dead: int, clock: MovableClock
) -> None:
    begun = await begin(tenant, rate_per_second=2)
    assert begun == {
        "id": begun["id"],
        "account": account.id,
        "endpoint": None,
        "event_type": None,
        "statuses": ["dead"],
        "created_from": None,
        "created_to": iso_micros(clock.now() + 1),
        "finished_from": None,
        "rate_per_second": 2,
        "status": "running",
        "total": dead,
        "replayed": 0,
        "created_at": iso_micros(clock.now()),
        "finished_at": None,
    }
    await advance_replays(services.store, clock)
    assert await get(tenant, f"/replays/{begun['id']}") == {**begun, "replayed": 2}
    await advance_replays(services.store, clock)
    await advance_replays(services.store, clock)
    done = {**begun, "replayed": 3, "status": "done", "finished_at": iso_micros(clock.now())}
    assert await get(tenant, f"/replays/{begun['id']}") == done
    assert await statuses(tenant) == ["pending"] * dead


async def test_a_dry_run_only_counts(tenant: httpx.AsyncClient, dead: int) -> None:
    response = await tenant.post(PATH, json={"dry_run": True})
    assert (response.status_code, response.json()) == (200, {"dry_run": True, "deliveries": dead, "more": False})
    assert (await get(tenant, "/replays"))["data"] == []


async def test_a_dry_run_says_when_it_stopped_counting(
    tenant: httpx.AsyncClient, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "MAX_COUNTED", 2)
    response = await tenant.post(PATH, json={"dry_run": True})
    assert response.json() == {"dry_run": True, "deliveries": 2, "more": True}


async def test_every_filter_narrows_what_is_replayed(
    tenant: httpx.AsyncClient, endpoint: Endpoint, dead: int, clock: MovableClock
) -> None:
    ago, now = iso_micros(clock.now() - MINUTE), iso_micros(clock.now())
    passing: dict[str, Any] = {
        "endpoint": endpoint.id,
        "event_type": "contact.tag_added",
        "statuses": ["dead", "delivered", "dead"],
        "created_from": ago,
        "created_to": now,
        "finished_from": ago,
    }
    failing = {
        "event_type": "form.submitted",
        "statuses": ["delivered"],
        "created_from": now,
        "created_to": ago,
        "finished_from": now,
    }
    assert (await tenant.post(PATH, json={**passing, "dry_run": True})).json()["deliveries"] == dead
    for name, value in failing.items():
        counted = await tenant.post(PATH, json={**passing, name: value, "dry_run": True})
        assert counted.json()["deliveries"] == 0, name
    shown = await begin(tenant, **passing)
    assert shown.items() >= {**passing, "statuses": ["dead", "delivered"]}.items()


async def test_a_cancelled_replay_goes_no_further(
    tenant: httpx.AsyncClient, services: Services, dead: int, clock: MovableClock
) -> None:
    begun = await begin(tenant, rate_per_second=1)
    await advance_replays(services.store, clock)
    cancelled = await tenant.post(f"{PATH}/{begun['id']}/cancel")
    assert cancelled.status_code == 200
    assert (cancelled.json()["status"], cancelled.json()["replayed"]) == ("cancelled", 1)
    assert (await tenant.post(f"{PATH}/{begun['id']}/cancel")).json() == cancelled.json()
    await advance_replays(services.store, clock)
    assert sorted(await statuses(tenant)) == ["dead", "dead", "pending"]


async def test_replays_are_listed_newest_first_in_pages(tenant: httpx.AsyncClient, dead: int) -> None:
    first, second = (await begin(tenant))["id"], (await begin(tenant))["id"]
    page = await get(tenant, "/replays", limit=1)
    assert [each["id"] for each in page["data"]] == [second]
    page = await get(tenant, "/replays", limit=1, cursor=page["next_cursor"])
    assert ([each["id"] for each in page["data"]], page["next_cursor"]) == ([first], None)


async def test_a_platforms_key_names_the_account(
    admin: httpx.AsyncClient, account: Account, other_account: Account, endpoint: Endpoint, dead: int
) -> None:
    assert pointers(await admin.post(PATH, json={})) == ["/account"]
    assert pointers(await admin.get(PATH)) == ["/account"]
    begun = await begin(admin, account=account.id)
    path = f"{PATH}/{begun['id']}"
    for request in (admin.get(path), admin.post(f"{path}/cancel")):
        assert pointers(await request) == ["/account"]
    assert (await get(admin, f"/replays/{begun['id']}", account=account.id)) == begun
    assert (await get(admin, "/replays", account=account.id))["data"] == [begun]
    assert (await admin.post(PATH, json={"account": other_account.id + 64})).status_code == 404
    assert (await admin.get(PATH, params={"account": other_account.id + 64})).status_code == 404
    assert (await admin.get(path, params={"account": other_account.id})).status_code == 404
    wrong = {"account": other_account.id, "endpoint": endpoint.id}
    assert (await admin.post(PATH, json=wrong)).status_code == 404


async def test_another_accounts_replays_are_not_there(
    caller_with: CallerWith, tenant: httpx.AsyncClient, other_account: Account, endpoint: Endpoint, dead: int
) -> None:
    begun = await begin(tenant)
    stranger = await caller_with("manage", of=other_account)
    assert (await stranger.get(f"{PATH}/{begun['id']}")).status_code == 404
    assert (await stranger.post(f"{PATH}/{begun['id']}/cancel")).status_code == 404
    assert (await stranger.post(PATH, json={"account": begun["account"]})).status_code == 404
    assert (await stranger.post(PATH, json={"endpoint": endpoint.id})).status_code == 404
    assert (await stranger.post(f"/api/v1/endpoints/{endpoint.id}/recover")).status_code == 404
    assert (await get(stranger, "/replays"))["data"] == []
    assert (await get(tenant, f"/replays/{begun['id']}"))["status"] == "running"


async def test_a_reader_watches_but_begins_and_cancels_nothing(
    caller_with: CallerWith, tenant: httpx.AsyncClient, account: Account, endpoint: Endpoint, dead: int
) -> None:
    begun = await begin(tenant)
    reader = await caller_with("read", of=account)
    assert await get(reader, f"/replays/{begun['id']}") == begun
    for path in (PATH, f"{PATH}/{begun['id']}/cancel", f"/api/v1/endpoints/{endpoint.id}/recover"):
        assert (await reader.post(path, json={})).status_code == 403


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"statuses": []}, "/statuses"),
        ({"statuses": ["pending"]}, "/statuses/0"),
        ({"event_type": "contact.exploded"}, "/event_type"),
        ({"rate_per_second": 0}, "/rate_per_second"),
        ({"rate_per_second": 1001}, "/rate_per_second"),
        ({"rate_per_second": True}, "/rate_per_second"),
        ({"rate_per_second": "50"}, "/rate_per_second"),
        ({"created_from": "yesterday"}, "/created_from"),
        ({"created_from": 0}, "/created_from"),
        ({"finished_from": "1767225600"}, "/finished_from"),
        ({"dry_run": 1}, "/dry_run"),
        ({"account": True}, "/account"),
        ({"endpoint": -1}, "/endpoint"),
        ({"colour": "red"}, "/colour"),
        ({"event_type": "\0.*"}, "/event_type"),
        ({"event_type": ".*"}, "/event_type"),
        ([], ""),
    ],
)
async def test_what_makes_no_sense_is_refused(tenant: httpx.AsyncClient, asked: Any, pointer: str) -> None:
    refused = await tenant.post(PATH, json=asked)
    assert (refused.status_code, pointers(refused)) == (422, [pointer])
    assert (await get(tenant, "/replays"))["data"] == []


async def test_what_does_not_exist_is_a_404(tenant: httpx.AsyncClient) -> None:
    assert (await tenant.get(f"{PATH}/64")).status_code == 404
    assert (await tenant.post(f"{PATH}/64/cancel")).status_code == 404
    assert (await tenant.post(PATH, json={"endpoint": 64})).status_code == 404
    assert (await tenant.post("/api/v1/endpoints/64/recover")).status_code == 404


async def test_an_endpoint_that_was_gone_gets_all_that_it_missed(
    tenant: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    services: Services,
    account: Account,
    endpoint: Endpoint,
    clock: MovableClock,
) -> None:
    await publish(admin, account)
    clock.move(hours=1)  # it had been tried for a while
    await fail_once(services, clock, disable_reason="gone")
    assert (await get(tenant, f"/endpoints/{endpoint.id}"))["status"] == "disabled"
    await publish(admin, account)
    clock.move(hours=1)
    response = await tenant.post(f"/api/v1/endpoints/{endpoint.id}/recover")
    assert response.status_code == 202
    assert (response.json()["endpoint"], response.json()["total"]) == (endpoint.id, 1)
    await advance_replays(services.store, clock)
    assert (await get(tenant, f"/endpoints/{endpoint.id}"))["status"] == "active"
    assert len(await services.store.claim(10, clock.now(), clock.now() + MINUTE)) == 2


async def test_a_recovery_may_say_since_when_and_how_fast(
    tenant: httpx.AsyncClient, endpoint: Endpoint, dead: int, clock: MovableClock
) -> None:
    path = f"/api/v1/endpoints/{endpoint.id}/recover"
    now = iso_micros(clock.now())
    shown = (await tenant.post(path, json={"since": now, "rate_per_second": 7})).json()
    assert (shown["finished_from"], shown["rate_per_second"], shown["total"]) == (now, 7, 0)
    earlier = iso_micros(clock.now() - MINUTE)
    assert (await tenant.post(path, json={"since": earlier})).json()["total"] == dead
    for asked, pointer in (({"since": "then"}, "/since"), ({"rate_per_second": 0}, "/rate_per_second")):
        refused = await tenant.post(path, json=asked)
        assert (refused.status_code, pointers(refused)) == (422, [pointer])
