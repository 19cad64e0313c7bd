"""A way past FastAPI for the paths that carry the load: its routing costs several times what a publish does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hookwright.api.callers import Surface
from hookwright.api.document import DocumentedApi
from hookwright.api.errors import response_to

Answer = Callable[[Surface, Scope, Receive], Awaitable[Response]]


class ApiWithShortcuts(DocumentedApi):
    """The API's app, which answers a POST to some paths itself; what it raises is answered as FastAPI's routes do.

    Each of these paths also has a FastAPI route: for the document, for other methods, and for an app that is mounted
    below another path.
    """

    shortcuts: Mapping[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        answer = self.shortcuts.get(scope["path"]) if is_post else None
        if answer is None:
            await super().__call__(scope, receive, send)
        else:
            await _respond(self.state.surface, answer, scope, receive, send)


async def _respond(surface: Surface, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        response = await answer(surface, scope, receive)
    except Exception as error:
        refusal = response_to(error)
        await refusal(scope, receive, send)
        if refusal.status_code == 500:  # a fault of ours, which the server logs
            raise
    else:
        await response(scope, receive, send)
