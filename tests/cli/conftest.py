"""Fixtures: the command line in this process, on each database in turn."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from cli.dev_server import Dev
from hookwright.app import open_services
from hookwright.cli import app
from hookwright.config import load_settings
from hookwright.operations.services import Services
from hookwright.testing.postgres import fresh_database
from processes import hookwright

MASTER_KEY = b64encode(bytes(32)).decode()


class CommandLine:
    """Runs commands with one set of settings."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)

    def set(self, name: str, value: str) -> None:
        self._environ[name] = value

    def unset(self, name: str) -> None:
        self._environ.pop(name, None)

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), env={**self._environ, **(environ or {})})

    def text(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """What a command prints with `--json`: one document on one line."""
        printed = self.text(*arguments, "--json")
        assert printed.count("\n") == 1
        return json.loads(printed)

    def act(self, action: Callable[[Services], Awaitable[object]]) -> None:
        """Do something on the same database that there is no command for."""

        async def run() -> None:
            async with open_services(load_settings(self._environ)) as services:
                await action(services)

        asyncio.run(run())

    def refusal(self, *arguments: str, environ: Mapping[str, str] | None = None, exit_code: int = 1) -> str:
        """The one line of a command that must be refused."""
        result = self.run(*arguments, environ=environ)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        assert result.stderr.startswith("hookwright: ")
        assert result.stderr.count("\n") == 1
        return result.stderr


@pytest.fixture
async def command_line(
    database: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CommandLine]:
    """The command line on each database in turn."""
    monkeypatch.chdir(tmp_path)
    if database is None:
        yield on_sqlite(tmp_path)
        return
    async with fresh_database(database) as url:
        yield CommandLine({"HOOKWRIGHT_DATABASE_URL": url, "HOOKWRIGHT_MASTER_KEY": MASTER_KEY})


@pytest.fixture
def sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line on SQLite, with a database that is empty."""
    monkeypatch.chdir(tmp_path)
    command_line = on_sqlite(tmp_path)
    command_line.text("migrate")
    return command_line


def on_sqlite(folder: Path) -> CommandLine:
    """The command line on a database that is not there yet."""
    return CommandLine({"HOOKWRIGHT_DATABASE_URL": f"sqlite:{folder / 'hookwright.sqlite3'}"})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev_given(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Any]]:
    """What a `hookwright dev --json` printed that goes on until the end of the run."""
    folder = tmp_path_factory.mktemp("dev")
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=folder) as process:
        yield json.loads(await process.line())


@pytest.fixture
async def dev(dev_given: dict[str, Any]) -> AsyncIterator[Dev]:
    """A running server, and on it an account of the test's own."""
    headers = {"Authorization": f"Bearer {dev_given['admin_key']}"}
    async with httpx.AsyncClient(
        base_url=f"{dev_given['url']}/api/v1", headers=headers, trust_env=False, timeout=20
    ) as client:
        account = (await client.post("/accounts", json={"name": "Ada"})).json()
        yield Dev(dev_given, client, str(account["id"]))
