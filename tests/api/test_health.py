"""What an orchestrator asks."""

from collections.abc import Callable

import httpx

from api.conftest import BASE_URL
from hookwright.api import build_api
from hookwright.operations.services import Services


async def statuses(services: Services, is_ready: Callable[[], bool] = lambda: True) -> list[int]:
    app = build_api(services, is_ready)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        return [(await client.get(path)).status_code for path in ("/healthz", "/readyz")]


async def test_a_process_whose_store_answers_is_ready(services: Services) -> None:
    assert await statuses(services) == [200, 200]


async def test_a_process_that_stops_is_alive_but_not_ready(services: Services) -> None:
    assert await statuses(services, lambda: False) == [200, 503]
