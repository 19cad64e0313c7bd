"""Completion in the shells that it is for, each with what `--show-completion` prints for it."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PATIENCE_SECONDS = 60.0


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which `hookwright` is this one, and the home is empty."""
    program = tmp_path / "bin" / "hookwright"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom hookwright.cli import main\nmain()\n")
    program.chmod(0o755)
    (tmp_path / ".zshrc").touch()  # without one, zsh asks whether to make it
    return {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "TERM": "dumb",
        "PS1": "> ",
    }


def shell(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def typed_at_a_terminal(command: list[str], environ: Mapping[str, str], lines: list[str], wanted: str) -> str:
    """What a shell shows, one line after the other typed at it, until it shows what is wanted."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True
    )
    os.close(theirs)
    shown = ""
    try:
        for line in lines:
            os.write(ours, line.encode())
        while not re.search(wanted, shown):
            ready, _, _ = select.select([ours], [], [], PATIENCE_SECONDS)
            assert ready, f"{wanted!r} was not shown, but {shown!r}"
            shown += os.read(ours, 65_536).decode(errors="replace")
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("hookwright deliv", "hookwright deliveries "),
        ("hookwright trigger contact.tag_a", "hookwright trigger contact.tag_added"),
        ("hookwright deliveries list --status in_", "hookwright deliveries list --status in_flight"),
        ("hookwright serve --role w", "hookwright serve --role worker"),
        ("hookwright listen 3000 --as kaj", "hookwright listen 3000 --as kajabi"),
        ("hookwright keys create --scope pub", "hookwright keys create --scope publish"),
    ],
)
def test_bash_completes_commands_and_values(environ: dict[str, str], typed: str, completed: str) -> None:
    lines = ['eval "$(hookwright --show-completion)"\n', f"{typed}\t"]
    shown = typed_at_a_terminal([shell("bash"), "--norc", "--noprofile", "-i"], environ, lines, re.escape(completed))
    assert "Traceback" not in shown


def test_bash_has_it_in_every_new_shell_once_it_is_installed(environ: dict[str, str], tmp_path: Path) -> None:
    asked = [shell("bash"), "-c", "hookwright --install-completion; true"]
    subprocess.run(asked, env=environ, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    command = [shell("bash"), "--rcfile", str(tmp_path / ".bashrc"), "--noprofile", "-i"]
    typed_at_a_terminal(command, environ, ["hookwright trigger post.\t"], r"trigger post\.published")


def test_zsh_completes_values(environ: dict[str, str]) -> None:
    lines = [
        "autoload -U compinit && compinit -u\n",
        'eval "$(hookwright --show-completion)"\n',
        "hookwright trigger contact.tag_a\t",
    ]
    typed_at_a_terminal([shell("zsh"), "-i"], environ, lines, r"contact\.tag_added")


def test_fish_completes_values(environ: dict[str, str]) -> None:
    script = "hookwright --show-completion | source; complete -C 'hookwright trigger contact.tag_a'"
    asked = subprocess.run(
        [shell("fish"), "-c", script],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert asked.stdout.split() == ["contact.tag_added"]
