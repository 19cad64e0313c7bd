"""What an orchestrator asks, does the process live and may it get traffic; and what a monitor reads."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hookwright.core.errors import Unavailable
from hookwright.operations.services import Services

STORE_SECONDS = 2.0

# Prometheus' text exposition format, version 0.0.4.
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

IsReady = Callable[[], bool]
Scrape = Callable[[], Awaitable[bytes]]


def add_health(app: Starlette, services: Services, is_ready: IsReady) -> None:
    """Add `/healthz` and `/readyz`; `is_ready` is the process's own word, False while it starts or stops."""

    async def show_health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def show_readiness(_: Request) -> Response:
        if not is_ready():
            return JSONResponse({"status": "starting or stopping"}, 503)
        if not await _store_answers(services):
            return JSONResponse({"status": "the store does not answer"}, 503)
        return JSONResponse({"status": "ok"})

    app.add_route("/healthz", show_health, include_in_schema=False)
    app.add_route("/readyz", show_readiness, include_in_schema=False)


def add_metrics(app: Starlette, scrape: Scrape) -> None:
    """Add `/metrics`, open to anyone who reaches it, like the paths above; it names no account and no endpoint."""

    async def show_metrics(_: Request) -> Response:
        return Response(await scrape(), headers={"content-type": METRICS_TYPE})

    app.add_route("/metrics", show_metrics, include_in_schema=False)


async def _store_answers(services: Services) -> bool:
    try:
        await asyncio.wait_for(services.store.now(), STORE_SECONDS)
    except (Unavailable, TimeoutError):
        return False
    return True
