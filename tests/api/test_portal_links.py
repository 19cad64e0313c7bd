"""`POST /api/v1/accounts/{id}/portal-links`."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.conftest import CallerWith
from hookwright.api.app import furnish
from hookwright.core.model import HOUR, Account
from hookwright.operations.portal_links import recognise_link
from hookwright.operations.services import Services


async def test_a_link_is_made_that_lets_into_the_account(
    admin: httpx.AsyncClient, services: Services, account: Account
) -> None:
    asked = {"permissions": "manage", "name": "Ada & Co", "accent": "#2B50CC", "expires_in_seconds": 600}
    answer = await admin.post(f"/api/v1/accounts/{account.id}/portal-links", json=asked)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    base_url, _, token = answer.json()["url"].partition("/portal/enter?token=")
    assert base_url == "https://hookwright.test"
    link = await recognise_link(services, token)
    assert (link.account_id, link.may_change, link.look.name) == (account.id, True, "Ada & Co")
    assert link.look.accent == "#2b50cc"
    assert link.expires_at - link.created_at == HOUR // 6


async def test_without_a_body_it_looks_for_an_hour(
    admin: httpx.AsyncClient, services: Services, account: Account
) -> None:
    answer = await admin.post(f"/api/v1/accounts/{account.id}/portal-links")
    link = await recognise_link(services, answer.json()["url"].partition("token=")[2])
    assert (link.expires_at - link.created_at, link.may_change) == (HOUR, False)


async def test_it_begins_with_where_people_reach_the_server(
    app: FastAPI, admin: httpx.AsyncClient, services: Services, account: Account
) -> None:
    furnish(app, services, public_url="https://hooks.example.com/")
    url = (await admin.post(f"/api/v1/accounts/{account.id}/portal-links")).json()["url"]
    assert url.startswith("https://hooks.example.com/portal/enter?token=hwportal_")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"expires_in_seconds": 59}, "/expires_in_seconds"),
        ({"expires_in_seconds": 604_801}, "/expires_in_seconds"),
        ({"logo": "http://cdn.example.com/logo.svg"}, "/logo"),
        ({"accent": "blue"}, "/accent"),
        ({"name": "a" * 61}, "/name"),
        ({"permissions": "admin"}, "/permissions"),
        ({"scope": "read"}, "/scope"),
    ],
)
async def test_what_is_wrong_is_named(
    admin: httpx.AsyncClient, account: Account, asked: dict[str, Any], pointer: str
) -> None:
    answer = await admin.post(f"/api/v1/accounts/{account.id}/portal-links", json=asked)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_key_makes_links_to_what_it_reaches(
    caller_with: CallerWith, account: Account, other_account: Account
) -> None:
    caller = await caller_with("admin", of=account)
    assert (await caller.post(f"/api/v1/accounts/{account.id}/portal-links")).status_code == 201
    assert (await caller.post(f"/api/v1/accounts/{other_account.id}/portal-links")).status_code == 404
    manager = await caller_with("manage", of=account)
    assert (await manager.post(f"/api/v1/accounts/{account.id}/portal-links")).status_code == 403
