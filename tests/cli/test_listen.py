"""`hookwright listen`: what a server sends is forwarded here, and the answer goes back."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from cli.dev_server import CONTACT, Dev
from hookwright.cli.forwarding import NoTarget, target_url
from hookwright.testing.receiver import Receiver
from hookwright.verification import verify
from processes import Running, hookwright


async def one_line(process: Running) -> dict[str, Any]:
    return dict(json.loads(await process.line()))


async def test_what_is_published_is_forwarded_signed_and_its_answer_is_the_attempts(dev: Dev, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        receiver.answer(201, b"thanks", {"x-answer": "yes"})
        arguments = ("listen", f"{receiver.port}/in?a=b", "--account", dev.account, "--json")
        async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as listening:
            opened = await one_line(listening)
            event_id = await dev.publish()
            [request] = await receiver.wait_for(1)
            exchange = await one_line(listening)
            assert await listening.stop() == 0
    assert request.path == "/in?a=b"
    Webhook(opened["signing_secret"]).verify(request.body, request.headers)
    assert exchange["message_id"] == event_id
    assert (exchange["event_type"], exchange["status_code"]) == ("contact.created", 201)
    assert exchange["response"]["body"] == "thanks"
    assert exchange["response"]["headers"]["x-answer"] == "yes"
    delivery = await dev.attempted(event_id)
    assert (delivery["status"], delivery["last_status_code"]) == ("delivered", 201)
    [attempt] = (await dev.get(f"/deliveries/{delivery['id']}"))["attempts"]
    assert attempt["response_body"] == "thanks"


async def test_a_server_that_is_not_started_is_a_refused_connection(dev: Dev, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        port = str(receiver.port)
    async with hookwright(
        "listen", port, "--account", dev.account, environ=dev.environ, folder=tmp_path
    ) as listening:
        head = [await listening.line() for _ in range(4)]
        assert head[0] == f"Listening for {dev.given['url']}, forwarding to http://127.0.0.1:{port}\n"
        assert head[3].startswith("signing secret  whsec_")
        event_id = await dev.publish()
        assert "--> contact.created" in await listening.line()
        assert "<-- connect_refused in " in await listening.line()
        delivery = await dev.attempted(event_id)
        assert (delivery["status"], delivery["last_error"]) == ("pending", "connect_refused")
        assert await listening.stop() == 0


async def test_what_comes_after_the_end_waits_for_the_next_time(dev: Dev, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        arguments = ("listen", str(receiver.port), "--account", dev.account, "--json")
        async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as listening:
            first = await one_line(listening)
            assert await listening.stop() == 0
        async with Receiver() as other:
            await dev.post("/endpoints", url=other.url, events=["contact.created"])
            event_id = (await dev.post("/events", type="contact.created", data={"contact": CONTACT}))["event_id"]
            await other.wait_for(1)
        assert receiver.count == 0
        async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as listening:
            assert await one_line(listening) == first
            assert (await one_line(listening))["message_id"] == event_id
            assert await listening.stop(signal.SIGINT) == 0


async def test_a_listener_may_be_deleted_at_the_end(dev: Dev, tmp_path: Path) -> None:
    arguments = ("listen", "3000", "--account", dev.account, "--json", "--delete")
    async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as listening:
        await one_line(listening)
        assert len((await dev.get("/endpoints"))["data"]) == 1
        assert await listening.stop() == 0
    assert (await dev.get("/endpoints"))["data"] == []


async def test_a_listener_that_is_deleted_elsewhere_ends_the_command(dev: Dev, tmp_path: Path) -> None:
    arguments = ("listen", "3000", "--account", dev.account, "--json")
    async with hookwright(*arguments, environ=dev.environ, folder=tmp_path) as listening:
        opened = await one_line(listening)
        await dev.delete_endpoint(opened["endpoint"])
        await dev.post("/endpoints", url="http://127.0.0.1:9/", events=["*"])
        assert (await listening.end())[0] == 1
        assert any("does not exist" in line for line in listening.errors)


@pytest.mark.parametrize(
    ("environ", "exit_code", "told"),
    [
        ({"HOOKWRIGHT_KEY": "hw_1_no"}, 1, "hookwright: This is not a whole hookwright key"),
        (
            {"HOOKWRIGHT_KEY": "", "HOOKWRIGHT_URL": "http://127.0.0.1:9"},
            1,
            "hookwright: a key is needed: --key, or HOOKWRIGHT_KEY",
        ),
        ({"HOOKWRIGHT_URL": "http://127.0.0.1:9"}, 3, "hookwright: http://127.0.0.1:9 does not answer: "),
        ({"HOOKWRIGHT_URL": "ftp://x"}, 2, "hookwright: ftp://x is no URL of a server"),
    ],
)
async def test_what_cannot_be_is_one_line_and_its_exit_code(
    dev: Dev, tmp_path: Path, environ: dict[str, str], exit_code: int, told: str
) -> None:
    arguments = ("listen", "3000", "--account", dev.account)
    async with hookwright(*arguments, environ={**dev.environ, **environ}, folder=tmp_path) as listening:
        assert await listening.end() == (exit_code, "")
    [line] = listening.errors
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("3000", "http://127.0.0.1:3000"),
        ("3000/hooks?a=b", "http://127.0.0.1:3000/hooks?a=b"),
        ("localhost:3000/hooks", "http://localhost:3000/hooks"),
        ("https://localhost:3000", "https://localhost:3000"),
        ("[::1]:3000/x", "http://[::1]:3000/x"),
    ],
)
def test_a_target_may_be_written_in_short(text: str, url: str) -> None:
    assert target_url(text) == url


@pytest.mark.parametrize(
    "text", ["", "/hooks", "ftp://localhost", "localhost:99999", "http://", "3000/a b", "3000/ä"]
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(NoTarget):
        target_url(text)


@pytest.mark.parametrize(("form", "event"), [("kajabi", "tag_added"), ("kit", "subscriber.tag_add")])
async def test_deliveries_come_as_the_vendor_sends_them(dev: Dev, tmp_path: Path, form: str, event: str) -> None:
    site = await dev.client.post(f"/accounts/{dev.account}/sites", json={"title": "Compilers"})
    assert site.status_code == 201
    arguments = ("--account", dev.account, "--as", form, "--event", f"{event}:123", "--json")
    async with (
        Receiver() as receiver,
        hookwright("listen", str(receiver.port), *arguments, environ=dev.environ, folder=tmp_path) as listening,
    ):
        opened = await one_line(listening)
        for tag in (124, 123):
            data = {"contact": {"id": 1, "email": "ada@example.com"}, "tag": {"id": tag}}
            body = {"type": "contact.tag_added", "account": dev.account, "data": data}
            assert (await dev.client.post("/events", json=body)).status_code == 202
        [request] = await receiver.wait_for(1)
        exchange = await one_line(listening)
        assert await listening.stop() == 0
    Webhook(opened["signing_secret"]).verify(request.body, request.headers)
    assert exchange["event_type"] == event
    assert ("subscriber" in request.json()) == (form == "kit")


async def test_kits_webhook_endpoints_have_their_batches_signed_as_kit_signs_them(dev: Dev, tmp_path: Path) -> None:
    arguments = (
        "listen",
        "--account",
        dev.account,
        "--as",
        "kit_endpoints",
        "--event",
        "subscriber.created",
        "--json",
    )
    async with Receiver() as receiver:
        here = (arguments[0], str(receiver.port), *arguments[1:])
        async with hookwright(*here, environ=dev.environ, folder=tmp_path) as listening:
            await one_line(listening)
            assert await listening.stop() == 0
        for _ in range(2):  # while nobody listens, so that both wait for the same request
            await dev.publish()
        async with hookwright(*here, environ=dev.environ, folder=tmp_path) as listening:
            opened = await one_line(listening)
            [request] = await receiver.wait_for(1)
            exchange = await one_line(listening)
            assert await listening.stop() == 0
    delivery_id, events = request.json()["delivery_id"], request.json()["events"]
    assert [event["type"] for event in events] == ["subscriber.created"] * 2
    assert request.headers["x-kit-delivery"] == str(delivery_id)
    timestamp = int(request.headers["x-kit-signature"].split(",")[0].removeprefix("t="))
    assert verify(request.headers, request.body, opened["signing_secret"], timestamp, tolerance=0).valid
    assert (exchange["delivery"], exchange["message_id"]) == (delivery_id, f"delivery {delivery_id}")
    assert (exchange["event_type"], exchange["status_code"]) == ("subscriber.created", 200)
    deliveries = (await dev.get("/deliveries"))["data"]
    assert [each["status"] for each in deliveries] == ["delivered", "delivered"]
