"""Which of many ASGI apps answers a path. An app that takes long to make may be made when it is asked first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from starlette.types import ASGIApp, Receive, Scope, Send


class MadeWhenAsked:
    """An app that is imported and made at its first request; or earlier, by whoever takes it from `app`.

    `hookwright dev` starts in half of the time without the APIs and pages that nobody asks for.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make

    @cached_property
    def app(self) -> ASGIApp:
        return self._make()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Surfaces:
    """One ASGI app of many: the longest prefix of a path decides who answers; `otherwise` answers the rest."""

    def __init__(self, surfaces: Sequence[tuple[str, ASGIApp]], otherwise: ASGIApp) -> None:
        self._surfaces = sorted(surfaces, key=lambda surface: len(surface[0]), reverse=True)
        self._otherwise = otherwise

    def made(self) -> list[tuple[str, ASGIApp]]:
        """Every app with its prefix; those that were not yet made are made now."""
        return [(prefix, app.app if isinstance(app, MadeWhenAsked) else app) for prefix, app in self._surfaces]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for prefix, app in self._surfaces:
            if path == prefix or path.startswith(prefix + "/"):
                await app(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)
