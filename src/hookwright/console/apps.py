"""OAuth apps, for the platform's administrators: programs that accounts may let in."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.forms import NOTHING_REFUSED, Refused
from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_administrators, see_other
from hookwright.core.errors import Invalid
from hookwright.operations.apps import NewApp, client_id_of, create_app, delete_app

PATH = f"{PREFIX}/apps"
MOST_SHOWN = 200


async def list_apps(visit: Visit) -> Response:
    """Every app."""
    visit.viewer.require_platform()
    return await _page(visit)


async def add_app(visit: Visit) -> Response:
    """Create an app, and show its secret this once."""
    visit.viewer.require_platform()
    uris = visit.field("redirect_uris").split()
    try:
        new = await create_app(visit.services, visit.field("name").strip(), uris, visit.field("public") != "yes")
    except Invalid as refusal:
        return await _page(visit, refused=Refused.by("app", refusal), status=422)
    return await _page(visit, new=new)


async def remove_app(visit: Visit) -> Response:
    """Delete an app with its tokens."""
    visit.viewer.require_platform()
    app_id = visit.path_id()
    await delete_app(visit.services, app_id)
    return see_other(with_query(PATH, told=f"App {app_id} is deleted."))


async def _page(
    visit: Visit, new: NewApp | None = None, refused: Refused = NOTHING_REFUSED, status: int = 200
) -> Response:
    apps = await visit.store.apps()
    return await visit.page(
        "apps.html",
        status=status,
        apps=[(app, client_id_of(app)) for app in apps[:MOST_SHOWN]],
        left_out=max(0, len(apps) - MOST_SHOWN),
        new=new,
        refused=refused,
        typed=visit.field,
        told=visit.asked("told")[:100],
    )


ROUTES = (
    Route(PATH, for_administrators(list_apps), methods=["GET"]),
    Route(PATH, for_administrators(add_app), methods=["POST"]),
    Route(f"{PATH}/{{id}}/delete", for_administrators(remove_app), methods=["POST"]),
)
