"""One page's blocks, run in their order: shell blocks in one session, so that variables carry over.

The session lives in a fresh folder, or in a copy of the repository where the page's commands belong into it, with
`hookwright`, `python3` and a `curl` that notes every answer first on its path. Nothing leaves loopback.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import hookwright
from docs.answers import missing_line
from docs.blocks import Block
from docs.loopback import Ports, Stand, at_home
from docs.repository import AMOUNTS, copy_repository, wants_repository
from docs.scripts import Script
from docs.shell import PRELUDE, put_on_path
from log_scan import read_log

HERE = "here"  # the folder that a page's commands start in
PAGE_SECONDS = 480  # a few, or half a minute with `make`, where the machine has nothing else to do
POLL_SECONDS = 0.05
NOT_HANDED_ON = ("HOOKWRIGHT_", "PYTEST_", "MAKE", "MFLAGS")  # a page is no part of the run that tests it


async def run_page(blocks: Sequence[Block], stand: Stand, folder: Path, patience_seconds: float = 10) -> None:
    """Run a page's blocks; an AssertionError names the block that is not as it says."""
    script = Script(blocks)
    run = _prepared(script, stand, folder)
    if wants_repository(blocks):
        copy_repository(folder / HERE)
        with _folder_for_any_user() as temporary:
            environ = {**_environment(stand, run, folder), **AMOUNTS, "TMPDIR": temporary}
            await _run(script, run, folder / HERE, environ, patience_seconds)
    else:
        _give_environment(run, folder / HERE)
        await _run(script, run, folder / HERE, _environment(stand, run, folder), patience_seconds)


async def _run(script: Script, run: Path, here: Path, environ: Mapping[str, str], patience_seconds: float) -> None:
    process = await asyncio.create_subprocess_exec(
        *("bash", str(run / "script")),
        cwd=here,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            code = await process.wait()
        assert code == 0, _failure(script, run, f"ended with {code}")
        _check_answers(script, run)
        await _check_outputs(script, run, patience_seconds)
        _read_logs(run)
    except TimeoutError:
        raise AssertionError(_failure(script, run, f"took longer than {PAGE_SECONDS} s")) from None
    finally:
        # What the page started in the background ends with it.
        for group in (process.pid, *_groups_left(run)):
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        await process.wait()


def _groups_left(run: Path) -> list[int]:
    """The group of what still goes on in a terminal of its own, if the page failed meanwhile."""
    going = run / "going"
    return [int(going.read_text())] if going.exists() else []


@contextmanager
def _folder_for_any_user() -> Iterator[str]:
    """Temporary files where a PostgreSQL finds its data, which runs as a user of its own if we are root."""
    with tempfile.TemporaryDirectory(prefix="hookwright-page-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield folder


def _prepared(script: Script, stand: Stand, folder: Path) -> Path:
    run = folder / "run"
    for name in ("printed", "expected", "calls", "files", "bin"):
        (run / name).mkdir(parents=True)
    ports = Ports(stand)
    for name, text in script.files.items():
        (run / "files" / name).write_text(at_home(text, stand, ports))
    (run / "script").write_text(PRELUDE + at_home("\n".join(script.lines), stand, ports))
    put_on_path(run / "bin")
    return run


def _give_environment(run: Path, here: Path) -> None:
    (here / ".venv").mkdir(parents=True)
    (here / ".venv" / "bin").symlink_to(run / "bin")


def _environment(stand: Stand, run: Path, folder: Path) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"  # whoever wants to leave this machine is refused here
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_HANDED_ON)}
    return {
        **kept,
        "PATH": f"{run / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(hookwright.__file__).parents[1]),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PAGE_RUN": str(run),
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "no_proxy": "127.0.0.1,localhost",
        **stand.variables,
    }


def _check_answers(script: Script, run: Path) -> None:
    told = {}
    for number, (block, expectation) in enumerate(script.expected):
        call = Path((run / "expected" / str(number)).read_text())
        told[call.name] = True
        wrong = expectation.unmet_by(_status(call), (call / "body").read_text())
        assert wrong is None, f"{block.place}: {(call / 'asked').read_text()}: {wrong}"
    for call in (run / "calls").iterdir():
        if call.name not in told and (call / "asked").exists() and _status(call) >= 400:
            asked, body = (call / "asked").read_text(), (call / "body").read_text()
            raise AssertionError(f"{next(iter(script.parts.values())).page}: {asked}: {_status(call)} {body}")


def _status(call: Path) -> int:
    """The status of the last answer, after any `100 Continue`."""
    heads = re.findall(r"^HTTP/\S+ (\d+)", (call / "head").read_text(), re.MULTILINE)
    return int(heads[-1])


async def _check_outputs(script: Script, run: Path, patience_seconds: float) -> None:
    """What runs in the background may print a moment later."""
    for shown in script.shown:
        for _ in range(max(1, round(patience_seconds / POLL_SECONDS))):
            missing = missing_line(shown.text, _printed(run, shown.part))
            if missing is None:
                break
            await asyncio.sleep(POLL_SECONDS)
        assert missing is None, f"{shown.block.place}: {missing!r} was not printed, but\n{_printed(run, shown.part)}"


def _printed(run: Path, part: str | None) -> str:
    parts = [part] if part is not None else sorted(os.listdir(run / "printed"), key=int)
    return "".join((run / "printed" / each).read_text(errors="replace") for each in parts)


def _read_logs(run: Path) -> None:
    """What a server logged on the page's terminal is searched for secrets, as every log is."""
    for line in _printed(run, None).splitlines():
        if line.startswith("{") and '"level":' in line:
            read_log(line)


def _failure(script: Script, run: Path, what: str) -> str:
    reached = run / "reached"
    part = reached.read_text().strip() if reached.exists() else "0"
    block, printed = script.parts[part], _printed(run, part)
    return (
        f"{block.place}: {what}, having printed\n{printed}\n--- of\n{block.text}"
        "--- mend the page or the product; what no test can run goes into tests/docs/not_run.py with its reason"
    )
