"""What is printed: a table for people, the same as one object for programs."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from os import getloadavg, sched_getaffinity, sysconf
from pathlib import Path
from typing import Any

from faults.case import Side
from faults.running import Ended

COLUMNS = ("fault", "on", "took", "done", "must hold", "seen", "limit", "held")
MARKS = {True: "yes", False: "NO"}
SIGNS: dict[Side, str] = {"at most": "≤", "at least": "≥"}


def as_object(ends: Sequence[Ended], about: dict[str, str], long: bool) -> dict[str, Any]:
    """Each run with its plan, its verdict and its time, and what it ran on. `about` says what the faults are."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "form": "long" if long else "short",
        "machine": machine(),
        "passed": sum(ended.passed for ended in ends),
        "failed": sum(not ended.passed and ended.skipped is None for ended in ends),
        "skipped": sum(ended.skipped is not None for ended in ends),
        "runs": [_run_object(ended, about[ended.job.case]) for ended in ends],
    }


def rows(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """The table: a row for each thing that must hold, the first of a run with what was done.

    Problems of which there must be none, and were none, share a row; the object has each.
    """
    found: list[tuple[str, ...]] = []
    for run in results["runs"]:
        beginning = (run["case"], run["database"], f"{number(round(run['seconds']))} s", _done(run))
        if run["verdict"] is None:
            found.append(
                (*beginning, run["skipped"] or "the case itself", "", "", "" if run["skipped"] else MARKS[False])
            )
            continue
        for place, check in enumerate(_folded(run["verdict"]["checks"])):
            found.append((*(beginning if place == 0 else ("",) * len(beginning)), *_check_cells(check)))
    return found


def table(results: dict[str, Any]) -> str:
    """The table as aligned text, what broke, how to try that again, and the closing line."""
    every = [COLUMNS, *rows(results)]
    widths = [max(len(row[column]) for row in every) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]
    return "\n".join(
        [*lines, "", *_notes(results), *_failures(results), surroundings_line(results), closing_line(results)]
    )


def closing_line(results: dict[str, Any]) -> str:
    """How many runs passed and failed; and were skipped, where any were."""
    skipped = f", {results['skipped']} skipped" if results["skipped"] else ""
    return f"{results['passed']} passed, {results['failed']} failed{skipped}"


def surroundings_line(results: dict[str, Any]) -> str:
    """On what and when, in one sentence."""
    machine = results["machine"]
    return (
        f"{results['date']}, {results['form']} form; {machine['cores']} cores of {machine['cpu']},"
        f" {machine['memory_gb']:g} GB, Linux {machine['kernel']}, Python {machine['python']},"
        f" SQLite {machine['sqlite']}, Hookwright {machine['hookwright']}; load average {machine['load_average']:.1f}"
        " at the end"
    )


def machine() -> dict[str, Any]:
    """What it runs on."""
    return {
        "cores": len(sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "memory_gb": round(sysconf("SC_PHYS_PAGES") * sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "hookwright": version("hookwright"),
        "load_average": getloadavg()[0],
    }


def _run_object(ended: Ended, about: str) -> dict[str, Any]:
    verdict = ended.verdict
    return {
        "case": ended.job.case,
        "about": about,
        "database": ended.job.database,
        "seed": ended.job.seed,
        "rounds": ended.job.rounds,
        "seconds": round(ended.seconds, 1),
        "command": ended.job.command,
        "verdict": None
        if verdict is None
        else {
            "done": dict(verdict.done),
            "checks": [asdict(check) | {"held": check.held} for check in verdict.checks],
            "evidence": list(verdict.evidence),
            "notes": list(verdict.notes),
        },
        "held": ended.passed,
        "failure": ended.failure,
        "skipped": ended.skipped,
        "folder": ended.folder,
    }


def _done(run: dict[str, Any]) -> str:
    done = {} if run["verdict"] is None else run["verdict"]["done"]
    return ", ".join(f"{number(value)} {name}" for name, value in done.items())


def _folded(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    absent = [check for check in checks if _is_no_problem(check)]
    if len(absent) < 2:
        return checks
    together = {**absent[0], "name": f"problems of {len(absent)} kinds"}
    return [together, *(check for check in checks if not _is_no_problem(check))]


def _is_no_problem(check: dict[str, Any]) -> bool:
    return bool(check["held"] and check["limit"] == check["seen"] == 0 and check["side"] == "at most")


def _check_cells(check: dict[str, Any]) -> tuple[str, ...]:
    unit = f" {check['unit']}" if check["unit"] else ""
    limit = f"{SIGNS[check['side']]} {number(check['limit'])}{unit}"
    return check["name"], number(check["seen"]) + unit, limit, MARKS[check["held"]]


def _notes(results: dict[str, Any]) -> list[str]:
    return [
        f"{run['case']} on {run['database']}: {note}"
        for run in results["runs"]
        if run["verdict"] is not None
        for note in run["verdict"]["notes"]
    ]


def _failures(results: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for run in results["runs"]:
        if run["held"] or run["skipped"]:
            continue
        lines += ["", f"{run['case']} on {run['database']} FAILED; again: {run['command']}"]
        lines += [f"  {line}" for line in (run["failure"] or "").splitlines()]
        lines += [f"  {line}" for line in (run["verdict"] or {}).get("evidence", ())]
        lines += [f"  records: {run['folder']}", ""]
    return lines


def number(value: float) -> str:
    """As people write it: 1,000; 12; 0.25."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
