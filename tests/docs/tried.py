"""Which blocks of the pages are tried, and which pages have something to run."""

from __future__ import annotations

from docs.blocks import PAGES, ROOT, Block, blocks_of
from docs.not_run import NOT_RUN
from docs.scripts import SHELLS

RUN = (*SHELLS, "console", "python", "text")


def is_left_out(block: Block) -> bool:
    return any(block.page == page and block.first_line.startswith(start) for page, start in NOT_RUN)


def is_excerpt(block: Block) -> bool:
    """Whether it is a piece of one of our examples, whose tests run whole."""
    return block.language == "python" and any(
        block.text.strip() in file.read_text() for file in ROOT.glob("examples/**/*.py")
    )


def blocks_to_try(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if not is_left_out(block) and not is_excerpt(block)]


PAGES_TO_RUN = [page for page in PAGES if any(block.language in RUN for block in blocks_to_try(page))]
