"""Refusals and faults as pages; nobody who is not signed in is told anything but where to sign in."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hookwright.console.pages import page, with_query
from hookwright.console.surface import PREFIX, surface_of
from hookwright.console.visits import SAFE_METHODS, see_other
from hookwright.core.errors import (
    Conflict,
    Forbidden,
    HookwrightError,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from hookwright.web.limits import BodyTooLarge

SIGN_IN = f"{PREFIX}/sign-in"


def install_error_pages(app: Starlette) -> None:
    """Make an app answer every refusal, and every fault of ours, as a page."""
    for kind in (HookwrightError, BodyTooLarge, ClientDisconnect, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, Unauthorized):
        return _to_portal_link(request) if surface_of(request).is_portal else _to_sign_in(request)
    status, title, reason = _refusal_of(error)
    return page(request, "error.html", status=status, title=title, reason=reason)


def _to_portal_link(request: Request) -> Response:
    if _asks_for_a_part(request):
        return Response(status_code=401)
    return page(request, "portal_ended.html", status=401)


def _asks_for_a_part(request: Request) -> bool:
    """Whether it is the script that asks, which loads the page anew once it is told that nobody is signed in."""
    is_stream = "text/event-stream" in request.headers.get("accept", "")
    return is_stream or request.headers.get("sec-fetch-mode") == "cors"


def _to_sign_in(request: Request) -> Response:
    if _asks_for_a_part(request):
        return Response(status_code=401)
    here = str(request.url.path)
    if request.url.query:
        here += f"?{request.url.query}"
    return see_other(with_query(SIGN_IN, next=here if request.method in SAFE_METHODS else None))


def _refusal_of(error: Exception) -> tuple[int, str, str]:
    match error:
        case Invalid():
            return 422, "That does not fit", "; ".join(problem.message for problem in error.problems)
        case Forbidden():
            return 403, "Not allowed", str(error)
        case NotFound():
            return 404, "Not found", "There is nothing here, or it is not yours to see."
        case Conflict():
            return 409, "Not now", str(error)
        case Unavailable():
            return 503, "The database does not answer", "Try again in a moment. Nothing that was accepted is lost."
        case BodyTooLarge():
            return 413, "Too large", "The form is larger than this page takes."
        case ClientDisconnect():
            return 400, "Cut off", "The form ended early."
        case HTTPException() if error.status_code == 404:
            return 404, "Not found", "There is nothing at this address."
        case HTTPException():
            return error.status_code, "Not possible", "This address does not answer to that."
        case _:
            return 500, "Something went wrong", "The fault is ours, and it is in the log."
