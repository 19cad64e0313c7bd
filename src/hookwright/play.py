"""A receiver for tries, built into `hookwright dev`: `/play/<name>` takes what is sent and answers as it is told to.

PUT says how a name answers from now on, GET shows that and what it was sent, DELETE forgets both. Any other method
is a request to be received. Nothing is kept on disk, and nobody is asked who they are: it is for one's own machine.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hookwright.ambient import Clock
from hookwright.core.model import Instant
from hookwright.core.times import iso_millis
from hookwright.web.limits import BodyTooLarge, read_body

PREFIX = "/play"
REQUESTS_KEPT = 100
NAMES_KEPT = 100
MAX_BODY_BYTES = 16 * 1024 * 1024
ABORT = "hookwright.abort"  # the extension of a request's scope that cuts its connection
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_PATIENCE_SECONDS = 5
_FRAMING = ("content-length", "transfer-encoding", "connection")

Seconds = Annotated[float, Meta(ge=0, le=60)]


class Answering(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a name answers."""

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    headers: dict[str, str] = {}
    body: str = ""
    delay_seconds: Seconds = 0.0  # before the answer
    drip_seconds: Seconds = 0.0  # over which the body is spread, a piece at a time
    reset: bool = False  # cut the connection in place of an answer
    times: Annotated[int, Meta(ge=1)] | None = None  # for so many requests; then 200 again


class Taken(Struct, frozen=True, kw_only=True):
    """A request that was received."""

    received_at: str
    method: str
    path: str
    headers: dict[str, str]
    body: str
    answered: int | None  # None: its connection was cut


class Shown(Struct, frozen=True, kw_only=True):
    """What GET shows of a name: the newest request first."""

    url: str
    answering: Answering
    count: int
    requests: list[Taken]


class _Receiver:
    """What one name is told, and was sent."""

    def __init__(self) -> None:
        self.answering = Answering()
        self.count = 0
        self.requests: deque[Taken] = deque(maxlen=REQUESTS_KEPT)

    def next_answering(self) -> Answering:
        """How to answer this request; it counts."""
        answering = self.answering
        if answering.times is not None:
            left = answering.times - 1
            self.answering = msgspec.structs.replace(answering, times=left) if left else Answering()
        return answering


class Play:
    """Every name's receiver, as one ASGI app; a name is there as soon as it is used."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._receivers: OrderedDict[str, _Receiver] = OrderedDict()
        self.app: ASGIApp = Starlette(routes=[Route(f"{PREFIX}/{{name}}", self._answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> ASGIApp:
        receiver = self._named(request.path_params["name"])
        match request.method:
            case "GET" | "HEAD":
                return _show(request, receiver)
            case "PUT":
                return await _tell(request, receiver)
            case "DELETE":
                del self._receivers[request.path_params["name"]]
                return Response(status_code=204)
            case _:
                return await self._take(request, receiver)

    def _named(self, name: str) -> _Receiver:
        receiver = self._receivers.setdefault(name, _Receiver())
        self._receivers.move_to_end(name)
        if len(self._receivers) > NAMES_KEPT:
            self._receivers.popitem(last=False)
        return receiver

    async def _take(self, request: Request, receiver: _Receiver) -> ASGIApp:
        try:
            body = await read_body(request, MAX_BODY_BYTES)
        except BodyTooLarge:
            return PlainTextResponse("The body is too large.", 413)
        except ClientDisconnect:
            return Response(status_code=400)
        answering = receiver.next_answering()
        receiver.count += 1
        receiver.requests.appendleft(_taken(request, body, answering, self._clock.now()))
        return _Answer(answering)


class _Answer:
    """An answer as slow, and as rude, as it is told to be."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = self._answering
        if await _left_within(answering.delay_seconds, receive):
            return
        if answering.reset and ABORT in scope.get("extensions", {}):
            # In the middle of an answer: Hookwright tries once more where a kept connection ends without one.
            await send(_head(answering, 1))
            scope["extensions"][ABORT]()
            await _left_within(_PATIENCE_SECONDS, receive)  # the server is told, or it takes this for a fault of ours
            return
        body = answering.body.encode()
        await send(_head(answering, len(body)))
        pieces = [body[at : at + 1] for at in range(len(body))] if answering.drip_seconds else [body]
        for piece in pieces:
            if await _left_within(answering.drip_seconds / len(pieces), receive):
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _head(answering: Answering, length: int) -> Message:
    headers = {name.lower(): value for name, value in answering.headers.items()}
    if answering.status not in (204, 304):  # RFC 9110 §8.6
        headers["content-length"] = str(length)
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": answering.status, "headers": raw}


async def _left_within(seconds: float, receive: Receive) -> bool:
    """Wait so long; True as soon as whoever asked is gone."""
    if not seconds:
        return False
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _tell(request: Request, receiver: _Receiver) -> Response:
    try:
        answering = msgspec.json.decode(await read_body(request) or b"{}", type=Answering)
        _check_headers(answering)
    except BodyTooLarge:
        return PlainTextResponse("The body is too large.", 413)
    except (msgspec.DecodeError, ValueError) as error:
        return PlainTextResponse(f"{error}\n", 422)
    receiver.answering = answering
    return _json(answering)


def _check_headers(answering: Answering) -> None:
    """Raises ValueError for what could not be sent."""
    if answering.body and answering.status in (204, 304):
        raise ValueError(f"an answer with the status {answering.status} has no body")
    for name, value in answering.headers.items():
        text = f"{name}{value}"
        is_text = name and text.isascii() and text.isprintable()
        if not is_text or name.lower() in _FRAMING:
            raise ValueError(f"the header {name!r} cannot be sent")


def _show(request: Request, receiver: _Receiver) -> Response:
    shown = Shown(
        url=f"{request.url.scheme}://{request.url.netloc}{request.url.path}",
        answering=receiver.answering,
        count=receiver.count,
        requests=list(receiver.requests),
    )
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse("\n".join(_page(shown)))
    return _json(shown)


def _page(shown: Shown) -> list[str]:
    """What a browser shows: plain text, so that nothing that was sent can be more than that."""
    answering = msgspec.json.encode(shown.answering).decode()
    lines = [shown.url, "", f"answers   {answering}", f"received  {shown.count}", ""]
    if not shown.requests:
        lines += ["Nothing was received yet. Make an endpoint with this URL, and publish.", ""]
    for taken in shown.requests:
        lines += [f"{taken.received_at}  {taken.method} {taken.path}  -> {taken.answered or 'cut'}"]
        lines += [f"  {name}: {value}" for name, value in taken.headers.items()]
        lines += ["", f"  {taken.body}", ""]
    return [*lines, f'Change the answers:  curl -X PUT {shown.url} -d \'{{"status": 500, "times": 2}}\'', ""]


def _taken(request: Request, body: bytes, answering: Answering, now: Instant) -> Taken:
    query = f"?{request.url.query}" if request.url.query else ""
    return Taken(
        received_at=iso_millis(now),
        method=request.method,
        path=f"{request.url.path}{query}",
        headers=dict(request.headers),
        body=body.decode(errors="replace"),
        answered=None if answering.reset else answering.status,
    )


def _json(value: Any) -> Response:
    return Response(msgspec.json.format(msgspec.json.encode(value)) + b"\n", media_type="application/json")
