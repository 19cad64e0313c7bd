"""A wall clock for one process that can be made to jump while it runs; its monotonic clock goes on as ever.

libfaketime (https://github.com/wolfcw/libfaketime) stands between the process and the kernel.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from faults.case import Skipped


class SteppedClock:
    """The clock of the process that is started with `environ`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds = 0
        self._library = _library()
        self._write()

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # Left to guess, the library makes every wait between threads a hundred milliseconds longer.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def step(self, seconds: int) -> None:
        """Put the clock forward or, below zero, back."""
        self._seconds += seconds
        self._write()

    def _write(self) -> None:
        # Replaced as a whole: it is read whenever the process asks for the time.
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{self._seconds:+d}\n")
        os.replace(draft, self._file)


def _library() -> Path:
    package = find_spec("libfaketime")
    if package is None or package.origin is None:
        raise Skipped("the package libfaketime is not installed")
    library = Path(package.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    if not library.exists():
        raise Skipped("libfaketime was not built for this machine")
    return library
