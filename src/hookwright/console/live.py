"""Server-sent events: pages that change while one looks.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hookwright.console.surface import Surface, surface_of
from hookwright.console.viewers import Viewer, viewer_of
from hookwright.core.errors import Forbidden, Unauthorized, Unavailable
from hookwright.core.model import MINUTE, Instant

EVERY_SECONDS = 1.0

LASTS_FOR: Instant = MINUTE
COME_BACK_AFTER_MILLIS = 2_000

MOST_STREAMS = 100
# As many as a browser opens to one host over HTTP/1.1: with more pages than that open, none of them would load.
MOST_STREAMS_OF_ONE_VIEWER = 6
COME_BACK_TO_A_FULL_HOUSE_AFTER_MILLIS = 30_000
FULL_HOUSE = "not live: too many pages are open"

Look = Callable[[Viewer], Awaitable[list[tuple[str, object]]]]


async def stream(request: Request, look: Look, every_seconds: float = EVERY_SECONDS) -> Response:
    """An answer that looks every second and sends what is new: pairs of an event's name and its data.

    Who looks is asked before each look: a stream ends with the key, session or link that opened it, else after a
    minute, or when the process stops; browsers come back. One that is too many is told so. Raises Unauthorized.
    """
    viewer = await viewer_of(request, is_there=False)
    return StreamingResponse(_events(request, viewer, look, every_seconds), media_type="text/event-stream")


def event_text(name: str, data: object) -> str:
    """One event. JSON has no line break inside, so its data is one line."""
    return f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"


async def _events(request: Request, viewer: Viewer, look: Look, every_seconds: float) -> AsyncIterator[str]:
    surface, who = surface_of(request), viewer.counted_as
    if not _is_room_for(who, surface.streams):
        yield f"retry: {COME_BACK_TO_A_FULL_HOUSE_AFTER_MILLIS}\n\n" + event_text("refused", FULL_HOUSE)
        return
    surface.streams[who] += 1
    clock = surface.services.clock
    until = clock.now() + LASTS_FOR
    try:
        yield f"retry: {COME_BACK_AFTER_MILLIS}\n\n"
        while _goes_on(surface, until):
            try:
                found = await look(await viewer_of(request, is_there=False))
            except (Unauthorized, Forbidden, Unavailable):
                # Nobody who may look any more, or no database: whoever comes back is told.
                return
            # A comment where nothing is new: it finds out whether anybody still listens.
            yield "".join(event_text(name, data) for name, data in found) or ": \n\n"
            await asyncio.sleep(every_seconds)
    finally:
        surface.streams -= Counter([who])


def _is_room_for(who: object, streams: Counter[object]) -> bool:
    return streams[who] < MOST_STREAMS_OF_ONE_VIEWER and streams.total() < MOST_STREAMS


def _goes_on(surface: Surface, until: Instant) -> bool:
    return surface.settings.is_ready() and surface.services.clock.now() < until
