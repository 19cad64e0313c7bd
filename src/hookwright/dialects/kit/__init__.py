"""Kit (formerly ConvertKit): the webhooks of API v4, older and newer, those of v3, the account, and all of OAuth."""

from collections.abc import Iterable
from itertools import chain

from fastapi import FastAPI

from hookwright.core.model import Event, Notice
from hookwright.core.vocabulary import Data
from hookwright.dialects.base import STANDARD_FORM, Dialect, DialectSettings
from hookwright.dialects.kit import (
    account,
    authorize,
    automations,
    endpoint_deliveries,
    endpoints,
    tokens,
    webhooks,
)
from hookwright.dialects.kit.endpoint_events import ENDPOINT_DIALECT
from hookwright.dialects.kit.endpoint_payloads import translate_for_endpoints
from hookwright.dialects.kit.envelopes import ENDPOINT_FORM
from hookwright.dialects.kit.errors import install_refusals
from hookwright.dialects.kit.pages import PageRefused, answer_page_refused
from hookwright.dialects.kit.payloads import DIALECT, translate_for_webhooks
from hookwright.dialects.kit.surface import furnish
from hookwright.operations.services import Services
from hookwright.web.methods import HeadAsGet


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
    app.add_middleware(HeadAsGet)
    return app


def translate(event: Event, data: Data | None) -> Iterable[Notice]:
    """The notices of an event for both kinds of webhooks."""
    return chain(translate_for_webhooks(event, data), translate_for_endpoints(event, data))


KIT = Dialect(
    name=DIALECT,
    prefixes=("/v4", "/v3", "/oauth"),
    translate=translate,
    forms={DIALECT: STANDARD_FORM, ENDPOINT_DIALECT: ENDPOINT_FORM},
    build_app=build_app,
)
