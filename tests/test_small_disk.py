"""The disk that fills up, in a process of its own as its mounts want."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from faults.case import Skipped
from faults.small_disk import can_refuse_writes, read_only_for, small_disk

WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
for _ in sys.stdin:
    try:
        print(os.pwrite(file, b"x", 0), flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


def fill_and_free(folder: Path, pipe: Connection) -> None:
    try:
        with small_disk(folder, megabytes=1) as disk:
            other = folder / "other"
            other.write_bytes(b"")
            disk.fill()
            try:
                other.write_bytes(b"x")
                said = "there was room left"
            except OSError as error:
                said = os.strerror(error.errno or 0)
            disk.free()
            other.write_bytes(b"x" * 500_000)
        pipe.send(said)
    except Skipped as reason:
        pipe.send(f"skipped: {reason}")


def test_a_small_disk_is_full_until_its_ballast_is_gone_and_nobody_else_sees_it(tmp_path: Path) -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=fill_and_free, args=(tmp_path / "disk", there))
    process.start()
    said = here.recv()
    process.join()
    if said.startswith("skipped: "):
        pytest.skip(said.removeprefix("skipped: "))
    assert said == "No space left on device"
    assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.skipif(not can_refuse_writes(), reason="strace is not installed")
async def test_a_process_is_refused_its_writes_for_a_while(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(tmp_path / "file")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said = []
    try:
        process.stdin.write(b"\n")
        said.append(await process.stdout.readline())
        async with read_only_for(process.pid):
            process.stdin.write(b"\n")
            said.append(await process.stdout.readline())
        process.stdin.write(b"\n")
        said.append(await process.stdout.readline())
    except Skipped as reason:
        pytest.skip(str(reason))
    finally:
        process.kill()
        await process.communicate()
    assert said == [b"1\n", b"30\n", b"1\n"]  # EROFS
