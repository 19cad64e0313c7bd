"""A disk of a few megabytes, which can be filled up; and a file system that refuses every write of a process."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from faults.case import Skipped

NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # CLONE_NEWNS and CLONE_NEWUSER of sched.h
PIECE = 64 * 1024
ATTACH_SECONDS = 10.0

# What changes a file, beside what also writes to sockets and to the log.
FILE_CHANGES = "pwrite64,pwritev,ftruncate,fallocate"


class SmallDisk:
    """A mounted folder with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Take all the room that is left."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (PIECE, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk for this process and those that it starts; nobody else sees it. Raises Skipped where none can be had."""
    _see_mounts_alone()
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: what the last process had open there is gone a moment after it.
        _run("umount", "--lazy", str(folder))


def can_refuse_writes() -> bool:
    """Whether this machine has what `read_only_for` needs."""
    return shutil.which("strace") is not None


@asynccontextmanager
async def read_only_for(pid: int) -> AsyncIterator[None]:
    """Answer EROFS to whatever the process would change in a file, as from a file system that turned read-only.

    A real one cannot be had of the kernel while files are open for writing but through an error of the disk.
    """
    process = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-o", "/dev/null", "-e", f"trace={FILE_CHANGES}"),
        *("-e", f"inject={FILE_CHANGES}:error=EROFS", "-p", str(pid)),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await _attached(process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _attached(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(ATTACH_SECONDS):
        line = (await process.stderr.readline()).decode().strip()
    if "attached" not in line:
        raise Skipped(f"strace cannot attach to a process: {line}")


def _see_mounts_alone() -> None:
    """Give this thread, and what it starts, mounts of its own; as another user than root with root's rights there."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(NEW_MOUNTS if uid == 0 else NEW_MOUNTS | NEW_USER) != 0:
        raise Skipped(f"no mounts of its own to be had: {errno.errorcode[ctypes.get_errno()]}; run it as root")
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _run("mount", "--make-rprivate", "/")


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Skipped(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise Skipped(f"{' '.join(command)}: {error.stderr.strip()}") from None
