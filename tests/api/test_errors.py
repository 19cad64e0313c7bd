"""Every refusal has one shape, and no fault tells of our insides."""

from dataclasses import replace

import httpx

from api.conftest import BASE_URL
from api.requests import pointers
from hookwright.ambient import Clock
from hookwright.api import build_api
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services


async def test_an_unknown_path_has_the_shape_of_every_refusal(anyone: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/nothing", "/api/v1/accounts/", "/api/v1/accounts/5/nothing", "/api/v1/%00"):
        response = await anyone.get(path)
        assert response.status_code == 404
        assert pointers(response) == []


async def test_a_wrong_method_names_the_right_ones(anyone: httpx.AsyncClient) -> None:
    response = await anyone.put("/api/v1/events")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert pointers(response) == []


async def test_a_path_with_several_methods_names_them_all(anyone: httpx.AsyncClient) -> None:
    assert (await anyone.put("/api/v1/keys")).headers["allow"] == "GET, POST, HEAD"


async def test_head_is_answered_as_get_without_the_content(admin: httpx.AsyncClient) -> None:
    response = await admin.head("/api/v1/keys")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


async def test_an_id_that_could_be_nobodys_is_a_404(admin: httpx.AsyncClient) -> None:
    for id in ("x", "-1", "5.0", "+5", "1_0", str(2**53), "9" * 5000, "%00", "٣"):
        for path in ("deliveries", "accounts", "keys"):
            response = await admin.get(f"/api/v1/{path}/{id}")
            assert response.status_code == 404, (path, id)
            assert pointers(response) == []


class BrokenClock:
    """A clock that fails, as our own code might."""

    def now(self) -> int:
        raise RuntimeError("secret insides")

    time_of_day = now


async def test_a_fault_of_ours_tells_nothing(services: Services) -> None:
    key = await create_key(services, "hookwright", None, "Test", ["admin"])
    broken: Clock = BrokenClock()
    app = build_api(replace(services, clock=broken))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        response = await client.post(
            "/api/v1/accounts", json={"name": "Ada"}, headers={"Authorization": f"Bearer {key.secret}"}
        )
    assert response.status_code == 500
    assert pointers(response) == []
    assert "secret" not in response.text
