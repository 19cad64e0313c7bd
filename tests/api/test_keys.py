"""Keys over HTTP: what is shown once, what ends, and that no key makes one that reaches further."""

from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.requests import get, pointers
from hookwright.core.model import Account
from hookwright.operations.keys import authenticate_client
from hookwright.operations.services import Services

KEYS = "/api/v1/keys"


async def create(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post(KEYS, json={"name": "Test", **body})
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    key: dict[str, Any] = response.json()
    return key


async def test_a_key_of_ours_works_until_it_is_deleted(admin: httpx.AsyncClient, anyone: httpx.AsyncClient) -> None:
    key = await create(admin, kind="hookwright", scopes=["read"])
    anyone.headers["Authorization"] = f"Bearer {key['secret']}"
    assert (key["client_id"], key["client_secret"]) == (None, None)
    assert (await anyone.get("/api/v1/deliveries")).status_code == 200
    assert (await admin.delete(f"{KEYS}/{key['id']}")).status_code == 204
    assert (await anyone.get("/api/v1/deliveries")).status_code == 401
    assert (await admin.delete(f"{KEYS}/{key['id']}")).status_code == 404


async def test_a_rotated_key_has_a_new_secret(admin: httpx.AsyncClient, anyone: httpx.AsyncClient) -> None:
    key = await create(admin, kind="hookwright", scopes=["read"])
    rotated = await admin.post(f"{KEYS}/{key['id']}/rotate")
    assert rotated.status_code == 200
    assert rotated.json()["rotated_at"] is not None
    statuses = []
    for secret in (key["secret"], rotated.json()["secret"]):
        anyone.headers["Authorization"] = f"Bearer {secret}"
        statuses.append((await anyone.get("/api/v1/deliveries")).status_code)
    assert statuses == [401, 200]


async def test_a_kajabi_key_has_a_client_id_and_a_client_secret(
    admin: httpx.AsyncClient, services: Services, account: Account
) -> None:
    attributes = {"user_name": "Grace", "role_level": "owner"}
    key = await create(
        admin, kind="kajabi", account=account.id, scopes=["owner", "view:contacts"], attributes=attributes
    )
    assert key["secret"] is None
    found = await authenticate_client(services, key["client_id"], key["client_secret"])
    assert (found.id, found.attributes) == (key["id"], attributes)


async def test_secrets_are_not_shown_again(admin: httpx.AsyncClient, account: Account) -> None:
    key = await create(admin, kind="kit", account=account.id)
    shown = await get(admin, f"/keys/{key['id']}")
    assert shown == {name: value for name, value in key.items() if name not in ("secret", "client_secret")}
    assert (await get(admin, "/keys", account=account.id))["data"] == [shown]
    assert key["secret"].startswith("kit_")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "kat", "scopes": ["read"]}, "/kind"),
        ({"kind": "hookwright", "scopes": []}, "/scopes"),
        ({"kind": "hookwright", "scopes": ["fly"]}, "/scopes"),
        ({"kind": "hookwright", "scopes": ["Fly!"]}, "/scopes/0"),
        ({"kind": "kit"}, "/account"),
        ({"kind": "kit", "account": 64_000_000}, "/account"),
        ({"kind": "kit", "account": 2**60}, "/account"),
        ({"kind": "hookwright", "scopes": ["read"], "name": "\0"}, "/name"),
        ({"kind": "hookwright", "scopes": ["read"], "attributes": {"a": "\0"}}, "/attributes/a"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(admin: httpx.AsyncClient, body: Any, pointer: str) -> None:
    response = await admin.post(KEYS, json={"name": "Test", **body})
    assert response.status_code == 422
    assert pointers(response) == [pointer]


async def test_no_key_makes_a_key_that_reaches_further(
    caller_with: CallerWith, admin: httpx.AsyncClient, account: Account, other_account: Account
) -> None:
    owner = await caller_with("admin", of=account)
    own = await create(owner, kind="hookwright", scopes=["admin"])
    assert own["account"] == account.id
    foreign = await owner.post(
        KEYS, json={"name": "Test", "kind": "hookwright", "account": other_account.id, "scopes": ["read"]}
    )
    assert pointers(foreign) == ["/account"]
    platforms = next(key for key in (await get(admin, "/keys"))["data"] if key["account"] is None)
    others = await create(admin, kind="kit", account=other_account.id)
    for id in (platforms["id"], others["id"]):
        assert (await owner.get(f"{KEYS}/{id}")).status_code == 404
        assert (await owner.post(f"{KEYS}/{id}/rotate")).status_code == 404
        assert (await owner.delete(f"{KEYS}/{id}")).status_code == 404
    assert {key["account"] for key in (await get(owner, "/keys"))["data"]} == {account.id}
    assert (await owner.get(KEYS, params={"account": other_account.id})).status_code == 404
