"""Who may call what."""

import httpx
import pytest

from api.conftest import BASE_URL, CallerWith
from api.requests import pointers
from hookwright.api import build_api
from hookwright.core.model import Account
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

# One route for each scope; a caller who passes gets anything but 401 and 403.
ROUTES = {
    "publish": ("POST", "/api/v1/events"),
    "read": ("GET", "/api/v1/deliveries"),
    "manage": ("POST", "/api/v1/deliveries/64/replay"),
    "admin": ("GET", "/api/v1/accounts"),
}


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        ("publish", {"publish"}),
        ("read", {"read"}),
        ("manage", {"read", "manage"}),
        ("admin", {"publish", "read", "manage", "admin"}),
    ],
)
async def test_a_scope_reaches_what_it_implies(caller_with: CallerWith, scope: str, reached: set[str]) -> None:
    caller = await caller_with(scope)
    for needed, (method, path) in ROUTES.items():
        response = await caller.request(method, path)
        assert (response.status_code != 403) == (needed in reached), needed
        if response.status_code == 403:
            assert pointers(response) == []
            assert response.json()["detail"] == f"The key lacks the scope {needed}."


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer hw_1_zz", "Bearer é", "Basic aHc6", "Bearer hw__", "hw_1_ff"]
)
async def test_without_a_key_nothing_is_answered(anyone: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode()}
    for method, path in ROUTES.values():
        response = await anyone.request(method, path, headers=headers, content=b"not JSON")
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert pointers(response) == []


async def test_a_vendors_key_is_none_of_ours(anyone: httpx.AsyncClient, services: Services, account: Account) -> None:
    for kind in ("kajabi", "kit"):
        new = await create_key(services, kind, account.id, "Test", ["admin"])
        anyone.headers["Authorization"] = f"Bearer {new.secret}"
        assert (await anyone.get("/api/v1/deliveries")).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/docs", "/healthz", "/readyz"])
async def test_what_is_public_needs_no_key(services: Services, path: str) -> None:
    transport = httpx.ASGITransport(app=build_api(services))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as anyone:
        assert (await anyone.get(path)).status_code == 200
