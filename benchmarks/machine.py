"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.database import Postgres
from benchmarks.measure import Scale

PACKAGES = ("asyncpg", "fastapi", "httptools", "msgspec", "starlette", "uvicorn", "uvloop")


async def described(scale: Scale, postgres: Postgres | None, load_average: float) -> dict[str, Any]:
    """The machine (with its load before the run), versions, the database's settings, and how much was done."""
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "cpu": _cpu_model(),
            "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
            "kernel": platform.release(),
            "load_average": load_average,
        },
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "openssl": ssl.OPENSSL_VERSION,
            "postgresql": None if postgres is None else await postgres.version(),
            **{package: version(package) for package in PACKAGES},
        },
        "postgresql_settings": {} if postgres is None else await postgres.settings(),
        "scale": {name: getattr(scale, name) for name in scale.__slots__},
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
