"""`hookwright` as a process of its own: started, listened to, ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from log_scan import read_log

PATIENCE_SECONDS = 30


class Running:
    """A process that was started. Its standard error is read as log lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.errors: list[str] = []

    async def line(self) -> str:
        """The next line on standard output; empty at its end."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self._process.stdout.readline()).decode()

    async def logged(self, event: str) -> dict[str, Any]:
        """The next JSON log line of this event."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self.error_lines():
                if line.startswith("{") and (record := json.loads(line))["event"] == event:
                    return dict(record)
        raise AssertionError(f"ended without logging {event!r}:\n{''.join(self.errors)}")

    async def read_log(self) -> None:
        """Read log lines to the end, so that a busy process never waits for us to take them."""
        async for _ in self.error_lines():
            pass

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> tuple[int, str]:
        """Wait for its end: the exit code, and what was left on standard output."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            rest = await self._process.stdout.read()
            async for _ in self.error_lines():
                pass
            return await self._process.wait(), rest.decode()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.send(number)
        return (await self.end())[0]

    async def error_lines(self) -> AsyncIterator[str]:
        """The lines of standard error, as they come."""
        assert self._process.stderr is not None
        while line := (await self._process.stderr.readline()).decode():
            self.errors.append(line)
            read_log(line)
            yield line


@asynccontextmanager
async def hookwright(*arguments: str, environ: Mapping[str, str], folder: Path) -> AsyncIterator[Running]:
    """A running `hookwright <arguments>` in a folder, with no settings but the given ones; killed if it is left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright.cli", *arguments),
        cwd=folder,
        env={**without_settings(os.environ), "TMPDIR": str(folder), **environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        _, rest = await process.communicate()
        read_log(rest.decode(errors="replace"))


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that has only the settings that a test gives it."""
    return {name: value for name, value in environ.items() if not name.startswith("HOOKWRIGHT_")}
