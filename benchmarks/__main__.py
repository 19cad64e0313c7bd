"""`make bench`: what Hookwright delivers, beside what could be delivered with no store at all, in the same run.

Server, database, receiver and load share one machine. Every round is reconciled: what was accepted is what arrived,
each delivery exactly once; a measure of which that is not true fails, and so does the run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.machine import described
from benchmarks.measure import LONG, Measure, Measured, Scale, Stage
from benchmarks.measures import MEASURES
from benchmarks.report import as_object, table

LONG_MEASURES = ("backlog", "fanout", "console", "console_sqlite", "soak")


def main() -> int:
    """Run, print, and answer the exit code: 1 when a measure failed."""
    arguments = _arguments()
    results = run(_chosen(arguments), _scale(arguments))
    print(json.dumps(results) if arguments.json else table(results))
    return int(any(each["failure"] is not None for each in results["measures"].values()))


def run(measures: Sequence[Measure], scale: Scale) -> dict[str, Any]:
    """Take measures one after another. Says on standard error how it goes."""
    load_average = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="hookwright-bench-") as folder,
        ExitStack() as open_things,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        stage = Stage(scale, Path(folder), open_things)
        results = [runner.run(_take(measure, stage)) for measure in measures]
        return as_object(results, runner.run(described(scale, stage.postgres_if_used, load_average)))


async def _take(measure: Measure, stage: Stage) -> Measured:
    began = time.monotonic()
    _say(f"{measure.name} …")
    try:
        measured = Measured(measure, await measure.take(stage))
    except Exception as error:  # whatever went wrong, this measure has no figures, and the others still count
        measured = Measured(measure, failure=f"{type(error).__name__}: {error}")
    _say(f"{measure.name}: {measured.failure or 'done'}, {time.monotonic() - began:.0f} s")
    return measured


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    """What the command line says, and before it BENCH_OPTIONS, as PYTEST_ADDOPTS does it for pytest."""
    names = [measure.name for measure in MEASURES]
    default = Scale()
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"some of: {', '.join(names)}")
    parser.add_argument("--long", action="store_true", help="1,000,000 pending deliveries and an hour's soak")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--events", type=int, help=f"of a round; {default.events:,} otherwise")
    parser.add_argument("--pending", type=int, help=f"deliveries that wait; {default.pending:,} otherwise")
    parser.add_argument("--endpoints", type=int, help=f"{default.endpoints:,} otherwise")
    parser.add_argument("--soak-seconds", type=float, help=f"{default.soak_seconds:g} otherwise, an hour with --long")
    return parser.parse_args([*shlex.split(os.environ.get("BENCH_OPTIONS", "")), *sys.argv[1:]])


def _chosen(arguments: argparse.Namespace) -> list[Measure]:
    names = arguments.only or (LONG_MEASURES if arguments.long else [measure.name for measure in MEASURES])
    return [measure for measure in MEASURES if measure.name in names]


def _scale(arguments: argparse.Namespace) -> Scale:
    given = {name: value for name in Scale.__slots__ if (value := getattr(arguments, name)) is not None}
    return replace(LONG if arguments.long else Scale(), **given)


if __name__ == "__main__":
    sys.exit(main())
