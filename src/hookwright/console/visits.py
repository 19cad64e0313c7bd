"""A visit: one request of somebody who may look, with what a page needs to answer it."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hookwright.console.pages import page
from hookwright.console.surface import PREFIX, Surface, surface_of
from hookwright.console.viewers import Viewer, viewer_of
from hookwright.core.errors import Forbidden, Invalid, NotFound, Problem
from hookwright.core.lanes import id_in
from hookwright.core.model import Account, Instant
from hookwright.operations.services import Services
from hookwright.store.base import Store
from hookwright.web.limits import read_body

FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field
MAX_FORM_BYTES = 64 * 1024
MOST_ACCOUNTS_OFFERED = 200
SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Visit:
    """The request, who looks, the surface, and the fields of the form if it is one."""

    request: Request
    viewer: Viewer
    surface: Surface
    form: dict[str, list[str]]

    @property
    def services(self) -> Services:
        """What operations work with, on behalf of whoever looks."""
        return self.surface.services.on_behalf_of(self.viewer.actor)

    @property
    def store(self) -> Store:
        return self.surface.services.store

    @property
    def now(self) -> Instant:
        return self.surface.services.clock.now()

    def asked(self, name: str) -> str:
        """A parameter of the query, or nothing."""
        return asked_in(self.request, name)

    def field(self, name: str) -> str:
        """A field of the form, or nothing."""
        return self.form.get(name, [""])[0]

    def path_id(self, name: str = "id") -> int:
        """An id that the address names. Raises NotFound for what is none."""
        id = id_in(self.request.path_params[name])
        if id is None:
            raise NotFound("There is nothing here.")
        return id

    async def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page inside the frame."""
        frame = {"viewer": self.viewer, "now": self.now, "path": self.request.url.path, **await self._accounts()}
        return page(self.request, template, status=status, **frame, **values)

    async def _accounts(self) -> dict[str, Any]:
        """The account that is shown, and those that an administrator may pick."""
        if not self.viewer.is_administrator:
            assert self.viewer.own_account_id is not None
            return {"account": await self.store.account(self.viewer.own_account_id), "accounts": ()}
        accounts = await self.store.accounts(limit=MOST_ACCOUNTS_OFFERED)
        picked = self.viewer.picked_account_id
        account = next((each for each in accounts if each.id == picked), None)
        if account is None and picked is not None:
            account = await self.store.account(picked)
        return {"account": account, "accounts": _with(accounts, account)}


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def for_viewers(handler: Handler) -> Endpoint:
    """A route for people who may look. What is not a GET is a form, and has to come from a page of ours."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        viewer = await viewer_of(request)
        form: dict[str, list[str]] = {}
        if request.method not in SAFE_METHODS:
            require_same_origin(request)
            form = await read_form(request)
            _require_form_token(form, viewer)
        return await handler(Visit(request, viewer, surface_of(request), form))

    return answer


def for_those_who_change(handler: Handler) -> Endpoint:
    """A route for people who may change something. Raises Forbidden to everybody else."""

    @functools.wraps(handler)
    async def answer(visit: Visit) -> Response:
        visit.viewer.require_change()
        return await handler(visit)

    return for_viewers(answer)


def for_administrators(handler: Handler) -> Endpoint:
    """A route for people who administer. Raises Forbidden to everybody else."""

    @functools.wraps(handler)
    async def answer(visit: Visit) -> Response:
        visit.viewer.require_administration()
        return await handler(visit)

    return for_viewers(answer)


def asked_in(request: Request, name: str) -> str:
    """A parameter of the query, or nothing."""
    return request.query_params.get(name, "").replace("\0", "")  # PostgreSQL's text holds no NUL


async def read_form(request: Request) -> dict[str, list[str]]:
    """The fields of a form. Raises BodyTooLarge, Invalid."""
    body = await read_body(request, MAX_FORM_BYTES)
    text = body.decode(errors="replace")
    if "%00" in text or "\0" in text:  # PostgreSQL's text holds no NUL
        raise Invalid(Problem("", "A field holds a NUL character."))
    return parse_qs(text, keep_blank_values=True)


def require_same_origin(request: Request) -> None:
    """Raises Forbidden for a form that another site sends, as the browser tells (Fetch Metadata, RFC 6454)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("This form came from another site.")
    origin = request.headers.get("origin")
    # By the host alone: behind a TLS proxy we do not see the scheme that the browser speaks.
    if site is None and origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("This form came from another site.")


def parse_place(text: str) -> tuple[Instant, int] | None:
    """Where a page of a list goes on: a time and an id, such as `1700000000000000-64`. None: at the newest."""
    instant, id = (id_in(part) for part in (text.partition("-")[0], text.partition("-")[2]))
    return None if instant is None or id is None else (instant, id)


def see_other(path: str) -> Response:
    """Go on to another page of the console, by GET."""
    return RedirectResponse(local_path(path), 303)


def local_path(path: str) -> str:
    """A path of the console; anything else, such as the address of another site, becomes the first page."""
    is_ours = path == PREFIX or path.startswith((PREFIX + "/", PREFIX + "?"))
    return path if is_ours and path.isprintable() and "\\" not in path else PREFIX


def _require_form_token(form: dict[str, list[str]], viewer: Viewer) -> None:
    given = form.get(FORM_TOKEN, [""])[0]
    if not hmac.compare_digest(given.encode(), viewer.form_token.encode()):
        raise Forbidden("This form is out of date. Go back, load the page again and repeat what you did.")


def _with(accounts: list[Account], account: Account | None) -> list[Account]:
    return accounts if account is None or account in accounts else [*accounts, account]
