"""Events that were accepted, and the types that can be published."""

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from api.conftest import CallerWith
from api.requests import EVENTS, get, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Account
from hookwright.core.times import iso_micros
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.operations.services import Services


async def test_an_event_is_shown_as_it_was_accepted(
    admin: httpx.AsyncClient, account: Account, clock: MovableClock
) -> None:
    data = b'{"contact": {"id": 12345678901234567, "email": "a@example.com", "more": 1.10}}'
    body = (
        b'{"type":"contact.created","account":%d,"occurred_at":"2026-01-31T18:20:00+01:00","idempotency_key":"a","data":%b}'
        % (account.id, data)
    )
    answer = (await admin.post(EVENTS, content=body)).json()
    response = await admin.get(f"{EVENTS}/{answer['event_id']}")
    assert response.status_code == 200
    assert data in response.content
    shown = response.json()
    del shown["data"]
    assert shown == {
        "id": answer["event_id"],
        "account": account.id,
        "site": None,
        "type": "contact.created",
        "occurred_at": "2026-01-31T17:20:00.000000Z",
        "accepted_at": iso_micros(clock.now()),
        "expires_at": None,
        "idempotency_key": "a",
        "ordering_key": None,
    }


async def test_an_event_whose_data_is_not_kept_any_more_is_shown_without_it(
    admin: httpx.AsyncClient, account: Account, services: Services, clock: MovableClock
) -> None:
    answer = await publish(admin, account)
    assert await services.store.prune_payloads(account.id % LANE_COUNT, clock.now() + 1, 10) == 1
    shown = await get(admin, f"/events/{answer['event_id']}")
    assert (shown["type"], shown["data"]) == ("contact.tag_added", None)


@pytest.mark.parametrize("id", ["0199c0de-0000-7000-8000-000000000000", "5", "x", "%00", "é"])
async def test_an_event_that_is_not_there_is_a_404(admin: httpx.AsyncClient, id: str) -> None:
    response = await admin.get(f"{EVENTS}/{id}")
    assert response.status_code == 404
    assert pointers(response) == []


async def test_another_accounts_event_is_a_404(
    caller_with: CallerWith, admin: httpx.AsyncClient, account: Account, other_account: Account
) -> None:
    answer = await publish(admin, account)
    stranger = await caller_with("read", of=other_account)
    assert (await stranger.get(f"{EVENTS}/{answer['event_id']}")).status_code == 404
    owner = await caller_with("read", of=account)
    assert (await owner.get(f"{EVENTS}/{answer['event_id']}")).status_code == 200


async def test_every_event_type_has_a_schema_that_its_sample_fits(admin: httpx.AsyncClient) -> None:
    types = (await get(admin, "/event-types"))["data"]
    assert [each["name"] for each in types] == [*EVENT_TYPES, *OPERATIONAL_TYPES]
    for each in types:
        Draft202012Validator(each["schema"]).validate(each["sample"])
        assert each["description"].endswith(".")
