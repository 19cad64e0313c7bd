"""What is printed: a table for people, the same as one object for programs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.measure import Figure, Measured

MARKS = {True: "yes", False: "NO", None: ""}
COLUMNS = ("measure", "median", "from", "to", "reach", "reached")


def as_object(results: Sequence[Measured], surroundings: dict[str, Any]) -> dict[str, Any]:
    """Each measure by name with its figures and all its rounds, and what it was measured on."""
    return {**surroundings, "measures": {each.measure.name: _measured_object(each) for each in results}}


def rows(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """The table of a report's object: one row for each figure, one for each measure that failed."""
    found: list[tuple[str, ...]] = []
    for name, measured in results["measures"].items():
        if measured["failure"] is not None:
            found.append((name, "FAILED", "", "", "", MARKS[False]))
        for place, figure in enumerate(measured["figures"].values()):
            is_detail = place > 0 and figure["reach"] is None
            found.append(_row(figure, "– " if is_detail else ""))
    return found


def table(results: dict[str, Any]) -> str:
    """The table as aligned text, with a line that says on what."""
    every = [COLUMNS, *rows(results)]
    widths = [max(len(row[column]) for row in every) for column in range(len(COLUMNS))]
    lines = [_aligned(row, widths) for row in every]
    failures = [f"{name}: {each['failure']}" for name, each in results["measures"].items() if each["failure"]]
    return "\n".join([*lines, "", *failures, surroundings_line(results)])


def surroundings_line(results: dict[str, Any]) -> str:
    """On what, in one sentence."""
    machine, versions, scale = results["machine"], results["versions"], results["scale"]
    database = "" if versions["postgresql"] is None else f", PostgreSQL {versions['postgresql']}"
    return (
        f"{scale['rounds']} rounds of {scale['events']:,} events; {machine['cores']} cores of {machine['cpu']},"
        f" {machine['memory_gb']:g} GB, Linux {machine['kernel']}, Python {versions['python']},"
        f" SQLite {versions['sqlite']}{database}; load average {machine['load_average']:.1f} before the run"
    )


def _measured_object(measured: Measured) -> dict[str, Any]:
    figures = [figure for figure in measured.measure.figures if measured.values(figure)]
    return {
        "failure": measured.failure,
        "figures": {figure.name: _figure_object(figure, measured.values(figure)) for figure in figures},
        "rounds": list(measured.rounds),
    }


def _figure_object(figure: Figure, values: Sequence[float]) -> dict[str, Any]:
    median = statistics.median(values)
    reach = figure.reach
    return {
        "about": figure.about,
        "unit": figure.unit,
        "median": median,
        "lowest": min(values),
        "highest": max(values),
        "reach": None if reach is None else {reach.side: reach.limit},
        "reached": None if reach is None else reach.includes(median),
    }


def _row(figure: dict[str, Any], prefix: str) -> tuple[str, ...]:
    unit = f" {figure['unit']}" if figure["unit"] else ""
    return (
        prefix + figure["about"],
        _number(figure["median"]) + unit,
        _number(figure["lowest"]),
        _number(figure["highest"]),
        _reach(figure["reach"], unit),
        MARKS[figure["reached"]],
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *numbers]).rstrip()


def _reach(reach: dict[str, float] | None, unit: str) -> str:
    if reach is None:
        return ""
    ((side, limit),) = reach.items()
    return f"{'≥' if side == 'at least' else '≤'} {limit:g}{unit}"


def _number(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
