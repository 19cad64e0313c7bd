"""Tables of Markdown in our documents, each between two comments, the first of which names what writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

END = "<!-- the table ends -->\n"


def begin(writer: str) -> str:
    """The comment after which a writer's table stands."""
    return f"<!-- the table begins; {writer} writes it -->\n"


def with_table(
    document: str, writer: str, columns: Sequence[str], rows: Iterable[Sequence[str]], closing: str
) -> str:
    """The document with a writer's table, and the line below it, replaced. Raises ValueError if it has none."""
    before, beginning, rest = document.partition(begin(writer))
    _, end, after = rest.partition(END)
    if not (beginning and end):
        raise ValueError(f"the document has no place for the table of {writer}")
    lines = [_line(columns), _line(["---"] * len(columns)), *map(_line, rows), "", closing]
    return "".join([before, beginning, "\n".join(lines), "\n", end, after])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip() for cell in cells) + " |"
