"""Sign in with a key, sign out, pick an account, choose a theme."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.cookies import cookie_of
from hookwright.console.pages import THEME_COOKIE, THEMES, page
from hookwright.console.surface import PREFIX, surface_of
from hookwright.console.viewers import ACCOUNT_COOKIE, SESSION_COOKIE, viewer_of
from hookwright.console.visits import (
    Visit,
    for_viewers,
    local_path,
    read_form,
    require_same_origin,
    see_other,
)
from hookwright.core.errors import Forbidden, Unauthorized
from hookwright.core.lanes import id_in
from hookwright.core.model import SECOND
from hookwright.core.sessions import LASTS_FOR
from hookwright.operations.accounts import require_account
from hookwright.operations.sessions import begin_session, end_session

A_YEAR_SECONDS = 365 * 86_400


async def show_sign_in(request: Request) -> Response:
    """The page that asks for a key; whoever may look already is sent on."""
    next_path = local_path(request.query_params.get("next", ""))
    try:
        await viewer_of(request)
    except Unauthorized:
        return _sign_in_page(request, next_path)
    return see_other(next_path)


async def sign_in(request: Request) -> Response:
    """Begin a session. It has a new token each time, so one that somebody planted before is worth nothing."""
    require_same_origin(request)
    surface = surface_of(request)
    form = await read_form(request)
    next_path = local_path(form.get("next", [""])[0])
    try:
        signed_in = await begin_session(surface.services, form.get("key", [""])[0].strip())
    except Unauthorized:
        # Only wrong keys are counted, and a right one is never refused: behind a proxy many may have one address.
        if not surface.sign_ins.admits(request.client.host if request.client else None):
            wait = surface.sign_ins.seconds_left()
            return _sign_in_page(request, next_path, f"No such key, and too many tries. Wait {wait} seconds.", 429)
        return _sign_in_page(request, next_path, "No such key. It begins with hw_ and is not expired?", 401)
    except Forbidden as refusal:
        return _sign_in_page(request, next_path, f"Not with this key: {refusal}.", 403)
    answer = see_other(next_path)
    answer.set_cookie(
        SESSION_COOKIE,
        signed_in.token,
        max_age=LASTS_FOR // SECOND,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


async def sign_out(visit: Visit) -> Response:
    """End the session, here and on the server."""
    if visit.viewer.session is not None:
        await end_session(visit.services, visit.viewer.session)
    answer = see_other(f"{PREFIX}/sign-in")
    answer.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    answer.delete_cookie(ACCOUNT_COOKIE, path=PREFIX)
    return answer


async def pick_account(visit: Visit) -> Response:
    """Look at one account, or (with none) at all of them, until another is picked."""
    text = visit.field("account")
    answer = see_other(visit.field("next"))
    if not text:
        answer.delete_cookie(ACCOUNT_COOKIE, path=PREFIX)
        return answer
    account = await require_account(visit.services, id_in(text) or 0)
    visit.viewer.require_reach(account.id)
    answer.set_cookie(ACCOUNT_COOKIE, str(account.id), path=PREFIX, httponly=True, samesite="lax")
    return answer


async def choose_theme(visit: Visit) -> Response:
    """Light, dark, or as the system says."""
    answer = see_other(visit.field("next"))
    theme = visit.field("theme")
    if theme in THEMES:
        answer.headers.append("Set-Cookie", cookie_of(visit.surface, THEME_COOKIE, theme, A_YEAR_SECONDS))
    return answer


def _sign_in_page(request: Request, next_path: str, problem: str = "", status: int = 200) -> Response:
    return page(request, "sign_in.html", status=status, next_path=next_path, problem=problem)


ROUTES = (
    Route(f"{PREFIX}/sign-in", show_sign_in, methods=["GET"]),
    Route(f"{PREFIX}/sign-in", sign_in, methods=["POST"]),
    Route(f"{PREFIX}/sign-out", for_viewers(sign_out), methods=["POST"]),
    Route(f"{PREFIX}/account", for_viewers(pick_account), methods=["POST"]),
    Route(f"{PREFIX}/theme", for_viewers(choose_theme), methods=["POST"]),
)
