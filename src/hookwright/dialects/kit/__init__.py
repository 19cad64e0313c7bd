"""Kit (formerly ConvertKit): the older webhooks of API v4 and v3, the account, and all of OAuth."""

from fastapi import FastAPI

from hookwright.dialects.base import STANDARD_FORM, Dialect, DialectSettings
from hookwright.dialects.kit import account, authorize, automations, tokens, webhooks
from hookwright.dialects.kit.errors import install_refusals
from hookwright.dialects.kit.pages import PageRefused, answer_page_refused
from hookwright.dialects.kit.payloads import DIALECT, translate
from hookwright.dialects.kit.surface import furnish
from hookwright.operations.services import Services
from hookwright.web.methods import HeadAsGet


def build_app(services: Services, settings: DialectSettings) -> FastAPI:
    """Kit's API as one ASGI app, with its OpenAPI document at `/v4/openapi.json`."""
    app = FastAPI(
        title="Kit API",
        version="4.0",
        openapi_url="/v4/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    furnish(app, services, settings)
    install_refusals(app)
    app.add_exception_handler(PageRefused, answer_page_refused)
    for routes in (webhooks, account, automations, authorize, tokens):
        app.include_router(routes.router)
    app.add_middleware(HeadAsGet)
    return app


KIT = Dialect(
    name=DIALECT,
    prefixes=("/v4", "/v3", "/oauth"),
    translate=translate,
    forms={DIALECT: STANDARD_FORM},
    build_app=build_app,
)
