"""The API's app: every route below `/api/v1`, one shape of errors, an OpenAPI document and its page."""

from fastapi import FastAPI

from hookwright import __version__
from hookwright.api import (
    accounts,
    audit,
    deliveries,
    endpoints,
    event_types,
    events,
    keys,
    listeners,
    portal_links,
    publishing,
    replays,
    samples,
)
from hookwright.api.callers import Surface
from hookwright.api.document import refusals
from hookwright.api.errors import install_error_handlers
from hookwright.api.health import IsReady, Scrape, add_health, add_metrics
from hookwright.api.shortcuts import ApiWithShortcuts
from hookwright.operations.services import Services
from hookwright.web.limits import RateLimiter
from hookwright.web.methods import HeadAsGet
from hookwright.web.reference import add_reference

PREFIX = "/api/v1"
ROUTED = (
    publishing,
    events,
    event_types,
    deliveries,
    replays,
    endpoints,
    samples,
    listeners,
    accounts,
    portal_links,
    keys,
    audit,
)
DESCRIPTION = """Publish an event once; every endpoint that subscribed to it gets it in its own dialect.

202 means that the event is on disk with its deliveries. Authenticate with `Authorization: Bearer hw_…`; a key has the
scopes `publish`, `read`, `manage` (also reads) or `admin` (everything), and reaches one account or every account.

Every refusal is a problem document (RFC 9457) with a list `errors` that points to what is wrong.
"""


def build_api(
    services: Services,
    is_ready: IsReady = lambda: True,
    scrape: Scrape | None = None,
    requests_per_minute: int | None = None,
    public_url: str | None = None,
) -> FastAPI:
    """A new app over these services, with `/healthz` and `/readyz`; `is_ready` is False while the process stops.

    `scrape` gives what `/metrics` answers; without it there is no such path. Each key may make so many requests a
    minute, if a number is given. `public_url` is where people reach this server; otherwise it is where they ask.
    """
    app = new_api()
    furnish(app, services, requests_per_minute, is_ready, public_url)
    add_health(app, services, is_ready)
    if scrape is not None:
        add_metrics(app, scrape)
    return app


def furnish(
    app: FastAPI,
    services: Services,
    requests_per_minute: int | None = None,
    is_ready: IsReady = lambda: True,
    public_url: str | None = None,
) -> None:
    """Give an app's routes what they work with."""
    limiter = None if requests_per_minute is None else RateLimiter(services.clock, requests_per_minute)
    app.state.surface = Surface(services, limiter, is_ready, public_url)


def new_api() -> FastAPI:
    """The routes below `/api/v1`, before they are furnished with what they work with."""
    app = ApiWithShortcuts(
        title="Hookwright API",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=refusals(401, 403, 429, 503),
    )
    for each in ROUTED:
        app.include_router(each.router, prefix=PREFIX)
    app.shortcuts = {PREFIX + path: answer for path, answer in publishing.SHORTCUTS.items()}
    add_reference(app, f"{PREFIX}/docs")
    install_error_handlers(app)
    app.add_middleware(HeadAsGet)
    return app
