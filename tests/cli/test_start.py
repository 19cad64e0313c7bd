"""How the program starts, asks, and prints its log for people."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from cli.conftest import on_sqlite
from hookwright.cli.attempts import attempt_line
from hookwright.cli.table import COMMANDS, command_named
from log_scan import read_log

PROGRAM = [sys.executable, "-m", "hookwright.cli"]


HEAVY = ("asyncio", "asyncpg", "cryptography", "fastapi", "msgspec", "pydantic", "rich", "structlog", "uvicorn")
ASK = f"""
import sys
from hookwright.cli import main
try:
    main()
finally:
    print("imported:", *(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
    print("commands:", *(name for name in sys.modules if name.startswith("hookwright.cli.")), file=sys.stderr)
"""


def imported_for(*arguments: str) -> tuple[str, str]:
    asked = subprocess.run([sys.executable, "-c", ASK, *arguments], capture_output=True, text=True, check=True)
    heavy, ours = asked.stderr.splitlines()
    return heavy.removeprefix("imported:").strip(), ours.removeprefix("commands:").strip()


def test_the_list_of_commands_imports_none_of_them() -> None:
    assert imported_for("--help") == ("", "hookwright.cli.table")


@pytest.mark.parametrize("words", [*((name,) for name in COMMANDS), ("endpoints", "create"), ("deliveries", "show")])
def test_the_help_of_a_command_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    assert imported_for(*words, "--help")[0] == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_what_it_says_of_itself(name: str) -> None:
    assert command_named(name).get_short_help_str(limit=1_000) in (COMMANDS[name].help, COMMANDS[name].help[:-1])


def leaves(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands that do something, with all the words that call them."""
    if not isinstance(command, TyperGroup):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from leaves((*words, name), below)


EVERY = dict(leaf for name in COMMANDS for leaf in leaves((name,), command_named(name)))


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_json(words: tuple[str, ...]) -> None:
    assert any("--json" in parameter.opts for parameter in EVERY[words].params)


def test_a_start_of_the_service_imports_no_api_that_nobody_asked_for() -> None:
    lazy = (
        "hookwright.console",
        "hookwright.dialects.kit.app",
        "hookwright.dialects.kajabi.app",
        "asyncpg",
        "jinja2",
    )
    check = f"import sys, hookwright.server; print(*(name for name in {lazy} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize(("answer", "exit_code", "left"), [(b"y\n", 0, 0), (b"n\n", 1, 1)])
def test_a_person_is_asked_before_something_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, exit_code: int, left: int
) -> None:
    monkeypatch.chdir(tmp_path)
    command_line = on_sqlite(tmp_path)
    account_id = str(command_line.json("accounts", "create", "Ada")["id"])
    database = str(tmp_path / "hookwright.sqlite3")
    terminal, stdin = pty.openpty()
    try:
        os.write(terminal, answer)
        command = [*PROGRAM, "accounts", "delete", account_id, "--database", database]
        asked = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, timeout=30)
    finally:
        os.close(terminal)
        os.close(stdin)
    read_log(asked.stderr)
    assert asked.returncode == exit_code
    assert f"Really delete account {account_id}" in asked.stderr
    assert len(command_line.json("accounts", "list")) == left


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        ({}, "12:34:56  kajabi tag_added → endpoint 128: 200 in 3.1 ms, delivered"),
        ({"attempt": 3}, "12:34:56  kajabi tag_added → endpoint 128: 200 in 3.1 ms, delivered at attempt 3"),
        (
            {"status": "pending", "status_code": 500, "next_attempt_at": 5_000_000},
            "12:34:56  kajabi tag_added → endpoint 128: 500 in 3.1 ms, attempt 1 failed, next at 00:00:05 UTC",
        ),
        (
            {"status": "dead", "status_code": None, "error": "timeout", "attempt": 10},
            "12:34:56  kajabi tag_added → endpoint 128: timeout in 3.1 ms, dead at attempt 10",
        ),
        (
            {"status": "pending", "status_code": 503},
            "12:34:56  kajabi tag_added → endpoint 128: 503 in 3.1 ms, attempt 1 failed, waits for its endpoint",
        ),
    ],
)
def test_an_attempt_is_one_short_line(outcome: dict[str, object], line: str) -> None:
    event = {
        "timestamp": "2026-01-31T12:34:56.123456Z",
        "dialect": "kajabi",
        "dialect_event": "tag_added",
        "endpoint_id": 128,
        "attempt": 1,
        "status_code": 200,
        "error": None,
        "duration_ms": 3.1,
        "status": "delivered",
        "next_attempt_at": None,
    }
    assert attempt_line({**event, **outcome}) == line


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        (["t"], ["tail", "trigger"]),
        (["endpoints", "cr"], ["create"]),
        (["listen", "--a"], ["--as", "--account"]),
        (["listen", "3000", "--as", "ka"], ["kajabi"]),
    ],
)
def test_commands_their_options_and_values_are_completed(typed: list[str], completed: list[str]) -> None:
    environ = {
        **os.environ,
        "_HOOKWRIGHT_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["hookwright", *typed]),
        "COMP_CWORD": str(len(typed)),
    }
    program = [sys.executable, "-c", "import sys; sys.argv = ['hookwright']; from hookwright.cli import main; main()"]
    asked = subprocess.run(program, capture_output=True, text=True, check=False, env=environ)
    assert asked.stdout.split() == completed
