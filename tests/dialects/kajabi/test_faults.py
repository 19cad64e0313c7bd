"""When the store cannot answer, and when we are at fault: Kajabi's shapes, and nothing of our insides."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hookwright.ambient import new_token
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi import KAJABI
from hookwright.operations.services import Services
from hookwright.store.sqlite import SqliteStore

from .conftest import BASE_URL


@pytest.fixture
async def storeless_services(services: Services, tmp_path: Path) -> AsyncIterator[Services]:
    """Services on a database without tables, which cannot answer anything."""
    store = SqliteStore(tmp_path / "empty.sqlite3")
    yield replace(services, store=store)
    await store.close()


async def send(app: FastAPI, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
    # Once it has answered a fault, Starlette raises it again for the server to log.
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        return await client.request(
            method, path, data=form, headers={"Authorization": f"Bearer {new_token('kjat', 64)}"}
        )


async def test_a_store_that_cannot_answer_is_a_503_with_a_time_to_retry(storeless_services: Services) -> None:
    app = KAJABI.build_app(storeless_services, DialectSettings())
    response = await send(app, "GET", "/v1/hooks")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["errors"][0]["title"] == "Service Unavailable"
    assert "sqlite" not in response.text.lower()


async def test_a_store_that_cannot_answer_is_a_flat_503_for_a_token(storeless_services: Services) -> None:
    app = KAJABI.build_app(storeless_services, DialectSettings())
    form = {"grant_type": "client_credentials", "client_id": "kj_1s", "client_secret": new_token("kjsec", 64)}
    response = await send(app, "POST", "/v1/oauth/token", form)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert list(response.json()) == ["error"]


async def test_a_fault_of_ours_is_a_500_without_its_reason(services: Services) -> None:
    app = KAJABI.build_app(services, DialectSettings())

    async def fail() -> None:
        raise RuntimeError("secret detail")

    app.add_api_route("/v1/fault", fail)
    app.add_api_route("/v1/oauth/fault", fail)
    response = await send(app, "GET", "/v1/fault")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/vnd.api+json"
    assert response.json()["errors"][0]["title"] == "Internal Server Error"
    flat = await send(app, "GET", "/v1/oauth/fault")
    assert (flat.status_code, list(flat.json())) == (500, ["error"])
    assert "secret detail" not in response.text + flat.text
