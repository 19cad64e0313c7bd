"""The live screens at a terminal: drawn, driven by keys, and the terminal left as it was whatever happens."""

import re
import signal
from pathlib import Path

import httpx
import pytest

from cli.dev_server import Dev
from terminals import Terminal, at_terminal

DEV = ("dev", "--port", "0")


async def test_dev_shows_credentials_and_a_first_delivery_needs_one_key(tmp_path: Path) -> None:
    async with at_terminal(*DEV, environ={}, folder=tmp_path) as terminal:
        await terminal.until("admin key             hw_")
        await terminal.until("Press t for a first one")
        terminal.press("t")
        place = await terminal.until("ms  delivered")
        terminal.press("d")
        await terminal.until("Attempt 1 at ", place)
        terminal.press("dr")
        await terminal.until("delivered at attempt 2", place)
        terminal.press("q")
        assert await terminal.end() == 0
        assert terminal.is_as_it_was()


async def test_dev_shows_the_headers_of_an_answer_that_delivered_nothing(tmp_path: Path) -> None:
    async with at_terminal(*DEV, environ={}, folder=tmp_path) as terminal:
        await terminal.until("Press t for a first one")
        url = re.search(rb"http://127\.0\.0\.1:\d+", terminal.drawn)
        assert url is not None
        async with httpx.AsyncClient(trust_env=False) as client:
            answering = {"status": 500, "headers": {"x-why": "tired", "set-cookie": "sid=1234"}}
            assert (await client.put(f"{url[0].decode()}/play/first", json=answering)).is_success
        terminal.press("t")
        place = await terminal.until("ms  next")
        terminal.press("d")
        await terminal.until("x-why: tired", place)
        await terminal.until("set-cookie: (not kept", place)
        terminal.press("q")
        assert await terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_dev_leaves_the_terminal_as_it_was_when_a_signal_ends_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with at_terminal(*DEV, environ={}, folder=tmp_path) as terminal:
        await terminal.until("q quit")
        assert not terminal.is_as_it_was()
        terminal.send(number)
        assert await terminal.end() == 0
        assert terminal.is_as_it_was()


async def test_ctrl_c_ends_dev_and_ctrl_z_does_nothing(tmp_path: Path) -> None:
    async with at_terminal(*DEV, environ={}, folder=tmp_path) as terminal:
        await terminal.until("q quit")
        terminal.press("\x1a")
        terminal.press("i")
        await terminal.until("Press t")
        terminal.send(signal.SIGINT)  # what Ctrl-C is, where the terminal controls the process
        assert await terminal.end() == 0
        assert terminal.is_as_it_was()


async def test_dev_prints_plain_lines_when_it_is_told_to(tmp_path: Path) -> None:
    async with at_terminal(*DEV, "--compact", environ={}, folder=tmp_path) as terminal:
        await terminal.until("Ctrl-C ends it.")
        assert b"\x1b[?1049h" not in terminal.drawn
        terminal.send(signal.SIGINT)
        assert await terminal.end() == 0


@pytest.mark.parametrize("end", ["q", signal.SIGINT, signal.SIGTERM, "deleted"])
async def test_listen_leaves_the_terminal_as_it_was(dev: Dev, tmp_path: Path, end: str | signal.Signals) -> None:
    arguments = ("listen", "3000", "--account", dev.account)
    async with at_terminal(*arguments, environ=dev.environ, folder=tmp_path) as terminal:
        await terminal.until("signing secret  whsec_")
        await terminal.until("q quit")
        exit_code = await ended(terminal, end, dev)
        assert terminal.is_as_it_was()
        assert exit_code == (1 if end == "deleted" else 0)


async def ended(terminal: Terminal, end: str | signal.Signals, dev: Dev) -> int:
    if isinstance(end, signal.Signals):
        terminal.send(end)
    elif end == "q":
        terminal.press("q")
    else:
        [listener] = (await dev.get("/endpoints"))["data"]
        await dev.delete_endpoint(listener["id"])
    return await terminal.end()
