"""The commands that docs/commands.md shows, run one after another."""

import re
import shlex
from pathlib import Path

from cli.conftest import CommandLine
from hookwright.ambient import AnchoredClock
from hookwright.core.model import SECOND
from hookwright.core.signing import encode_secret, signed_headers

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
BODY = b'{"type":"contact.created"}'


def test_the_commands_of_the_page_work(sqlite: CommandLine, tmp_path: Path) -> None:
    headers = signed_headers([b"k" * 32], "msg-1", AnchoredClock().now() // SECOND, BODY)
    (tmp_path / "headers.txt").write_text("".join(f"{name}: {value}\n" for name, value in headers.items()))
    (tmp_path / "body.json").write_bytes(BODY)
    assert sqlite.json("accounts", "create", "Ada")["id"] == 64
    page = PAGE.read_text(encoding="utf-8").replace('"$SECRET"', encode_secret(b"k" * 32))
    commands = re.findall(r"^hookwright (.*)$", page, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        sqlite.text(*shlex.split(command))
