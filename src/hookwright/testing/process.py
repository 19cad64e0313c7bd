"""`hookwright dev` as a process of its own, for whoever wants to talk to it as the outside world does."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any


class DidNotStart(Exception):
    """The process ended before it was ready; it has said why on standard error."""


@asynccontextmanager
async def running_dev(environ: Mapping[str, str] | None = None) -> AsyncIterator[dict[str, Any]]:
    """A Hookwright on a free port and a temporary SQLite file; yields what `hookwright dev --json` prints.

    `environ` is all of its environment; None: the one of this process.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright.cli", "dev", "--json", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env=environ,
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise DidNotStart(f"hookwright dev ended with the exit code {await process.wait()}")
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
