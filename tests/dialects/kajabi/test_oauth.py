"""Tokens: how they are given, renewed, revoked and refused, over HTTP."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hookwright.ambient import MovableClock, digest, new_token
from hookwright.core.model import SECOND, Account, Key, Site
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi import KAJABI
from hookwright.operations.accounts import create_account
from hookwright.operations.keys import NewKey, client_id_of, create_key, delete_key, rotate_key
from hookwright.operations.services import Services

from .conftest import BASE_URL, credentials, hook

# The body that Kajabi sends for a missing and for a bogus token, as the w6w-apps client has recorded it.
REAL_401 = {
    "errors": [
        {
            "status": "401",
            "source": None,
            "title": "Unauthorized",
            "detail": "The request is missing an Authorization token, or token is invalid/has expired. "
            "Request a new token before requesting this resource again.",
        }
    ]
}


async def tokens_of(client: httpx.AsyncClient, new: NewKey, **more: str) -> dict[str, Any]:
    response = await client.post("/v1/oauth/token", data=credentials(new) | more)
    assert response.status_code == 200
    return dict(response.json())


async def status_with(client: httpx.AsyncClient, token: str) -> int:
    return (await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code


async def test_client_credentials_give_a_pair_of_tokens(client: httpx.AsyncClient, owner_key: NewKey) -> None:
    response = await client.post("/v1/oauth/token", data=credentials(owner_key))
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    pair = response.json()
    assert list(pair) == ["access_token", "refresh_token", "token_type", "expires_in"]
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 7200)
    assert await status_with(client, pair["access_token"]) == 200


async def test_credentials_may_come_as_json(client: httpx.AsyncClient, owner_key: NewKey) -> None:
    response = await client.post("/v1/oauth/token", json=credentials(owner_key))
    assert response.status_code == 200


async def test_credentials_may_come_in_parts(client: httpx.AsyncClient, owner_key: NewKey) -> None:
    # What PHP's curl makes of CURLOPT_POSTFIELDS with an array, and Postman of "form-data".
    parts = {name: (None, value) for name, value in credentials(owner_key).items()}
    response = await client.post("/v1/oauth/token", files=parts)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("grant_type", [{}, {"grant_type": "password"}])
async def test_username_and_password_are_a_key_s_id_and_secret(
    client: httpx.AsyncClient, owner_key: NewKey, grant_type: dict[str, str]
) -> None:
    form = {"username": client_id_of(owner_key.key), "password": owner_key.secret}
    response = await client.post("/v1/oauth/token", data=form | grant_type)
    assert await status_with(client, response.json()["access_token"]) == 200


async def test_a_refresh_token_may_be_used_again(client: httpx.AsyncClient, owner_key: NewKey) -> None:
    pair = await tokens_of(client, owner_key)
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    for _ in range(2):
        renewed = (await client.post("/v1/oauth/token", data=form)).json()
        assert renewed["access_token"] != pair["access_token"]
        assert await status_with(client, renewed["access_token"]) == 200
    assert await status_with(client, pair["access_token"]) == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "Missing grant_type"),
        ({"grant_type": "magic"}, 400, "Unsupported grant_type"),
        ({"grant_type": "client_credentials"}, 400, "Missing client_id or client_secret"),
        ({"grant_type": "refresh_token"}, 400, "Missing refresh_token"),
        ({"username": "ada"}, 400, "Missing username or password"),
        (
            {"grant_type": "client_credentials", "client_id": "kj_1", "client_secret": "no"},
            401,
            "Invalid client credentials",
        ),
        (
            {"grant_type": "client_credentials", "client_id": "\0", "client_secret": "\0"},
            401,
            "Invalid client credentials",
        ),
        ({"grant_type": "refresh_token", "refresh_token": "kjrt_1_no"}, 401, "Invalid refresh token"),
    ],
)
async def test_a_request_for_a_token_is_refused_flatly(
    client: httpx.AsyncClient, form: dict[str, str], status: int, error: str
) -> None:
    response = await client.post("/v1/oauth/token", data=form)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"error": error}


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a&" * 1000 + b"a=1", "application/x-www-form-urlencoded", 400),
        (b"nothing", "multipart/form-data", 400),
        (b"nothing", "multipart/form-data; boundary=x", 400),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n1\r\n--x--',
            "multipart/form-data; boundary=x",
            400,
        ),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"a" * 300_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_a_body_that_is_no_form_is_refused_flatly(
    client: httpx.AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    response = await client.post("/v1/oauth/token", content=content, headers={"Content-Type": content_type})
    assert response.status_code == status
    assert list(response.json()) == ["error"]


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer nonsense", "Bearer kjat_1_00", "Basic YTpi", "Bearer \xff"]
)
async def test_without_a_good_token_the_answer_is_kajabi_s_own(
    client: httpx.AsyncClient, authorization: str | None
) -> None:
    headers = httpx.Headers() if authorization is None else httpx.Headers({"Authorization": authorization}, "latin-1")
    for path in ("/v1/me", "/v1/sites", "/v1/hooks", "/v1/hooks/1", "/v1/hooks/purchase_sample", "/api/v1/hooks"):
        response = await client.get(path, headers=headers)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/vnd.api+json"
        assert response.json() == REAL_401


async def test_a_refresh_token_is_no_access_token(client: httpx.AsyncClient, owner_key: NewKey) -> None:
    pair = await tokens_of(client, owner_key)
    assert await status_with(client, pair["refresh_token"]) == 401


async def test_an_access_token_expires_and_its_refresh_token_renews_it(
    client: httpx.AsyncClient, owner_key: NewKey, clock: MovableClock
) -> None:
    pair = await tokens_of(client, owner_key)
    clock.move(seconds=7199)
    assert await status_with(client, pair["access_token"]) == 200
    clock.move(seconds=1)
    assert await status_with(client, pair["access_token"]) == 401
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert (await client.post("/v1/oauth/token", data=form)).status_code == 200
    clock.move(days=91)
    assert (await client.post("/v1/oauth/token", data=form)).status_code == 401


async def test_the_lifetime_of_a_token_is_a_setting(services: Services, owner_key: NewKey) -> None:
    app = KAJABI.build_app(services, DialectSettings(access_token_seconds=60))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        assert (await tokens_of(client, owner_key))["expires_in"] == 60


async def test_no_token_outlives_its_key(
    client: httpx.AsyncClient, services: Services, account: Account, clock: MovableClock
) -> None:
    id = await services.store.new_id(account.id)
    secret = new_token("kjsec", id)
    key = Key(
        id=id,
        kind="kajabi",
        account_id=account.id,
        name="Short-lived",
        scopes=("owner",),
        digest=digest(secret),
        created_at=clock.now(),
        expires_at=clock.now() + 60 * SECOND,
    )
    await services.store.add_key(key)
    pair = await tokens_of(client, NewKey(key, secret))
    assert pair["expires_in"] == 60
    clock.move(seconds=60)
    assert await status_with(client, pair["access_token"]) == 401
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert (await client.post("/v1/oauth/token", data=form)).status_code == 401
    assert (await client.post("/v1/oauth/token", data=credentials(NewKey(key, secret)))).status_code == 401


async def test_revoking_either_token_ends_both(client: httpx.AsyncClient, owner_key: NewKey) -> None:
    for name in ("access_token", "refresh_token"):
        pair = await tokens_of(client, owner_key)
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        response = await client.post("/v1/oauth/revoke", data={"token": pair[name]}, headers=headers)
        assert (response.status_code, response.content) == (200, b"")
        assert await status_with(client, pair["access_token"]) == 401
        form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
        assert (await client.post("/v1/oauth/token", data=form)).status_code == 401


async def test_revoking_needs_a_bearer_token_and_a_token_of_ours(
    client: httpx.AsyncClient, owner_key: NewKey
) -> None:
    pair = await tokens_of(client, owner_key)
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    anonymous = await client.post("/v1/oauth/revoke", data={"token": pair["access_token"]})
    assert (anonymous.status_code, list(anonymous.json())) == (401, ["error"])
    missing = await client.post("/v1/oauth/revoke", headers=headers)
    assert (missing.status_code, missing.json()) == (401, {"error": "Missing token"})
    unknown = await client.post("/v1/oauth/revoke", data={"token": "x"}, headers=headers)
    assert (unknown.status_code, unknown.json()) == (401, {"error": "Invalid token"})
    assert await status_with(client, pair["access_token"]) == 200


async def test_a_token_of_another_account_is_not_revoked_but_answered_as_unknown(
    client: httpx.AsyncClient, services: Services, owner_key: NewKey
) -> None:
    pair = await tokens_of(client, owner_key)
    other = (await create_account(services, "Blaise")).account
    others = await tokens_of(client, await create_key(services, "kajabi", other.id, "Owner", ["owner"]))
    headers = {"Authorization": f"Bearer {others['access_token']}"}
    for name in ("access_token", "refresh_token"):
        response = await client.post("/v1/oauth/revoke", data={"token": pair[name]}, headers=headers)
        assert (response.status_code, response.json()) == (401, {"error": "Invalid token"})
    assert await status_with(client, pair["access_token"]) == 200


async def test_rotating_a_key_ends_its_tokens_and_its_old_secret_at_once(
    client: httpx.AsyncClient, services: Services, owner_key: NewKey
) -> None:
    pair = await tokens_of(client, owner_key)
    rotated = await rotate_key(services, owner_key.key.id)
    assert await status_with(client, pair["access_token"]) == 401
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert (await client.post("/v1/oauth/token", data=form)).status_code == 401
    old = await client.post("/v1/oauth/token", data=credentials(owner_key))
    assert (old.status_code, old.json()) == (401, {"error": "Invalid client credentials"})
    assert await status_with(client, (await tokens_of(client, rotated))["access_token"]) == 200


async def test_deleting_a_key_ends_its_tokens_at_once(
    client: httpx.AsyncClient, services: Services, owner_key: NewKey
) -> None:
    pair = await tokens_of(client, owner_key)
    await delete_key(services, owner_key.key.id)
    assert await status_with(client, pair["access_token"]) == 401
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert (await client.post("/v1/oauth/token", data=form)).status_code == 401
    assert (await client.post("/v1/oauth/token", data=credentials(owner_key))).status_code == 401


async def test_a_token_may_ask_for_fewer_scopes(client: httpx.AsyncClient, owner_key: NewKey, site: Site) -> None:
    pair = await tokens_of(client, owner_key, scope="view:purchases openid")
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (await client.post("/v1/hooks", json=hook("purchase"), headers=headers)).status_code == 201
    assert (await client.post("/v1/hooks", json=hook("tag_added"), headers=headers)).status_code == 403
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"], "scope": "owner"}
    renewed = (await client.post("/v1/oauth/token", data=form)).json()["access_token"]
    headers = {"Authorization": f"Bearer {renewed}"}
    assert (await client.post("/v1/hooks", json=hook("tag_added"), headers=headers)).status_code == 403


async def test_a_key_has_six_hundred_requests_a_minute(
    client: httpx.AsyncClient, owner_key: NewKey, account: Account, clock: MovableClock
) -> None:
    token = (await tokens_of(client, owner_key))["access_token"]  # the first request of the minute
    assert [await status_with(client, token) for _ in range(599)] == [200] * 599
    headers = {"Authorization": f"Bearer {token}"}
    refused = await client.get("/v1/me", headers=headers)
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["title"] == "Too Many Requests"
    flat = await client.post("/v1/oauth/token", data=credentials(owner_key))
    assert (flat.status_code, list(flat.json())) == (429, ["error"])
    clock.move(seconds=int(refused.headers["retry-after"]))
    assert await status_with(client, token) == 200


async def test_every_app_counts_for_itself_and_a_setting_ends_the_counting(
    services: Services, owner_key: NewKey, app: FastAPI
) -> None:
    unlimited = KAJABI.build_app(services, DialectSettings(rate_limits=False))
    assert unlimited is not app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=unlimited), base_url=BASE_URL) as client:
        token = (await tokens_of(client, owner_key))["access_token"]
        assert {await status_with(client, token) for _ in range(601)} == {200}
