"""The console's app: every page below `/console`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from hookwright.ambient import new_token
from hookwright.console import deliveries, home, replays, sign_in
from hookwright.console.assets import show_asset
from hookwright.console.errors import install_error_pages
from hookwright.console.security import Secured
from hookwright.console.surface import ConsoleSettings, Surface, furnish
from hookwright.operations.services import Services
from hookwright.operations.sessions import TOKEN_PREFIX
from hookwright.web.methods import HeadAsGet

PREFIX = "/console"

ROUTES = (
    Route(f"{PREFIX}/static/{{digest}}/{{name}}", show_asset),
    *sign_in.ROUTES,
    *home.ROUTES,
    *replays.ROUTES,
    *deliveries.ROUTES,
)


def build_console(services: Services, settings: ConsoleSettings) -> ASGIApp:
    """A new app over these services. Another section is a module with ROUTES, and a line in `navigation`."""
    app = Starlette(routes=ROUTES)
    app.router.redirect_slashes = False
    furnish(app, Surface(services, settings, new_token(TOKEN_PREFIX, 0)))
    install_error_pages(app)
    # Outside of the app, so that its page for our own faults has the headers too.
    return Secured(HeadAsGet(app))
