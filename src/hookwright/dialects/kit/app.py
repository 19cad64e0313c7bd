"""Kit's API as one ASGI app: every route with its full path, Kit's errors, and an OpenAPI document."""

from fastapi import FastAPI

from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kit import (
    account,
    authorize,
    automations,
    endpoint_deliveries,
    endpoints,
    tokens,
    webhooks,
)
from hookwright.dialects.kit.errors import install_refusals
from hookwright.dialects.kit.pages import PageRefused, answer_page_refused
from hookwright.dialects.kit.surface import furnish
from hookwright.operations.services import Services
from hookwright.web.methods import HeadAsGet
from hookwright.web.rails import LikeRails


def build_app(services: Services, settings: DialectSettings) -> FastAPI:
    """Kit's API as one ASGI app, with its OpenAPI document at `/v4/openapi.json`."""
    app = new_app()
    furnish(app, services, settings)
    return app


def new_app() -> FastAPI:
    """The routes, before they are furnished with what they work with."""
    app = FastAPI(
        title="Kit API",
        version="4.0",
        openapi_url="/v4/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    install_refusals(app)
    app.add_exception_handler(PageRefused, answer_page_refused)
    for routes in (webhooks, endpoints, endpoint_deliveries, account, automations, authorize, tokens):
        app.include_router(routes.router)
    app.add_middleware(LikeRails)
    app.add_middleware(HeadAsGet)
    return app
