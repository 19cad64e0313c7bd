"""The receiver for tries: it takes what is sent, shows it, and answers as it is told to."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import ASGIApp, Message

from hookwright.ambient import MovableClock
from hookwright.play import NAMES_KEPT, REQUESTS_KEPT, Play
from test_server import serving

FIRST = "/play/first"
PATIENCE_SECONDS = 10


@pytest.fixture
async def play(clock: MovableClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the receiver's, without a socket."""
    transport = httpx.ASGITransport(app=Play(clock).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as client:
        yield client


async def test_whatever_is_sent_is_answered_200_and_shown_newest_first(play: httpx.AsyncClient) -> None:
    assert (await play.post(FIRST, content=b"one", headers={"webhook-id": "1"})).status_code == 200
    assert (await play.post(f"{FIRST}?a=b", content=b"\xff")).status_code == 200
    shown = (await play.get(FIRST)).json()
    assert shown["url"] == f"http://127.0.0.1:8090{FIRST}"
    assert shown["count"] == 2
    newest, oldest = shown["requests"]
    assert (oldest["method"], oldest["path"], oldest["body"], oldest["answered"]) == ("POST", FIRST, "one", 200)
    assert oldest["headers"]["webhook-id"] == "1"
    assert (newest["path"], newest["body"]) == (f"{FIRST}?a=b", "\N{REPLACEMENT CHARACTER}")


async def test_names_have_nothing_to_do_with_each_other(play: httpx.AsyncClient) -> None:
    await play.put(FIRST, json={"status": 500})
    assert (await play.post("/play/second")).status_code == 200
    assert (await play.get(FIRST)).json()["count"] == 0


async def test_it_answers_as_it_is_told_to(play: httpx.AsyncClient) -> None:
    told = {"status": 503, "headers": {"Retry-After": "7"}, "body": "later"}
    assert (await play.put(FIRST, json=told)).json()["status"] == 503
    answer = await play.post(FIRST)
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (503, "7", "later")


async def test_it_may_fail_a_few_times_and_then_succeed(play: httpx.AsyncClient) -> None:
    await play.put(FIRST, json={"status": 500, "times": 2})
    assert [(await play.post(FIRST)).status_code for _ in range(3)] == [500, 500, 200]
    assert [each["answered"] for each in (await play.get(FIRST)).json()["requests"]] == [200, 500, 500]


async def test_deleting_forgets_requests_and_answers(play: httpx.AsyncClient) -> None:
    await play.put(FIRST, json={"status": 500})
    await play.post(FIRST)
    assert (await play.delete(FIRST)).status_code == 204
    assert (await play.get(FIRST)).json()["count"] == 0
    assert (await play.post(FIRST)).status_code == 200


async def test_a_browser_is_shown_plain_text(play: httpx.AsyncClient) -> None:
    await play.post(FIRST, content=b"<script>")
    page = await play.get(FIRST, headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/plain")
    assert "  <script>" in page.text
    assert f"curl -X PUT http://127.0.0.1:8090{FIRST}" in page.text


@pytest.mark.parametrize(
    "told",
    [
        {"status": 99},
        {"status": 600},
        {"delay_seconds": 61},
        {"times": 0},
        {"staus": 500},
        {"headers": {"x": "a\r\nb"}},
        {"headers": {"Content-Length": "5"}},
        {"status": 204, "body": "x"},
    ],
)
async def test_what_could_not_be_answered_is_refused(play: httpx.AsyncClient, told: dict[str, object]) -> None:
    assert (await play.put(FIRST, json=told)).status_code == 422
    assert (await play.post(FIRST)).status_code == 200


async def test_it_remembers_the_last_requests_and_names_only(play: httpx.AsyncClient) -> None:
    for number in range(REQUESTS_KEPT + 1):
        await play.post(FIRST, content=str(number))
    shown = (await play.get(FIRST)).json()
    assert (shown["count"], len(shown["requests"]), shown["requests"][-1]["body"]) == (101, REQUESTS_KEPT, "1")
    for number in range(NAMES_KEPT):
        await play.post(f"/play/{number}")
    assert (await play.get(FIRST)).json()["count"] == 0


async def test_it_can_be_slow_drip_and_reset(clock: MovableClock) -> None:
    async with serving(Play(clock).app) as port, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{port}{FIRST}"
        await client.put(url, json={"delay_seconds": 0.01, "drip_seconds": 0.01, "body": "drop"})
        assert (await client.post(url)).text == "drop"
        await client.put(url, json={"reset": True})
        with pytest.raises(httpx.TransportError):
            await client.post(url)
        assert (await client.get(url)).json()["requests"][0]["answered"] is None


class Asker:
    """Who posts once, and is gone as soon as somebody looks; or stays."""

    def __init__(self, *, leaves: bool) -> None:
        self._posted = False
        self._leaves = leaves
        self.answered: list[Message] = []

    async def ask(self, app: ASGIApp) -> None:
        scope = {"type": "http", "method": "POST", "path": FIRST, "query_string": b"", "headers": []}
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._posted:
            self._posted = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if not self._leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.answered.append(message)


async def test_a_body_that_drips_comes_in_pieces(clock: MovableClock) -> None:
    play, asker = Play(clock).app, Asker(leaves=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=play), base_url="http://play") as client:
        await client.put(FIRST, json={"drip_seconds": 0.01, "body": "drop"})
    await asker.ask(play)
    assert [each["body"] for each in asker.answered[1:]] == [b"d", b"r", b"o", b"p", b""]


async def test_whoever_does_not_wait_for_a_slow_answer_costs_nothing(clock: MovableClock) -> None:
    play, asker = Play(clock).app, Asker(leaves=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=play), base_url="http://play") as client:
        await client.put(FIRST, json={"delay_seconds": 60, "body": "late"})
    await asker.ask(play)  # at once, not after a minute
    assert asker.answered == []
