"""What processes hold in memory, as Linux counts it."""

from __future__ import annotations

from pathlib import Path

MB = 1_000_000


def most_resident_mb(pid: int) -> float:
    """The most memory that a process ever held, in 10^6 bytes (proc(5): VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MB
    raise LookupError(f"/proc/{pid}/status has no VmHWM")
