"""`python -m benchmarks.tables RESULTS.json`: write the table of docs/performance.md from a run's JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.report import COLUMNS, rows, surroundings_line
from hookwright.testing import document_tables

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
WRITER = "benchmarks/tables.py"


def main() -> None:
    """Put the results of a file into the document."""
    results = json.loads(Path(sys.argv[1]).read_text())
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), results))


def with_table(document: str, results: dict[str, Any]) -> str:
    """The document with its table replaced. Raises ValueError when it has no place for one."""
    return document_tables.with_table(document, WRITER, COLUMNS, rows(results), surroundings_line(results) + ".")


if __name__ == "__main__":
    main()
