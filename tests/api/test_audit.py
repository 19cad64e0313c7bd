"""`/api/v1/audit` and the ways in which something is changed."""

import httpx
import pytest
from fastapi import FastAPI

from api.conftest import CallerWith
from hookwright.core.model import Account
from hookwright.operations.services import Services


async def test_a_change_through_the_api_is_there_with_its_key(admin: httpx.AsyncClient, account: Account) -> None:
    await admin.post(f"/api/v1/accounts/{account.id}/sites", json={"title": "Compilers"})
    (entry, *_) = (await admin.get("/api/v1/audit")).json()["data"]
    assert list(entry) == ["id", "at", "account", "action", "object", "way", "actor"]
    assert (entry["account"], entry["action"], entry["way"]) == (account.id, "site.created", "api")
    assert (entry["actor"]["kind"], entry["actor"]["name"]) == ("key", "Test")


async def test_pages_follow_one_another(admin: httpx.AsyncClient, account: Account) -> None:
    for number in range(5):
        await admin.post(f"/api/v1/accounts/{account.id}/sites", json={"title": f"Site {number}"})
    seen: list[str] = []
    params = {"limit": "2", "action": "site.created"}
    while True:
        page = (await admin.get("/api/v1/audit", params=params)).json()
        seen += [entry["object"] for entry in page["data"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5


async def test_a_key_of_an_account_sees_what_was_changed_there(
    caller_with: CallerWith, account: Account, other_account: Account
) -> None:
    caller = await caller_with("admin", of=account)
    entries = (await caller.get("/api/v1/audit")).json()["data"]
    assert {entry["account"] for entry in entries} == {account.id}
    assert (await caller.get("/api/v1/audit", params={"account": other_account.id})).status_code == 404


@pytest.mark.parametrize("scope", ["read", "manage", "publish"])
async def test_it_is_for_administrators(caller_with: CallerWith, scope: str) -> None:
    assert (await (await caller_with(scope)).get("/api/v1/audit")).status_code == 403


@pytest.mark.parametrize("params", [{"way": "fax"}, {"since": "5"}, {"cursor": "x"}, {"limit": "0"}, {"else": "1"}])
async def test_filters_that_make_no_sense_are_refused(admin: httpx.AsyncClient, params: dict[str, str]) -> None:
    assert (await admin.get("/api/v1/audit", params=params)).status_code == 422


async def test_publishing_is_not_noted(
    app: FastAPI, services: Services, admin: httpx.AsyncClient, account: Account
) -> None:
    before = (await admin.get("/api/v1/audit")).json()
    event = {"type": "contact.created", "account": account.id, "data": {"contact": {"id": 1, "email": "a@b.example"}}}
    assert (await admin.post("/api/v1/events", json=event)).status_code == 202
    assert (await admin.get("/api/v1/audit")).json() == before
