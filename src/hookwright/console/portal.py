"""The portal: the console's pages for one account, opened by a signed link, under the platform's own name.

Its pages are the console's own, one door further: what asks for `/portal/…` is answered by what answers `/console/…`,
and on the way out each address of the console becomes one of the portal. No page has to know where it stands.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hookwright.console.assets import KEPT_FOR_A_YEAR
from hookwright.console.cookies import cookie_of
from hookwright.console.surface import PREFIX, surface_of
from hookwright.console.viewers import PORTAL_COOKIE
from hookwright.console.visits import see_other
from hookwright.core.colours import DARK_GROUND, LIGHT_GROUND, accent_on, is_colour
from hookwright.core.errors import NotFound
from hookwright.core.model import SECOND
from hookwright.core.portal import PORTAL_PREFIX
from hookwright.operations.portal_links import recognise_link

# What of the console is for those who sign in with a key.
NOT_IN_THE_PORTAL = {f"{PREFIX}/{page}" for page in ("sign-in", "sign-out", "account")}

# An address in markup, also where the markup is in JSON. Only a page's own quotes stand there as they are: those of
# whatever is shown are escaped, so nothing that a receiver or a publisher sent is ever taken for an address.
ADDRESS = re.compile(rb'((?:href|src|action|formaction|data-live|data-changes)=\\?")/console(?=[/?#"\\])')
MOVED = rb"\1" + PORTAL_PREFIX.encode()
MARKUP = ("text/html", "text/event-stream")


async def enter(request: Request) -> Response:
    """Open a link: from now on the browser carries it as a cookie, and the address no longer holds it."""
    surface = surface_of(request)
    token = request.query_params.get("token", "")
    link = await recognise_link(surface.services, token)
    seconds = max(1, (link.expires_at - surface.services.clock.now()) // SECOND)
    answer = see_other(PREFIX)
    answer.headers.append("Set-Cookie", cookie_of(surface, PORTAL_COOKIE, token, seconds, is_secure=True))
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


async def show_accent(request: Request) -> Response:
    """A stylesheet of a few lines: one accent colour, as it can be read in either theme."""
    colour = f"#{request.path_params['colour']}"
    if not is_colour(colour):
        raise NotFound("There is nothing here.")
    light, dark = accent_on(colour, LIGHT_GROUND), accent_on(colour, DARK_GROUND)
    style = (
        f":root {{ --accent: light-dark({light.colour}, {dark.colour}); --on-accent: light-dark({light.text},"
        f" {dark.text}); --chosen: light-dark({LIGHT_GROUND}, {DARK_GROUND}); }}\n"
    )
    return Response(style, media_type="text/css", headers={"Cache-Control": KEPT_FOR_A_YEAR})


class Door:
    """Answers for the portal with the pages of the console."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = PREFIX + scope["path"].removeprefix(PORTAL_PREFIX)
        await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, _Moving(send))


class _Moving:
    """Passes an answer on with its addresses moved. Its head waits for the body, whose length changes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: Message | None = None
        self._is_markup = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            _move(headers)
            self._is_markup = headers.get("content-type", "").startswith(MARKUP)
            self._head = message
            return
        body = message.get("body", b"")
        if self._is_markup:
            body = ADDRESS.sub(MOVED, body)
        if self._head is not None:
            head, self._head = self._head, None
            headers = MutableHeaders(scope=head)
            if self._is_markup and "content-length" in headers:
                headers["content-length"] = str(len(body))
            await self._send(head)
        await self._send({**message, "body": body})


def _move(headers: MutableHeaders) -> None:
    """Where it leads to, and for which pages its cookies are."""
    ours, moved = PREFIX.encode(), PORTAL_PREFIX.encode()
    for place, (name, value) in enumerate(headers.raw):
        if name == b"location" and value.startswith(ours):
            headers.raw[place] = name, moved + value.removeprefix(ours)
        elif name == b"set-cookie":
            headers.raw[place] = name, value.replace(b"Path=" + ours, b"Path=" + moved)


def portal_routes(console: tuple[Route, ...]) -> tuple[Route, ...]:
    """The portal's routes: those of the console that are not for whoever signs in, and its own."""
    return (
        Route(f"{PREFIX}/enter", enter, methods=["GET"]),
        Route(f"{PREFIX}/accent/{{colour}}.css", show_accent, methods=["GET"]),
        *(route for route in console if route.path not in NOT_IN_THE_PORTAL),
    )
