"""Live pages: what a stream sends, whom it ends with, and how many may be open."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse

from hookwright.console import ConsoleSettings, live
from hookwright.console.live import MOST_STREAMS_OF_ONE_VIEWER, Look, stream
from hookwright.console.security import ALLOWED_IMAGES
from hookwright.console.surface import Surface, furnish
from hookwright.console.viewers import PORTAL_COOKIE, SESSION_COOKIE, Viewer
from hookwright.console.visits import asked_in
from hookwright.core.errors import Unauthorized
from hookwright.core.model import HOUR, Account
from hookwright.core.portal import Look as PortalLook
from hookwright.operations.audit import actor_with
from hookwright.operations.keys import NewKey, create_key, delete_key
from hookwright.operations.portal_links import create_portal_link
from hookwright.operations.services import Services
from hookwright.operations.sessions import begin_session

LIVE = ("/console/live", "/console/deliveries/live")


def surface_on(services: Services, **settings: object) -> Surface:
    made = ConsoleSettings(forms={}, retry_schedule=(0,), **settings)  # type: ignore[arg-type] # as they are named
    return Surface(services, made, "token", is_portal=False)


def request_to(surface: Surface, *, cookie: str = "", query: bytes = b"") -> Request:
    """A request of a browser on this machine."""
    app = Starlette()
    furnish(app, surface)
    headers = [(b"host", b"127.0.0.1"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "app": app, "method": "GET", "path": "/", "query_string": query, "headers": headers}
    return Request({**scope, "client": ("127.0.0.1", 1), ALLOWED_IMAGES: []})


async def session_of(services: Services, key: NewKey) -> str:
    return f"{SESSION_COOKIE}={(await begin_session(services, key.secret)).token}"


async def nothing_new(viewer: Viewer) -> list[tuple[str, object]]:
    return []


async def events_of(request: Request, look: Look = nothing_new) -> AsyncIterator[str]:
    """What a stream that looks again at once sends."""
    response = await stream(request, look, every_seconds=0)
    assert isinstance(response, StreamingResponse)
    async for each in response.body_iterator:
        yield str(each)


async def test_a_stream_sends_what_each_look_finds_until_the_process_stops(services: Services) -> None:
    ready = [True, True, False]
    surface = surface_on(services, sign_in=False, is_ready=lambda: ready.pop(0))
    looks: list[list[tuple[str, object]]] = [[("row", {"id": 1})], []]

    async def look(viewer: Viewer) -> list[tuple[str, object]]:
        return looks.pop(0)

    sent = [each async for each in events_of(request_to(surface), look)]
    assert sent == ["retry: 2000\n\n", 'event: row\ndata: {"id":1}\n\n', ": \n\n"]
    assert not surface.streams


@pytest.mark.parametrize("opened_by", ["session", "link"])
async def test_a_stream_ends_with_the_key_that_it_was_opened_by(
    services: Services, account: Account, opened_by: str
) -> None:
    key = await create_key(services, "hookwright", None, "Grace", ("admin",))
    surface = surface_on(services)
    cookie = await session_of(services, key)
    if opened_by == "link":
        surface.is_portal = True
        by_key = services.on_behalf_of(actor_with(key.key, "api"))
        link = await create_portal_link(by_key, account.id, HOUR, PortalLook(name="Ada"), may_change=False)
        cookie = f"{PORTAL_COOKIE}={link.token}"
    looks = []

    async def look(viewer: Viewer) -> list[tuple[str, object]]:
        looks.append(viewer)
        if len(looks) == 2:
            await delete_key(services, key.key.id)
        return []

    assert len([each async for each in events_of(request_to(surface, cookie=cookie), look)]) == 3
    assert len(looks) == 2
    with pytest.raises(Unauthorized):
        await stream(request_to(surface, cookie=cookie), look)


async def test_one_viewer_has_a_few_streams_and_leaves_room_for_others(services: Services) -> None:
    surface = surface_on(services)
    key = await create_key(services, "hookwright", None, "Grace", ("read",))
    one, other = await session_of(services, key), await session_of(services, key)
    open_ones = [events_of(request_to(surface, cookie=one)) for _ in range(MOST_STREAMS_OF_ONE_VIEWER)]
    for each in open_ones:
        assert await anext(each) == "retry: 2000\n\n"
    refused = [each async for each in events_of(request_to(surface, cookie=one))]
    assert refused == ['retry: 30000\n\nevent: refused\ndata: "not live: too many pages are open"\n\n']
    assert await anext(events_of(request_to(surface, cookie=other))) == "retry: 2000\n\n"


async def test_only_so_many_streams_are_open_at_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    surface = surface_on(services, sign_in=False)
    first = events_of(request_to(surface))
    assert await anext(first) == "retry: 2000\n\n"
    assert "refused" in await anext(events_of(request_to(surface)))


@pytest.mark.parametrize("path", LIVE)
async def test_nobody_listens_without_a_key(anyone: httpx.AsyncClient, path: str) -> None:
    assert (await anyone.get(path, headers={"accept": "text/event-stream"})).status_code == 401


def test_what_a_stream_is_asked_for_holds_no_nul(services: Services) -> None:
    request = request_to(surface_on(services), query=b"q=order%00_1")
    assert asked_in(request, "q") == "order_1"
