"""Who may call what."""

import re

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

# The scopes that an operation takes, by the one that it needs.
ALLOWED_BY = {
    "publish": {"publish", "admin"},
    "read": {"read", "manage", "admin"},
    "manage": {"manage", "admin"},
    "admin": {"admin"},
}
PUBLIC_PATHS = {"/healthz", "/readyz", "/api/v1/docs", "/api/v1/openapi.json"}


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


async def test_every_operation_says_which_scope_it_needs_and_takes_no_less(
    caller_with: CallerWith, anyone: httpx.AsyncClient
) -> None:
    callers = {scope: await caller_with(scope) for scope in ALLOWED_BY}
    paths = (await anyone.get("/api/v1/openapi.json")).json()["paths"]
    operations = [
        (method, path, said["security"][0]["Key"]) for path, those in paths.items() for method, said in those.items()
    ]
    assert len(operations) > 35
    for method, path, [needed] in operations:
        for scope, caller in callers.items():
            answer = await caller.request(method, re.sub(r"{\w+}", "6464", path))
            assert (answer.status_code != 403) == (scope in ALLOWED_BY[needed]), (method, path, scope, answer.text)


def test_every_route_but_the_public_ones_is_in_the_document(services: Services) -> None:
    app = build_api(services)
    included = [route.original_router for route in app.routes if hasattr(route, "original_router")]
    assert all(route.include_in_schema for router in included for route in router.routes)
    assert {route.path for route in app.routes if hasattr(route, "path")} == PUBLIC_PATHS


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
