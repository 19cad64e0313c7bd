"""The pages that people read, and the code blocks in them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    str(path.relative_to(ROOT))
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    )
)


class Block(NamedTuple):
    """One fenced code block: where it stands, its language, the words after the language, its text."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

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
    return [
        Block(page, token.map[0] + 1, *_named(token.info), token.content)
        for token in MarkdownIt().parse(text_of(page))
        if token.type in ("fence", "code_block") and token.map is not None
    ]


def _named(info: str) -> tuple[str, tuple[str, ...]]:
    language, *words = info.split() or [""]
    return language, tuple(words)
