"""What processes cost: CPU time and memory, as Linux counts them in /proc."""

from __future__ import annotations

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MB = 1_000_000


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of its children, those that have ended included."""
    # Fields 14 to 17 of proc(5)'s /proc/pid/stat; the name, which is the second, may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / TICKS_PER_SECOND
    return own + sum(_cpu_seconds_or_none(child) for child in _children(pid))


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def resident_mb(pid: int) -> float:
    """Memory that a process holds now, in 10^6 bytes."""
    return _status_kib(pid, "VmRSS") * 1024 / MB


def most_resident_mb(pid: int) -> float:
    """The most memory that a process ever held, in 10^6 bytes."""
    return _status_kib(pid, "VmHWM") * 1024 / MB


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/{pid}/status has no {name}")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, path.read_text().split())
    return found


def _cpu_seconds_or_none(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:  # ended meanwhile; its parent counts it from now on
        return 0.0
