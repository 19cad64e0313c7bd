"""What Ruby on Rails, on which Kajabi's and Kit's APIs run, does around the routes of every app.

Sources: Rails' router, to which `/v4/webhooks/` is `/v4/webhooks`, and a path without the method that is asked for is
none; Rack::Utils::HTTP_STATUS_CODES; Rack::ETag and Rack::ConditionalGet, whose headers stand in every recorded
answer of Kit's (linyiru/kit-rb, spec/cassettes/integration) and were seen on Kajabi's.
"""

import hashlib
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Without a word on it, a shared cache might keep what one API key has read for the next one.
CACHED_PRIVATELY = "max-age=0, private, must-revalidate"
NOT_CACHED = "no-cache"

# Rack 2's phrases where those of Python differ, from Rack's or from one version to the next: 3.13 has RFC 9110's.
_PHRASES = {
    413: "Payload Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Entity",
}


class LikeRails:
    """Overlooks a slash at the end of a path, tells caches what to do, answers 304 to who has the answer already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match") if scope["method"] == "GET" else None
        await self._app(_without_slash_at_the_end(scope), receive, _Answer(asked, send).send)


class _Answer:
    """One answer on its way out; its head waits for the body that the ETag is made of."""

    def __init__(self, if_none_match: str | None, send: Send) -> None:
        self._if_none_match = if_none_match
        self._send = send
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            message = _label(head, message, self._if_none_match)
            await self._send(head)
        await self._send(message)


def phrase_of(status: int) -> str:
    """What Rails calls a status, under every Python alike."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def as_routed_by_rails(status: int) -> int:
    """What Rails' router answers where ours refuses: it knows no 405, only routes that there are not."""
    return 404 if status == 405 else status


def etag_of(content: bytes) -> str:
    """Rack's weak tag of a body."""
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'


def _label(head: Message, body: Message, if_none_match: str | None) -> Message:
    """Give a head what Rails gives it, unless its route has its own say; the body that goes with it then."""
    headers = MutableHeaders(raw=head["headers"])
    if "cache-control" in headers:
        return body
    content = b"" if body.get("more_body", False) else body.get("body", b"")
    if head["status"] not in (200, 201) or not content:
        headers["Cache-Control"] = NOT_CACHED
        return body
    headers["Cache-Control"] = CACHED_PRIVATELY
    headers["ETag"] = etag_of(content)
    if head["status"] == 201 or not _names(if_none_match, headers["ETag"]):
        return body
    head["status"] = 304
    del headers["content-type"]
    del headers["content-length"]
    return {**body, "body": b""}


def _names(if_none_match: str | None, etag: str) -> bool:
    return if_none_match is not None and etag in (each.strip() for each in if_none_match.split(","))


def _without_slash_at_the_end(scope: Scope) -> Scope:
    if not scope["path"].endswith("/"):
        return scope
    return {**scope, "path": scope["path"].rstrip("/") or "/", "raw_path": scope["raw_path"].rstrip(b"/") or b"/"}
