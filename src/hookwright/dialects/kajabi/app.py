"""The Kajabi app: every route with its full path, Kajabi's errors, and an OpenAPI document."""

from typing import Any

from fastapi import FastAPI

from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi import account, hooks, oauth, samples
from hookwright.dialects.kajabi.callers import new_surface
from hookwright.dialects.kajabi.documents import JsonApi
from hookwright.dialects.kajabi.errors import install_error_handlers
from hookwright.dialects.kajabi.schemas import request_schemas
from hookwright.operations.services import Services
from hookwright.web.methods import HeadAsGet
from hookwright.web.openapi import drop_foreign_refusals
from hookwright.web.rails import LikeRails

DESCRIPTION = """The part of Kajabi's public API that concerns webhooks, served by Hookwright.

It follows Kajabi's openapi.yaml 1.1.0, so what an integration written for Kajabi does with hooks, sites and tokens
works when its base URL points here. Contacts, offers, orders and the rest of Kajabi's API are not served.
"""


class KajabiApp(FastAPI):
    """A FastAPI app that also documents the bodies which its routes read themselves."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, which FastAPI makes once and keeps."""
        described = super().openapi()
        described["components"]["schemas"] |= request_schemas()
        drop_foreign_refusals(described)
        return described


def build_app(services: Services, settings: DialectSettings) -> FastAPI:
    """A new app over these services, with a count of requests of its own."""
    app = new_app()
    furnish(app, services, settings)
    return app


def furnish(app: FastAPI, services: Services, settings: DialectSettings) -> None:
    """Give an app's routes what they work with."""
    app.state.surface = new_surface(services, settings)


def new_app() -> FastAPI:
    """The routes, before they are given what they work with."""
    app = KajabiApp(
        title=account.TITLE,
        version=account.VERSION,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lose the body of a POST in many clients
        default_response_class=JsonApi,
    )
    app.include_router(oauth.router, prefix="/v1")
    app.include_router(account.router, prefix="/v1")
    for prefix, superseded in (("/v1", None), ("/api/v1", True)):
        # The samples come first: `/hooks/{id}` would take their paths for ids.
        app.include_router(samples.router, prefix=prefix, deprecated=superseded)
        app.include_router(hooks.router, prefix=prefix, deprecated=superseded)
    install_error_handlers(app)
    app.add_middleware(LikeRails)
    app.add_middleware(HeadAsGet)
    return app
