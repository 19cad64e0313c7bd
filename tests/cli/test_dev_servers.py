"""Commands that find the `hookwright dev` that runs here, without being told where it is."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookwright.cli.dev_servers import DevServer, announced, running_server
from hookwright.testing.receiver import Receiver
from processes import hookwright


async def output_of(*arguments: str, folder: Path) -> tuple[int, str, list[str]]:
    async with hookwright(*arguments, environ={}, folder=folder) as process:
        code, printed = await process.end()
        return code, printed, process.errors


async def test_trigger_publishes_to_the_one_that_runs(tmp_path: Path) -> None:
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev:
        given: dict[str, Any] = json.loads(await dev.line())
        code, printed, _ = await output_of("trigger", "contact.created", "--json", folder=tmp_path)
        assert code == 0
        assert json.loads(printed)["account"] == given["account_id"]
        async with httpx.AsyncClient(base_url=given["url"], trust_env=False) as client:
            for count in (1, 2):  # the second time the endpoint is there
                code, printed, _ = await output_of(
                    "trigger", "contact.created", "--to", "/play/a", "--json", folder=tmp_path
                )
                assert json.loads(printed)["deliveries"] == 1
                while (await client.get("/play/a")).json()["count"] < count:
                    pass
        assert not (tmp_path / "hookwright.sqlite3").exists()
        assert await dev.stop() == 0
    code, printed, errors = await output_of("trigger", "contact.created", folder=tmp_path)
    assert (code, printed) == (1, "")
    assert errors == [
        "hookwright: there is no server or database here: start `hookwright dev`, or give --database\n",
    ]


async def test_listen_takes_the_key_and_the_account_of_the_one_that_runs(tmp_path: Path) -> None:
    async with (
        Receiver() as receiver,
        hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev,
    ):
        given = json.loads(await dev.line())
        arguments = ("listen", str(receiver.port), "--json")
        async with hookwright(*arguments, environ={}, folder=tmp_path) as listening:
            opened = json.loads(await listening.line())
            assert (opened["url"], opened["account"]) == (given["url"], given["account_id"])
            code, printed, _ = await output_of("trigger", "contact.created", "--json", folder=tmp_path)
            assert (code, json.loads(printed)["deliveries"]) == (0, 1)
            await receiver.wait_for(1)
            assert await listening.stop() == 0


async def test_every_command_about_an_account_is_about_that_of_the_one_that_runs(tmp_path: Path) -> None:
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev:
        given = json.loads(await dev.line())

        async def answer(*arguments: str) -> Any:
            code, printed, errors = await output_of(*arguments, "--json", folder=tmp_path)
            assert (code, errors) == (0, [])
            return json.loads(printed)

        await answer("trigger", "contact.created", "--to", "/play/a")
        [delivery] = await answer("deliveries", "list")
        assert (await answer("deliveries", "show", str(delivery["id"])))["account"] == given["account_id"]
        [endpoint] = await answer("endpoints", "list")
        assert (await answer("endpoints", "pause", str(endpoint["id"])))["status"] == "paused"
        made = await answer(
            "endpoints", "create", f"{given['url']}/play/b", "--event", "*"
        )  # on loopback, as dev may
        assert made["account"] == given["account_id"]
        assert (await answer("replays", "create", "--status", "delivered", "--dry-run"))["dry_run"] is True
        assert (await answer("portal-link"))["url"].startswith(given["url"])
        assert [site["account"] for site in await answer("sites", "list")] == [given["account_id"]]
        assert not (tmp_path / "hookwright.sqlite3").exists()
        assert await dev.stop() == 0


async def test_a_database_of_this_folder_is_spoken_of_when_another_is_used(tmp_path: Path) -> None:
    assert (await output_of("migrate", folder=tmp_path))[0] == 0
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev:
        url = json.loads(await dev.line())["url"]
        code, _, [told] = await output_of("deliveries", "list", folder=tmp_path)
        assert code == 0
        assert told.startswith(f"hookwright: on the `hookwright dev` at {url}; ")
        assert "give --database hookwright.sqlite3" in told
        assert await output_of("accounts", "list", "--database", "hookwright.sqlite3", "--json", folder=tmp_path) == (
            0,
            "[]\n",
            [],
        )
        assert await dev.stop() == 0


@pytest.mark.parametrize("command", [("deliveries", "list"), ("endpoints", "show", "64"), ("trigger", "tag.created")])
async def test_where_nothing_runs_the_cure_is_named_and_nothing_is_made(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, printed, errors = await output_of(*command, folder=tmp_path)
    assert (code, printed) == (1, "")
    assert errors == ["hookwright: there is no server or database here: start `hookwright dev`, or give --database\n"]
    assert os.listdir(tmp_path) == []


async def test_of_several_one_must_be_named(tmp_path: Path) -> None:
    dev = ("dev", "--json", "--port", "0")
    async with (
        hookwright(*dev, environ={}, folder=tmp_path) as first,
        hookwright(*dev, environ={}, folder=tmp_path) as second,
    ):
        urls = [json.loads(await each.line())["url"] for each in (first, second)]
        code, _, errors = await output_of("trigger", "contact.created", folder=tmp_path)
        assert code == 1
        assert "several `hookwright dev` run" in errors[0]
        assert all(url in errors[0] for url in urls)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


GONE = DevServer("http://127.0.0.1:9", "sqlite:x", 64, "hw_1_no")


def test_one_that_was_killed_is_not_taken_for_running(temporary: Path) -> None:
    with announced(GONE):
        [file] = temporary.glob("*/9.json")
        assert file.stat().st_mode & 0o777 == 0o600
        assert running_server() is None
    assert list(temporary.iterdir()) == []


def test_nobody_is_told_of_a_server_in_a_folder_that_others_may_write_to(temporary: Path) -> None:
    with announced(GONE):
        [file] = temporary.glob("*/9.json")
        folder = file.parent
        (folder / "another.json").touch()
    folder.chmod(0o777)
    (folder / "another.json").unlink()
    with announced(GONE):
        assert list(temporary.glob("*/*.json")) == []
