"""A copy of this repository for commands that belong into it: whatever they write or mend stays in the copy.

Its `.venv` is up to date for `make`, and its programs are those of the environment that the tests run in: nothing is
installed, and the environment, which others may use at the same time, is not written to.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from docs.blocks import ROOT, Block
from docs.scripts import SHELLS
from docs.shell import put_into_environment

# What no commit has, and the history.
_LEFT_BEHIND = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "artefacts", "dist", "*.sqlite3*")
_OF_THE_REPOSITORY = re.compile(r"^(?:make|\.venv/bin/\w+) ", re.MULTILINE)

# So little of what takes minutes that it takes seconds. Power cuts are tried without a process or a database server.
AMOUNTS = {
    "FAULTS_OPTIONS": "--on sqlite --only power_cut --rounds 20",
    "BENCH_OPTIONS": "--only sqlite_batch --rounds 1 --events 300",
    "FUZZ_EXAMPLES": "1",
    "PYTEST_ADDOPTS": "-k 'a_sealed_secret or no_refusal_repeats'",
    "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),  # what is checked already need not be checked again
    "MYPY_WORKERS": "0",  # beside other tests its processes would give each other up
    "WORKERS": "2",
    "UNREACHABLE": "pass",  # nobody is asked for known weaknesses: nothing leaves this machine
}


def wants_repository(blocks: Sequence[Block]) -> bool:
    return any(block.language in SHELLS and _OF_THE_REPOSITORY.search(block.text) for block in blocks)


def copy_repository(folder: Path) -> None:
    """Put a copy here, with an environment that `make` finds up to date."""
    assert (ROOT / "Makefile").exists(), f"{ROOT} is no checkout of the repository: pages run `make` in a copy of it"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_LEFT_BEHIND), dirs_exist_ok=True)
    bin = folder / ".venv" / "bin"
    bin.mkdir(parents=True)
    put_into_environment(bin)
    (folder / ".venv" / ".installed").touch()
