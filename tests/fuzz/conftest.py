"""Fixtures: one `hookwright dev` for all of these tests, and how long they go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from log_scan import read_log

# One attempt for each delivery: they soon are dead, and there is something to replay.
SETTINGS = {"HOOKWRIGHT_RETRY_SCHEDULE": "0"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-examples", type=int, help="Generated requests for each operation and kind of data.")


class Length(NamedTuple):
    """How long to go on with each operation."""

    examples: int  # generated requests for each kind of data
    limits: int  # at most so many requests at the limits that the document states
    odd_step: int  # one in so many of the odd requests
    random: bool  # whether other requests are generated each time


SHORT = Length(examples=4, limits=8, odd_step=12, random=False)


@pytest.fixture(scope="session")
def length(pytestconfig: pytest.Config) -> Length:
    # Unknown, and thus None, where this file is read after the command line.
    examples = pytestconfig.getoption("fuzz_examples", default=None)
    return Length(examples, limits=100_000, odd_step=1, random=True) if examples else SHORT


class Running(NamedTuple):
    """A `hookwright dev`: its base URL, and its credentials."""

    url: str
    given: dict[str, Any]


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("fuzz")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOOKWRIGHT_")}
    # What it says of faults goes to a file: it must not wait for us to read.
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "hookwright.cli", "dev", "--json", "--port", "0", "--data", str(folder / "data")],
            cwd=folder,
            env={**environ, **SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready, log.read_text()
            given = json.loads(ready)
            yield Running(given["url"], given)
        finally:
            process.terminate()
            process.communicate()
    read_log(log.read_text())
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="session")
def http(dev: Running) -> Iterator[httpx.Client]:
    """Anybody, without credentials."""
    with httpx.Client(base_url=dev.url, trust_env=False, verify=False, timeout=30) as client:
        yield client
