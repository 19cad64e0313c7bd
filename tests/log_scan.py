"""A pytest plugin that reads all that Hookwright logs during a run and fails the run over a secret or a payload.

It reads the lines of this process where they are written, whoever captures them, and those of child processes where
tests read them (`read_log`). Deliberate output is no log: a command that prints a new key does so on standard output.
With pytest-xdist each worker scans its own lines, and the run as a whole fails.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from base64 import b64encode
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
import structlog

from hookwright import vault
from hookwright.core.model import Binding
from hookwright.core.secret_shapes import SECRET
from hookwright.log_writer import LineWriter
from hookwright.logs import log_beside_output

# What test data is made of, and no field of a log line: an address, or members of an event's data; in JSON within
# JSON as well.
PAYLOAD = re.compile(
    r"[\w.+-]+@example\.(?:com|org|net)|\\*\"(?:contact|subscriber|first_name|email|email_address)\\*\"\s*:"
)
SHORTEST_SECRET = 8  # a header value of "1" would be found everywhere
LEVELS = ("msg", "log", "debug", "info", "warning", "warn", "error", "err", "critical", "fatal", "failure")


class Finding(NamedTuple):
    """What a line must not hold, and the test that ran when it was written."""

    what: str
    test: str
    line: str

    def __str__(self) -> str:
        return f"{self.what} in a log line of {self.test}: {self.line[:400]}"


class LogScan:
    """Every line of a run, and the secrets that were made meanwhile."""

    def __init__(self) -> None:
        self.lines = 0
        self._findings: list[Finding] = []
        self._secrets: set[str] = set()
        self._read: list[tuple[str, str]] = []

    def read(self, text: str) -> None:
        """Look through lines that were logged."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test").partition(" (")[0]
        for line in text.splitlines():
            self.lines += 1
            self._read.append((test, line))
            for what, shape in (("a secret", SECRET), ("a payload", PAYLOAD)):
                if shape.search(line):
                    self._findings.append(Finding(what, test, line))

    def keep_in_mind(self, secret: str) -> None:
        """Look for this, whatever it looks like, in all lines of the run."""
        if len(secret) >= SHORTEST_SECRET:
            self._secrets.add(secret)

    def findings(self) -> list[Finding]:
        """What was found; known secrets are looked for in what was logged before they were made too."""
        everything = "\n".join(line for _, line in self._read)
        logged = [secret for secret in self._secrets if secret in everything]
        known = [
            Finding("a known secret", test, line)
            for test, line in self._read
            if any(secret in line for secret in logged)
        ]
        return [*self._findings, *known]


SCAN = LogScan()
told_by_workers: list[str] = []
lines_of_workers: list[int] = []


def read_log(text: str) -> None:
    """To be called by tests with what a child process has logged."""
    SCAN.read(text)


# -- where lines are written and secrets are made ----------------------------------------------------------------


def _observe(owner: Any, name: str, see: Callable[..., None]) -> None:
    """Have `see` told of every call, with its arguments; the call itself is as before."""
    observed = getattr(owner, name)

    @functools.wraps(observed)
    def call(*args: Any, **kwargs: Any) -> Any:
        see(*args, **kwargs)
        return observed(*args, **kwargs)

    setattr(owner, name, call)


class _Reader(logging.Handler):
    """Reads what the standard library logs while Hookwright has not taken that over."""

    def emit(self, record: logging.LogRecord) -> None:
        SCAN.read(logging.Formatter().format(record))


def _see_sealed(_vault: vault.Vault, binding: Binding, secret: bytes) -> None:
    if binding.what == "signing secret":
        SCAN.keep_in_mind(b64encode(secret).decode())
        SCAN.keep_in_mind(secret.hex())
        return
    # A property test of the vault seals any bytes in the place of headers; those are nobody's secret.
    with suppress(ValueError, AttributeError):
        for value in json.loads(secret).values():
            SCAN.keep_in_mind(value)


def _see_master_keys(_vault: vault.Vault, *keys: bytes) -> None:
    for key in keys:
        SCAN.keep_in_mind(b64encode(key).decode())


def pytest_configure() -> None:
    _observe(LineWriter, "write", lambda _writer, lines: SCAN.read(lines))
    for level in LEVELS:
        if hasattr(structlog.PrintLogger, level):
            _observe(structlog.PrintLogger, level, lambda _logger, line: SCAN.read(str(line)))
    _observe(vault.Vault, "seal", _see_sealed)
    _observe(vault.Vault, "__init__", _see_master_keys)
    logging.getLogger().addHandler(_Reader())
    # As every command of ours: structlog's own tracebacks print the local variables, payloads among them.
    log_beside_output("info")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """What children wrote into our own standard error, which they share if nobody gave them another."""
    report = yield
    for name, text in report.sections:
        if name.startswith("Captured stderr"):
            SCAN.read(text)
    return report


# -- the verdict -------------------------------------------------------------------------------------------------


def pytest_sessionfinish(session: pytest.Session) -> None:
    told = [str(finding) for finding in SCAN.findings()]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["log_scan"] = (SCAN.lines, told)
    elif told or told_by_workers:
        told_by_workers.extend(told)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    lines, told = getattr(node, "workeroutput", {}).get("log_scan", (0, []))
    lines_of_workers.append(lines)
    told_by_workers.extend(told)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = SCAN.lines + sum(lines_of_workers)
    if told_by_workers:
        terminalreporter.section("secrets or payloads in the log", red=True)
        for told in dict.fromkeys(told_by_workers):
            terminalreporter.line(told)
    terminalreporter.line(f"log scan: {lines} lines, {len(told_by_workers)} with a secret or a payload")
