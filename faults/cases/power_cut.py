"""The power is cut under SQLite: what was acknowledged is there afterwards, and nothing is there in part."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import msgspec
import structlog

from faults.apsw_driver import connect_through
from faults.case import Case, Check, Plan, Verdict
from faults.forgetful_disk import ForgetfulDisk, Manner
from faults.power_check import Kept, half_written, lost, only_claimed, read_kept, unfinished
from faults.power_lives import Machine, Told
from faults.promise import as_checks
from hookwright.ambient import MovableClock

FILE = "hookwright.sqlite3"
CUTS_OF_A_DISK = 10
LATEST_CUT = 600  # changes and syncs after the power came on; the schema alone takes some hundred
CHECKPOINT_PAGES = (10, 50, 1_000)
NEVER = 10**9


@dataclass
class Tally:
    """What came of the cuts so far."""

    of: str
    cuts: int = 0
    disks: int = 0
    events: int = 0
    outcomes: int = 0
    lost: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)
    only_claimed: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.half_written or self.only_claimed or self.unfinished or self.troubles)


async def run(plan: Plan) -> Verdict:
    """As many cuts as there are rounds; then as many with a store that syncs too little, until that is caught."""
    with _silent_log():
        tally = await _cut(plan, plan.dice("cuts"), lax=False)
        control = await _cut(plan, plan.dice("control"), lax=True)
    checks, evidence = as_checks(
        {
            "acknowledged and lost": tally.lost,
            "corrupt or half written": tally.half_written,
            "called delivered, never arrived": tally.only_claimed,
            "not delivered in the end": tally.unfinished,
            "wrong towards producer or receiver": tally.troubles,
        }
    )
    # A check that cannot fail is worth nothing: without the sync this one has to.
    caught = Check("losses of the control with synchronous=NORMAL", len(control.lost), 1, side="at least")
    done = {
        "cuts": tally.cuts,
        "disks": tally.disks,
        "events acknowledged": tally.events,
        "outcomes recorded": tally.outcomes,
        "cuts of the control": control.cuts,
    }
    return Verdict(done, [*checks, caught], evidence)


async def _cut(plan: Plan, dice: random.Random, *, lax: bool) -> Tally:
    """Cut again and again, each disk a few times; the control stops at its first loss."""
    tally = Tally("control" if lax else "disk")
    while tally.cuts < plan.rounds and (tally.is_clean or not lax):
        tally.disks += 1
        await _wear_out(plan, dice, tally, lax=lax)
    return tally


async def _wear_out(plan: Plan, dice: random.Random, tally: Tally, *, lax: bool) -> None:
    """The lives of one disk, until something is wrong with it; the last one is not cut, and has to finish."""
    told, clock = Told(), MovableClock()
    files: Mapping[str, bytes] = {}
    cuts = min(CUTS_OF_A_DISK, plan.rounds - tally.cuts)
    for remaining in range(cuts, -1, -1):
        cut_at = dice.randint(1, LATEST_CUT) if remaining else NEVER
        files = await _live(plan.folder, files, told, clock, dice, cut_at, lax=lax)
        tally.cuts += bool(remaining)
        if not _is_as_told(plan.folder, files, told, tally, is_last=not remaining):
            break
    tally.events += len(told.event_ids)
    tally.outcomes += len(told.recorded)


async def _live(
    folder: Path,
    files: Mapping[str, bytes],
    told: Told,
    clock: MovableClock,
    dice: random.Random,
    cut_at: int,
    *,
    lax: bool,
) -> dict[str, bytes]:
    """One life on a disk that holds these files; what it holds after the cut."""
    with _folder_of(folder, files) as home:
        disk = ForgetfulDisk(uuid4().hex, home, cut_at)
        try:
            pages = dice.choice(CHECKPOINT_PAGES)
            opening = partial(connect_through, disk, lax=lax, checkpoint_pages=pages)
            machine = Machine(home / FILE, opening, told, clock, dice)
            await (machine.finish() if cut_at == NEVER else machine.live())
            return disk.cut(dice.choice(list(Manner)), dice)
        finally:
            disk.unregister()


def _is_as_told(folder: Path, files: Mapping[str, bytes], told: Told, tally: Tally, *, is_last: bool) -> bool:
    """Check what a cut has left; keep it for people to look at where it is not as it should be."""
    with _folder_of(folder, files) as copy:
        kept = read_kept(copy / FILE) if files else Kept()
    wrong = lost(told, kept), half_written(told, kept), only_claimed(told, kept), unfinished(kept) if is_last else []
    lists = tally.lost, tally.half_written, tally.only_claimed, tally.unfinished
    for list_of, found in zip(lists, wrong, strict=True):
        list_of.extend(found)
    tally.troubles += told.troubles
    if not any(wrong) and not told.troubles:
        return True
    _keep(folder / f"{tally.of}-{tally.disks}", files, told)
    return False


def _keep(folder: Path, files: Mapping[str, bytes], told: Told) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    plain = asdict(told) | {"recorded": [[*key, status] for key, status in told.recorded.items()]}
    (folder / "told.json").write_bytes(msgspec.json.encode(plain))


@contextmanager
def _folder_of(folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder that holds these files, gone again afterwards."""
    home = folder / "disk"
    home.mkdir()
    for name, content in files.items():
        (home / name).write_bytes(content)
    try:
        yield home
    finally:
        shutil.rmtree(home)


@contextmanager
def _silent_log() -> Iterator[None]:
    """A power cut is an outage of the store, and each would be told at length."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


POWER_CUT = Case(
    name="power_cut",
    about="power cuts under SQLite; unsynced writes are dropped, torn, swapped",
    run=run,
    short=500,
    long=20_000,
    databases=("sqlite",),
)
