"""The pages that people read, and the code blocks in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    str(path.relative_to(ROOT))
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    )
)


# What a comment before a block says of it: that it is a file for later commands, or the answer to the one before.
_FILE = re.compile(r"<!-- file: (\S+) -->")
_ANSWER = "<!-- the answer -->"


class Block(NamedTuple):
    """One fenced code block: where it stands, its language, its text, and what the comment before it says."""

    page: str
    line: int
    language: str
    text: str
    file: str | None = None
    is_answer: bool = False

    @property
    def first_line(self) -> str:
        return next((line.strip() for line in self.text.splitlines() if line.strip()), "")

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, in their order; those in lists too."""
    tokens = MarkdownIt().parse(text_of(page))
    return [
        _block(page, token, "" if number == 0 else tokens[number - 1].content)
        for number, token in enumerate(tokens)
        if token.type in ("fence", "code_block")
    ]


def _block(page: str, token: Token, before: str) -> Block:
    assert token.map is not None
    named = _FILE.match(before)
    language = token.info.strip()
    return Block(page, token.map[0] + 1, language, token.content, named and named[1], before.startswith(_ANSWER))
