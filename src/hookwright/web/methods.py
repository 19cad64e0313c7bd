"""Methods that every path answers alike: HEAD wherever GET is, and an `Allow` header that names them all."""

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROUTED = ("GET", "POST", "PUT", "PATCH", "DELETE")


class HeadAsGet:
    """Answers HEAD as GET without the content (RFC 9110 §9.3.2); FastAPI's routes refuse it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_content(send))
        else:
            await self._app(scope, receive, send)


def allowed_methods(request: Request) -> str:
    """The methods of the path that a request came to, for the `Allow` header of a 405 (RFC 9110 §15.5.6).

    The router's own header names only those of the first route that fits the path.
    """
    methods = [method for method in ROUTED if _routed(request, method)]
    if "GET" in methods:
        methods.append("HEAD")
    return ", ".join(methods)


def _routed(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


def _without_content(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head
