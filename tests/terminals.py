"""`hookwright` at a terminal: what it draws, what keys do, and whether it leaves the terminal as it was."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from processes import PATIENCE_SECONDS, without_settings

LAST_BYTES = 8_000
ROWS, COLUMNS = 30, 120
OTHER_SCREEN, OWN_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
CURSOR_HIDDEN, CURSOR_SHOWN = b"\x1b[?25l", b"\x1b[?25h"


class Terminal:
    """A pseudo-terminal, and the process in it. `drawn` is all that was written to it."""

    def __init__(self, process: asyncio.subprocess.Process, ours: int, theirs: int, before: list[Any]) -> None:
        self._process = process
        self._ours = ours
        self._theirs = theirs
        self._before = before
        self.drawn = b""
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(ours, self._read)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def until(self, text: str, after: int = 0) -> int:
        """Wait until this text is drawn behind a place; the place behind it."""
        wanted = text.encode()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while wanted not in self.drawn[after:]:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            last = self.drawn[-LAST_BYTES:].decode(errors="replace")
            raise AssertionError(f"{text!r} was not drawn; the last that was:\n{last}") from None
        return self.drawn.index(wanted, after) + len(wanted)

    async def end(self) -> int:
        """Wait for the end of the process: its exit code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await self._process.wait()
        await asyncio.sleep(0)  # what it wrote last
        self._read_all()
        return code

    def is_as_it_was(self) -> bool:
        """Whether keys work as before, and the screen and the cursor are those of the shell."""
        entered, left = self.drawn.rfind(OTHER_SCREEN), self.drawn.rfind(OWN_SCREEN)
        hidden, shown = self.drawn.rfind(CURSOR_HIDDEN), self.drawn.rfind(CURSOR_SHOWN)
        return left >= entered and shown >= hidden and termios.tcgetattr(self._theirs) == self._before

    def _read(self) -> None:
        try:
            self.drawn += os.read(self._ours, 65_536)
        except (BlockingIOError, OSError):
            return
        self._more.set()

    def _read_all(self) -> None:
        before = -1
        while before != len(self.drawn):
            before = len(self.drawn)
            self._read()

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        os.close(self._ours)
        os.close(self._theirs)


@asynccontextmanager
async def at_terminal(*arguments: str, environ: Mapping[str, str], folder: Path) -> AsyncIterator[Terminal]:
    """`hookwright <arguments>` at a terminal of its own; killed if it is left."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    os.set_blocking(ours, False)
    before = termios.tcgetattr(theirs)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright.cli", *arguments),
        cwd=folder,
        env={
            **_plain(os.environ),
            "TMPDIR": str(folder),
            "TERM": "xterm-256color",
            **environ,
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    terminal = Terminal(process, ours, theirs, before)
    try:
        yield terminal
    finally:
        await terminal.close()


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """No settings, and no size: the terminal's own counts, not that of the one that the tests run in."""
    return {name: value for name, value in without_settings(environ).items() if name not in ("COLUMNS", "LINES")}
