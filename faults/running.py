"""How cases run: each in a process of its own, several at a time, those that measure time by themselves."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvloop

from faults.case import Case, Database, Plan, Skipped, Verdict
from faults.cases import CASES


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a case that is asked for."""

    case: str
    database: Database
    seed: int
    rounds: int
    patience_seconds: float

    @property
    def command(self) -> str:
        """What runs it again."""
        return f"python -m faults --only {self.case} --on {self.database} --seed {self.seed} --rounds {self.rounds}"


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a job: a verdict, or why there is none."""

    job: Job
    seconds: float
    verdict: Verdict | None = None
    failure: str | None = None
    skipped: str | None = None
    folder: str | None = None  # the records, where they were kept

    @property
    def passed(self) -> bool:
        return self.verdict is not None and self.verdict.held


def jobs_of(case: Case, seed: int, long: bool, rounds: int | None) -> list[Job]:
    """A case's runs, one for each of its databases."""
    return [_job(case, database, seed, rounds or case.rounds(database, long=long)) for database in case.databases]


def _job(case: Case, database: Database, seed: int, rounds: int) -> Job:
    patience = case.patience_seconds * max(1.0, rounds / case.rounds(database, long=False))
    return Job(case.name, database, seed, rounds, patience)


def run_all(jobs: Sequence[Job], together: int) -> Iterator[Ended]:
    """Carry jobs out and yield each as it ends."""
    side_by_side, one_by_one = in_turn(jobs)
    yield from _run_some(side_by_side, together)
    yield from _run_some(one_by_one, 1)


def in_turn(jobs: Sequence[Job]) -> tuple[list[Job], list[Job]]:
    """The jobs that run beside each other, what lasts longest first; and those that run alone, after them."""
    cases = {case.name: case for case in CASES}
    side_by_side = [job for job in jobs if not cases[job.case].alone]
    one_by_one = [job for job in jobs if cases[job.case].alone]
    return sorted(side_by_side, key=lambda job: -cases[job.case].lasts_seconds), one_by_one


def _run_some(jobs: Sequence[Job], together: int) -> Iterator[Ended]:
    # A process for each job: what one leaves behind, or holds up, is nothing to the next.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(together, mp_context=context, max_tasks_per_child=1) as pool:
        try:
            for future in as_completed([pool.submit(carry_out, job) for job in jobs]):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def end_children_on_sigterm() -> None:
    """Have every running case end in order, with the processes and databases that it started.

    Ctrl-C reaches all of them by itself; SIGTERM reaches this process alone.
    """

    def end(number: int, frame: FrameType | None) -> None:
        for child in multiprocessing.active_children():
            assert child.pid is not None
            os.kill(child.pid, signal.SIGINT)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


def carry_out(job: Job) -> Ended:
    """Run one job to its end, in a new folder, which stays when it fails."""
    say(f"{job.case} on {job.database} …")
    folder = Path(tempfile.mkdtemp(prefix=f"hookwright-faults-{job.case}-"))
    folder.chmod(0o755)  # PostgreSQL may run as another user
    began = time.monotonic()
    verdict, failure, skipped = _outcome(job, folder)
    kept = verdict is None or not verdict.held
    if skipped is not None or not kept:
        shutil.rmtree(folder, ignore_errors=True)
    ended = Ended(job, time.monotonic() - began, verdict, failure, skipped, str(folder) if kept else None)
    say(f"{job.case} on {job.database}: {told(ended)}, {ended.seconds:.0f} s")
    return ended


def told(ended: Ended) -> str:
    """How it went, in a word or a line."""
    if ended.skipped is not None:
        return f"skipped: {ended.skipped}"
    if ended.failure is not None:
        return f"FAILED: {ended.failure.splitlines()[-1]}"
    return "passed" if ended.passed else "FAILED"


def say(line: str) -> None:
    """Tell people how it goes; what is printed is the table alone."""
    print(line, file=sys.stderr, flush=True)


def _outcome(job: Job, folder: Path) -> tuple[Verdict | None, str | None, str | None]:
    (case,) = (case for case in CASES if case.name == job.case)
    plan = Plan(job.seed, job.rounds, folder, job.database)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_in_time(case, plan, job.patience_seconds)), None, None
    except Skipped as reason:
        return None, None, str(reason)
    except BaseException:  # whatever went wrong, this case has not held, and the others still count
        return None, traceback.format_exc(), None


async def _in_time(case: Case, plan: Plan, seconds: float) -> Verdict:
    async with asyncio.timeout(seconds):
        return await case.run(plan)
