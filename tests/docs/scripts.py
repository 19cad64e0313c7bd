"""What a page's blocks come to: one shell script, the files that it needs, and what has to come of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docs.answers import ELLIPSIS, Expectation, expectations_in, with_marks
from docs.blocks import Block

SHELLS = ("sh", "bash")

# What goes on until it is ended, and what it prints when it is there.
GOES_ON = {"dev": "Ctrl-C ends it", "serve": '"event":"ready"', "listen": "^signing secret", "tail": "Ctrl-C ends it"}
_COMMAND_THAT_GOES_ON = re.compile(rf"^hookwright ({'|'.join(GOES_ON)})\b[^&\n]*$", re.MULTILINE)
# Before one of these begins, in the background too, what went on until now is ended.
_BEGINS_ANEW = re.compile(rf"\bhookwright (?:{'|'.join(GOES_ON)}|db distribute)\b")


class Shown(NamedTuple):
    """A sample output, and the part whose output it is; None: of anything before."""

    block: Block
    text: str
    part: str | None


class Script:
    """What a page comes to: a shell script in numbered parts, and what has to come of it."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.parts: dict[str, Block] = {}
        self.expected: list[tuple[Block, Expectation]] = []
        self.shown: list[Shown] = []
        self.files: dict[str, str] = {}
        self.lines: list[str] = []
        for block in blocks:
            self._take(block)
        self.lines.append("end_what_goes_on")

    def _take(self, block: Block) -> None:
        if block.file is not None:
            self._save(block, block.file)
        elif block.language in SHELLS:
            self._run(block, block.text)
        elif block.language == "console":
            self._take_transcript(block)
        elif block.language == "python":
            self._save(block, name := f"test_block_{block.line}.py")
            self._run(block, f'"$PAGE_RUN/bin/pytest" -q {name}' if _is_test(block) else f"python3 {name}")
        elif block.is_answer:
            self.lines.append(f"expects {len(self.expected)}")
            self.expected.append((block, Expectation(None, block.text, is_whole=True)))
        elif block.language == "text":
            self._show(block)

    def _run(self, block: Block, commands: str) -> str:
        part = str(len(self.parts))
        self.parts[part] = block
        if _BEGINS_ANEW.search(commands):
            self.lines.append("end_what_goes_on")
        own_terminals = _COMMAND_THAT_GOES_ON.sub(_in_a_terminal_of_its_own, commands)
        self.lines += [f"begin {part}", with_marks(own_terminals, len(self.expected))]
        self.expected += [(block, each) for each in expectations_in(commands)]
        return part

    def _show(self, block: Block) -> None:
        """Readers see what is shown before they go on: what would come later is lost with a process that they end."""
        self.lines += [
            f"await_line {shlex.quote(line)}" for line in block.text.splitlines() if line.strip(f" {ELLIPSIS}")
        ]
        self.shown.append(Shown(block, block.text, None))

    def _take_transcript(self, block: Block) -> None:
        for commands, output in transcript(block.text):
            self.shown.append(Shown(block, output, self._run(block, commands)))

    def _save(self, block: Block, name: str) -> None:
        self.files[name] = block.text
        self.lines.append(f'cp "$PAGE_RUN/files/{name}" "{name}"')


def _in_a_terminal_of_its_own(found: re.Match[str]) -> str:
    """The line with which a command goes on, and those that see it do its work before the next command."""
    name = found[1]
    lines = [f"goes_on {shlex.quote(found[0])} {shlex.quote(GOES_ON[name])}"]
    if name == "serve":
        lines.append("until_ready")
    if name in ("listen", "tail"):
        lines.append("until_it_shows_a_delivery")
    return "\n".join(lines)


def _is_test(block: Block) -> bool:
    return re.search(r"^(async )?def test_", block.text, re.MULTILINE) is not None


def transcript(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a recording, each with its output: `$ ` begins one, `> ` goes on with it."""
    for each in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = each.splitlines()
        more = next((number for number, line in enumerate(lines[1:], 1) if not line.startswith("> ")), len(lines))
        commands = [lines[0], *(line.removeprefix("> ") for line in lines[1:more])]
        yield "\n".join(commands), "\n".join(lines[more:])
