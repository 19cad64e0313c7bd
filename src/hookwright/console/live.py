"""Server-sent events: pages that change while one looks.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.responses import Response, StreamingResponse

from hookwright.console.surface import MOST_STREAMS, Surface
from hookwright.core.errors import Unavailable
from hookwright.core.model import MINUTE, Instant

EVERY_SECONDS = 1.0

# A browser comes back by itself; then it is asked again who is there.
LASTS_FOR: Instant = MINUTE
COME_BACK_AFTER_MILLIS = 2_000

Look = Callable[[], Awaitable[list[tuple[str, object]]]]


def stream(surface: Surface, look: Look, every_seconds: float = EVERY_SECONDS) -> Response:
    """An answer that looks every second and sends what is new: pairs of an event's name and its data.

    It ends after a minute, or when the process stops; browsers reconnect. 503 when too many are open.
    """
    if surface.streams >= MOST_STREAMS:
        return Response(status_code=503)
    return StreamingResponse(_events(surface, look, every_seconds), media_type="text/event-stream")


def event_text(name: str, data: object) -> str:
    """One event. JSON has no line break inside, so its data is one line."""
    return f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"


async def _events(surface: Surface, look: Look, every_seconds: float) -> AsyncIterator[str]:
    surface.streams += 1
    clock = surface.services.clock
    until = clock.now() + LASTS_FOR
    try:
        yield f"retry: {COME_BACK_AFTER_MILLIS}\n\n"
        while surface.settings.is_ready() and clock.now() < until:
            try:
                found = await look()
            except Unavailable:
                return
            # A comment where nothing is new: it finds out whether anybody still listens.
            yield "".join(event_text(name, data) for name, data in found) or ": \n\n"
            await asyncio.sleep(every_seconds)
    finally:
        surface.streams -= 1
