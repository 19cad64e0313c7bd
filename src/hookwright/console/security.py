"""Headers of every answer: nothing inline, nothing from elsewhere, in no frame unless the operator says in whose."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: that would make browsers send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOT_KEPT = "no-store"

# In the scope of a request: a list of the origins that pictures of this one answer may also come from.
ALLOWED_IMAGES = "hookwright.allowed_images"


def policy(images: Sequence[str] = (), frame_ancestors: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' data:", *(origin for origin in images if origin))),
            "connect-src 'self'",
            "form-action 'self'",
            " ".join(("frame-ancestors", *(frame_ancestors or ("'none'",)))),
            "base-uri 'none'",
        )
    )


class Secured:
    """Puts the headers on whatever an app answers; unless it says otherwise, nothing is kept by caches."""

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str] = ()) -> None:
        self._app = app
        self._frame_ancestors = frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        images: list[str] = []

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy(images, self._frame_ancestors)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if not self._frame_ancestors:
                    headers["X-Frame-Options"] = "DENY"  # it knows no list of sites
                headers.setdefault("Cache-Control", NOT_KEPT)
            await send(message)

        await self._app({**scope, ALLOWED_IMAGES: images}, receive, send_secured)
