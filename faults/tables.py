"""`python -m faults.tables RESULTS.json …`: write a table of docs/reliability.md from the JSON of some runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults.report import COLUMNS, closing_line, rows, surroundings_line
from hookwright.testing import document_tables

DOCUMENT = Path(__file__).parent.parent / "docs" / "reliability.md"
WRITERS = {"short": "faults/tables.py", "long": "faults/tables.py, from the long form,"}


def main() -> None:
    """Put the results of files into the document."""
    results = together([json.loads(Path(name).read_text()) for name in sys.argv[1:]])
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), results))


def together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The results of runs of one form, on one machine, as if they were one run's: the long form takes many hours.

    Raises ValueError where form or machine differ. The date is the last one, the load average the highest.
    """
    alike = {(part["form"], json.dumps(_without_load(part["machine"]), sort_keys=True)) for part in parts}
    if len(alike) != 1:
        raise ValueError("these are not the results of one form, on one machine")
    last = max(parts, key=lambda part: str(part["date"]))
    load = max(part["machine"]["load_average"] for part in parts)
    return {
        **last,
        **{what: sum(part[what] for part in parts) for what in ("passed", "failed", "skipped")},
        "machine": {**last["machine"], "load_average": load},
        "runs": [run for part in parts for run in part["runs"]],
    }


def _without_load(machine: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in machine.items() if name != "load_average"}


def with_table(document: str, results: dict[str, Any]) -> str:
    """The document with the table of the results' form replaced. Raises ValueError when it has no place for one."""
    closing = f"{closing_line(results)}. {surroundings_line(results)}."
    return document_tables.with_table(document, WRITERS[results["form"]], COLUMNS, rows(results), closing)


if __name__ == "__main__":
    main()
