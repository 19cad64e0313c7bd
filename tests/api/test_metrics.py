"""`/metrics`: text for Prometheus where it is switched on, no such path where it is not."""

import httpx

from api.conftest import BASE_URL
from hookwright.api import build_api
from hookwright.operations.services import Services
from hookwright.telemetry.metrics import Metrics, Scrape


async def get_metrics(services: Services, scrape: Scrape | None) -> httpx.Response:
    app = build_api(services, scrape=scrape)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        return await client.get("/metrics")


async def test_the_metrics_are_prometheus_text(services: Services) -> None:
    answer = await get_metrics(services, Scrape(Metrics(), services.store, services.clock))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE hookwright_events_published_total counter\n" in answer.text
    assert "\nhookwright_deliveries_due 0.0\n" in answer.text


async def test_switched_off_there_is_no_such_path(services: Services) -> None:
    assert (await get_metrics(services, None)).status_code == 404
