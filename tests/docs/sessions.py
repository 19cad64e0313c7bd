"""One page's blocks, run in their order: shell blocks in one session, so that variables carry over.

The session lives in a fresh folder, with `hookwright`, `python3` and a `curl` that notes every answer first on its
path. Hosts below example.com stand for the test's receiver, the usual ports for free ones: nothing leaves loopback.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import hookwright
from docs.answers import missing_line
from docs.blocks import Block
from docs.scripts import Script

HERE = "here"  # the folder that a page's commands start in
PAGE_SECONDS = 120  # a few, where the machine has nothing else to do
# As where Hookwright is installed and little else. Its entry point may be missing here, so it is loaded by its name.
PYTEST_OPTIONS = (
    "-c /dev/null -p no:cacheprovider -p no:hookwright -p hookwright.testing.pytest_plugin -p no:schemathesis"
)
POLL_SECONDS = 0.05

_EXAMPLE_URL = re.compile(r"https?://(?:[\w-]+\.)*example\.com")
_EXAMPLE_PORT = re.compile(r"\b(?:3000|8080|8090|9000)\b")
_URL_HOST = re.compile(r"\b[a-z]+://(?:[^@\s/]*@)?([^\s/:\"'\\)$]+)")
_OURS = ("127.0.0.1", "localhost", "[")

_PRELUDE = """\
set -euo pipefail
begin() { exec > "$PAGE_RUN/printed/$1" 2>&1; echo "$1" > "$PAGE_RUN/reached"; }
dev_in_a_terminal_of_its_own() {
  local printed="$PAGE_RUN/printed/$(cat "$PAGE_RUN/reached")"
  hookwright dev & other_dev=$!
  until grep -q "Ctrl-C ends it" "$printed"; do kill -0 $other_dev; sleep 0.1; done
}
await_line() {  # `…` stands for anything; whether it came is checked at the end
  local pattern
  pattern=$(printf '%s' "$1" | sed -e 's/[][\\.*^$]/\\&/g' -e 's/…/.*/g')
  for _ in $(seq 200); do
    if grep -qx "[[:space:]]*$pattern[[:space:]]*" "$PAGE_RUN"/printed/*; then return; fi
    sleep 0.05
  done
}
end_the_other_dev() { if [ -n "${other_dev:-}" ]; then kill $other_dev; wait $other_dev; other_dev=; fi; }
expects() { cp "$PAGE_RUN/latest" "$PAGE_RUN/expected/$1"; }
"""
_CURL = """\
#!/bin/bash
call=$(mktemp -d "$PAGE_RUN/calls/XXXXXX")
{real} --silent --show-error --max-time 20 --dump-header "$call/head" "$@" | tee "$call/body"
code=${{PIPESTATUS[0]}}
printf '%s' "$*" > "$call/asked"
printf '%s' "$call" > "$PAGE_RUN/latest"
echo >&2  # a body ends without a line's end
exit $code
"""


class Stand(NamedTuple):
    """What a page runs against: variables that it states, the receiver's URL, the port that 8080 and 8090 mean."""

    variables: Mapping[str, str]
    receiver_url: str
    port: int | None


async def run_page(blocks: Sequence[Block], stand: Stand, folder: Path, patience_seconds: float = 10) -> None:
    """Run a page's blocks; an AssertionError names the block that is not as it says."""
    script = Script(blocks)
    run = _prepared(script, stand, folder)
    process = await asyncio.create_subprocess_exec(
        *("bash", str(run / "script")),
        cwd=folder / HERE,
        env=_environment(stand, run, folder),
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
    except TimeoutError:
        raise AssertionError(_failure(script, run, f"took longer than {PAGE_SECONDS} s")) from None
    finally:
        # What the page started in the background ends with it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _prepared(script: Script, stand: Stand, folder: Path) -> Path:
    run = folder / "run"
    for name in ("printed", "expected", "calls", "files", "bin"):
        (run / name).mkdir(parents=True)
    ports = _Ports(stand.port)
    for name, text in script.files.items():
        (run / "files" / name).write_text(at_home(text, stand, ports))
    (run / "script").write_text(_PRELUDE + at_home("\n".join(script.lines), stand, ports))
    _put_on_path(run / "bin")
    here = folder / HERE
    (here / ".venv").mkdir(parents=True)
    (here / ".venv" / "bin").symlink_to(run / "bin")
    return run


def _put_on_path(bin: Path) -> None:
    real = shutil.which("curl")
    assert real is not None, "the pages' commands need curl"
    python = f'#!/bin/sh\nexec "{sys.executable}"'
    shims = {
        "curl": _CURL.format(real=real),
        "python3": f'{python} "$@"\n',
        "hookwright": f'{python} -m hookwright.cli "$@"\n',
        "pytest": f'{python} -m pytest {PYTEST_OPTIONS} "$@"\n',
    }
    for name, text in shims.items():
        (bin / name).write_text(text)
        (bin / name).chmod(0o755)


def _environment(stand: Stand, run: Path, folder: Path) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"  # whoever wants to leave this machine is refused here
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOOKWRIGHT_", "PYTEST_"))}
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


class _Ports:
    """Free ports in place of the usual ones that pages name, the same one for the same name."""

    def __init__(self, served: int | None) -> None:
        self._given = {} if served is None else {"8080": served, "8090": served}

    def __call__(self, found: re.Match[str]) -> str:
        return str(self._given.setdefault(found[0], 0) or self._take(found[0]))

    def _take(self, name: str) -> int:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self._given[name] = taken.getsockname()[1]
        return self._given[name]


def at_home(text: str, stand: Stand, ports: _Ports) -> str:
    """The commands with what they name elsewhere put on loopback. Raises AssertionError over a host that remains."""
    text = _EXAMPLE_PORT.sub(ports, _EXAMPLE_URL.sub(stand.receiver_url, text))
    elsewhere = [host for host in _URL_HOST.findall(text) if not host.startswith(_OURS)]
    assert not elsewhere, f"a block would go to {elsewhere}: use example.com, or put it in NOT_RUN with its reason"
    return text


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


def _failure(script: Script, run: Path, what: str) -> str:
    reached = run / "reached"
    part = reached.read_text().strip() if reached.exists() else "0"
    block, printed = script.parts[part], _printed(run, part)
    return (
        f"{block.place}: {what}, having printed\n{printed}\n--- of\n{block.text}"
        "--- mend the page or the product; what no test can run goes into tests/docs/not_run.py with its reason"
    )
