"""`make faults`: break a running Hookwright on purpose, in every way that is listed, and check what it promised."""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import sys
from pathlib import Path

from faults.case import DATABASES
from faults.cases import CASES
from faults.report import as_object, closing_line, table
from faults.running import end_children_on_sigterm, jobs_of, run_all, say

TOGETHER = 4  # cases that run at a time; most of them wait for leases and leave the cores idle


def main() -> int:
    """Run, print, and answer the exit code: 1 when a case failed."""
    arguments = _arguments()
    chosen = [case for case in CASES if case.name in arguments.only and case.name not in arguments.without]
    say(f"seed {arguments.seed}")
    end_children_on_sigterm()
    jobs = [
        job
        for case in chosen
        for job in jobs_of(case, arguments.seed, arguments.long, arguments.rounds)
        if job.database in arguments.on
    ]
    order = {(job.case, job.database): place for place, job in enumerate(jobs)}
    ends = sorted(run_all(jobs, arguments.together), key=lambda ended: order[ended.job.case, ended.job.database])
    results = as_object(ends, {case.name: case.about for case in chosen}, arguments.long)
    if arguments.save:
        arguments.save.write_text(json.dumps(results, indent=1))
    print(json.dumps(results) if arguments.json else table(results))
    if arguments.json:
        say(closing_line(results))
    return int(results["failed"] > 0)


def _arguments() -> argparse.Namespace:
    """What the command line says, and before it FAULTS_OPTIONS, as PYTEST_ADDOPTS does it for pytest."""
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m faults")
    parser.add_argument("--long", action="store_true", help="as many rounds as the table of docs/reliability.md has")
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="CASE", help=f"some of: {', '.join(names)}"
    )
    parser.add_argument("--without", nargs="+", choices=names, default=(), metavar="CASE", help="all but these")
    parser.add_argument("--on", nargs="+", choices=DATABASES, default=DATABASES, help="where a case can run on both")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="the same strikes alike")
    parser.add_argument("--rounds", type=int, help="of each case, in place of its own number")
    parser.add_argument("--together", type=int, default=TOGETHER, help=f"cases at a time; {TOGETHER} otherwise")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the JSON object to a file as well")
    return parser.parse_args([*shlex.split(os.environ.get("FAULTS_OPTIONS", "")), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
