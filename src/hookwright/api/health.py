"""What an orchestrator asks: does the process live, and may it get traffic."""

import asyncio
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hookwright.api.errors import install_error_handlers
from hookwright.core.errors import Unavailable
from hookwright.operations.services import Services

STORE_SECONDS = 2.0


def build_health(services: Services, is_ready: Callable[[], bool] = lambda: True) -> Starlette:
    """An app with `/healthz` and `/readyz`; `is_ready` is the process's own word, False while it starts or stops."""

    async def show_health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def show_readiness(_: Request) -> Response:
        if not is_ready():
            return JSONResponse({"status": "starting or stopping"}, 503)
        if not await _store_answers(services):
            return JSONResponse({"status": "the store does not answer"}, 503)
        return JSONResponse({"status": "ok"})

    app = Starlette(routes=[Route("/healthz", show_health), Route("/readyz", show_readiness)])
    install_error_handlers(app)
    return app


async def _store_answers(services: Services) -> bool:
    try:
        await asyncio.wait_for(services.store.now(), STORE_SECONDS)
    except (Unavailable, TimeoutError):
        return False
    return True
