"""Keys over HTTP: what is shown once, what ends, and that no key makes one that reaches further."""

from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.requests import EVENTS, event, get, pointers
from hookwright.ambient import MovableClock
from hookwright.core.model import SECOND, Account, KeyKind
from hookwright.core.times import iso_micros
from hookwright.operations.grants import GrantRequest, authenticate_access, issue_tokens
from hookwright.operations.key_uses import note_key_uses
from hookwright.operations.keys import authenticate_client, authenticate_key, create_key, recall_key
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


async def test_a_key_is_refused_once_it_has_expired(
    admin: httpx.AsyncClient, anyone: httpx.AsyncClient, account: Account, clock: MovableClock
) -> None:
    end = iso_micros(clock.now() + 60 * SECOND)
    key = await create(admin, kind="hookwright", scopes=["read", "publish"], expires_at=end)
    assert key["expires_at"] == end
    anyone.headers["Authorization"] = f"Bearer {key['secret']}"
    clock.move(seconds=59.9)
    assert (await anyone.get("/api/v1/deliveries")).status_code == 200
    assert (await anyone.post(EVENTS, json=event(account))).status_code == 202
    clock.move(seconds=0.1)  # the publish routes still remember it
    for answer in (await anyone.get("/api/v1/deliveries"), await anyone.post(EVENTS, json=event(account))):
        assert (answer.status_code, answer.json()["detail"]) == (401, "The key has expired.")


async def test_a_mistyped_key_is_told_apart_from_an_unknown_one(
    admin: httpx.AsyncClient, anyone: httpx.AsyncClient
) -> None:
    key = await create(admin, kind="hookwright", scopes=["read"])
    await admin.delete(f"{KEYS}/{key['id']}")
    details = []
    for secret in (key["secret"], key["secret"][:-1]):
        anyone.headers["Authorization"] = f"Bearer {secret}"
        details.append((await anyone.get("/api/v1/deliveries")).json()["detail"])
    assert details == [
        "Unknown or deleted key.",
        "This is not a whole hookwright key: it may be cut off or mistyped.",
    ]


@pytest.mark.parametrize("how", ["key", "token", "publish"])
async def test_the_last_use_of_a_key_is_noted_once_a_minute(
    admin: httpx.AsyncClient, services: Services, account: Account, clock: MovableClock, how: str
) -> None:
    kind: KeyKind = "kajabi" if how == "token" else "hookwright"
    scope = "owner" if how == "token" else "publish"
    new = await create_key(services, kind, account.id, "Test", [scope])
    assert (await get(admin, f"/keys/{new.key.id}"))["last_used_at"] is None
    await note_key_uses(services)
    if how == "token":
        tokens = await issue_tokens(
            services, GrantRequest(kind, account.id, (), 60, key_id=new.key.id, key_digest=new.key.digest)
        )
        await authenticate_access(services, kind, tokens.access)
    else:
        await authenticate_key(services, kind, new.secret)
    if how == "publish":
        await note_key_uses(services)
        clock.move(seconds=0.5)
        assert recall_key(services, kind, new.secret) is not None
    assert await note_key_uses(services) >= 1
    shown = await get(admin, f"/keys/{new.key.id}")
    assert shown["last_used_at"] == iso_micros(clock.now())
    assert [key_id for key_id in services.key_uses.take() if key_id == new.key.id] == []


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
        ({"kind": "hookwright", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"kind": "hookwright", "scopes": ["read"], "expires_at": 3}, "/expires_at"),
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
