"""Accounts, signing secrets and sites, for administrators."""

from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.requests import EVENTS, event, get, pointers
from hookwright.core.model import Account


@pytest.fixture
async def owner(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    """An administrator of one account."""
    return await caller_with("admin", of=account)


async def test_an_account_is_created_with_its_signing_secret(admin: httpx.AsyncClient) -> None:
    created = await admin.post("/api/v1/accounts", json={"name": "Grace's courses"})
    assert created.status_code == 201
    assert created.headers["cache-control"] == "no-store"
    account = created.json()
    secret = account.pop("signing_secret")
    assert secret.startswith("whsec_")
    assert await get(admin, f"/accounts/{account['id']}") == account
    assert await get(admin, f"/accounts/{account['id']}/signing-secrets") == {"signing_secrets": [secret]}


async def test_a_rotated_secret_signs_beside_the_old_one(admin: httpx.AsyncClient, account: Account) -> None:
    path = f"/accounts/{account.id}/signing-secrets"
    (old,) = (await get(admin, path))["signing_secrets"]
    rotated = await admin.post(f"/api/v1{path}/rotate")
    assert rotated.status_code == 200
    assert await get(admin, path) == {"signing_secrets": [rotated.json()["signing_secret"], old]}


async def test_accounts_are_listed_in_pages(
    admin: httpx.AsyncClient, account: Account, other_account: Account
) -> None:
    first = await get(admin, "/accounts", limit=1)
    second = await get(admin, "/accounts", limit=1, cursor=first["next_cursor"])
    assert [each["id"] for each in first["data"] + second["data"]] == sorted([account.id, other_account.id])
    assert second["next_cursor"] is None


async def test_a_deleted_account_is_gone(admin: httpx.AsyncClient, account: Account) -> None:
    path = f"/api/v1/accounts/{account.id}"
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.delete(path)).status_code == 404
    for below in ("", "/signing-secrets", "/sites"):
        assert (await admin.get(path + below)).status_code == 404
    assert pointers(await admin.post(EVENTS, json=event(account))) == ["/account"]


async def test_sites_are_created_listed_and_deleted(admin: httpx.AsyncClient, account: Account) -> None:
    path = f"/api/v1/accounts/{account.id}/sites"
    created = await admin.post(path, json={"title": "Compilers", "subdomain": "compilers"})
    assert created.status_code == 201
    assert (created.json()["account"], created.json()["subdomain"]) == (account.id, "compilers")
    assert (await admin.get(path)).json() == {"data": [created.json()]}
    assert (await admin.delete(f"{path}/{created.json()['id']}")).status_code == 204
    assert (await admin.delete(f"{path}/{created.json()['id']}")).status_code == 404
    assert (await admin.get(path)).json() == {"data": []}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "a\0"}, "/name"),
        ({"name": "a" * 201}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": "a", "nmae": "b"}, "/nmae"),
        ("a", ""),
    ],
)
async def test_an_account_needs_a_name(admin: httpx.AsyncClient, body: Any, pointer: str) -> None:
    response = await admin.post("/api/v1/accounts", json=body)
    assert response.status_code == 422
    assert pointers(response) == [pointer]


@pytest.mark.parametrize("subdomain", ["", "-a", "A", "a.b", "a\0", "a" * 64, "a\n"])
async def test_a_subdomain_is_a_dns_label(admin: httpx.AsyncClient, account: Account, subdomain: str) -> None:
    response = await admin.post(
        f"/api/v1/accounts/{account.id}/sites", json={"title": "Compilers", "subdomain": subdomain}
    )
    assert pointers(response) == ["/subdomain"]


async def test_an_accounts_own_administrator_reaches_only_that_account(
    owner: httpx.AsyncClient, account: Account, other_account: Account
) -> None:
    assert [each["id"] for each in (await get(owner, "/accounts"))["data"]] == [account.id]
    assert (await owner.post("/api/v1/accounts", json={"name": "Another"})).status_code == 403
    own, other = f"/api/v1/accounts/{account.id}", f"/api/v1/accounts/{other_account.id}"
    for below in ("", "/signing-secrets", "/sites"):
        assert (await owner.get(own + below)).status_code == 200
        assert (await owner.get(other + below)).status_code == 404
    assert (await owner.post(f"{other}/signing-secrets/rotate")).status_code == 404
    assert (await owner.post(f"{other}/sites", json={"title": "Mine"})).status_code == 404
    assert (await owner.delete(f"{other}/sites/64")).status_code == 404
    assert (await owner.delete(other)).status_code == 404
