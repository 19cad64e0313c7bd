"""`python -m faults.tables RESULTS.json`: write the table of docs/reliability.md from a run's JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults.report import COLUMNS, closing_line, rows, surroundings_line

DOCUMENT = Path(__file__).parent.parent / "docs" / "reliability.md"
BEGIN = "<!-- the table begins; faults/tables.py writes it -->\n"
END = "<!-- the table ends -->\n"


def main() -> None:
    """Put the results of a file into the document."""
    results = json.loads(Path(sys.argv[1]).read_text())
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), results))


def with_table(document: str, results: dict[str, Any]) -> str:
    """The document with its table replaced. Raises ValueError when it has no place for one."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the document has no place for the table")
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_line, rows(results))]
    closing = f"{closing_line(results)}. {surroundings_line(results)}."
    return "".join([before, begin, "\n".join([*lines, "", closing]), "\n", end, after])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip() for cell in cells) + " |"


if __name__ == "__main__":
    main()
