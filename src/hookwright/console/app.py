"""The console's app: every page below `/console`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from hookwright.ambient import new_token
from hookwright.console import (
    accounts,
    apps,
    audit,
    declared_types,
    deliveries,
    endpoint_actions,
    endpoint_editing,
    endpoints,
    event_types,
    home,
    keys,
    replays,
    sign_in,
)
from hookwright.console.assets import show_asset
from hookwright.console.errors import install_error_pages
from hookwright.console.portal import Door, portal_routes
from hookwright.console.security import Secured
from hookwright.console.surface import PREFIX, ConsoleSettings, Surface, furnish
from hookwright.operations.services import Services
from hookwright.operations.sessions import TOKEN_PREFIX
from hookwright.web.methods import HeadAsGet

ROUTES = (
    Route(f"{PREFIX}/static/{{digest}}/{{name}}", show_asset),
    *sign_in.ROUTES,
    *accounts.ROUTES,
    *keys.ROUTES,
    *apps.ROUTES,
    *audit.ROUTES,
    *home.ROUTES,
    *replays.ROUTES,
    *deliveries.ROUTES,
    *endpoint_editing.ROUTES,
    *endpoint_actions.ROUTES,
    *endpoints.ROUTES,
    *declared_types.ROUTES,
    *event_types.ROUTES,
)


def build_console(services: Services, settings: ConsoleSettings) -> ASGIApp:
    """A new app over these services. Another section is a module with ROUTES, and a line in `navigation`."""
    app = _app_of(ROUTES, Surface(services, settings, new_token(TOKEN_PREFIX, 0)))
    # Outside of the app, so that its page for our own faults has the headers too.
    return Secured(HeadAsGet(app))


def build_portal(services: Services, settings: ConsoleSettings) -> ASGIApp:
    """The same pages for whoever has a portal link, at the portal's addresses."""
    app = _app_of(portal_routes(ROUTES), Surface(services, settings, "", is_portal=True))
    return Secured(HeadAsGet(Door(app)), settings.frame_ancestors)


def _app_of(routes: Sequence[Route], surface: Surface) -> Starlette:
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    furnish(app, surface)
    install_error_pages(app)
    return app
