"""The scan of the log catches what is planted, alone and with workers, and passes what is clean."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hookwright

TESTS = Path(__file__).parent
SOURCES = Path(hookwright.__file__).parent.parent

PLANTED = """
import logging, subprocess, sys
import structlog
from hookwright.ambient import new_signing_key, new_token
from hookwright.core.model import Binding
from hookwright.core.signing import encode_secret
from hookwright.logs import configure_logs
from hookwright.vault import Vault
from log_scan import read_log

log = structlog.get_logger("planted")

def test_a_key():
    log.info("made", key=new_token("hw", 64))

def test_a_signing_secret_of_the_standard_library():
    logging.getLogger("planted").warning("made %s", encode_secret(new_signing_key()))

def test_a_payload():
    log.info("sent", body='{"contact": {"id": 1}}')

def test_a_custom_header():
    Vault(bytes(32)).seal(Binding("headers", 1, 2), b'{"x-gateway": "open sesame"}')
    log.info("sent", headers="open sesame")

def test_a_child():
    subprocess.run([sys.executable, "-c", f"import sys; print('{new_token('kit', 1)}', file=sys.stderr)"])

def test_a_child_that_is_read():
    read_log(new_token("kjat", 1))

def test_a_signing_key_without_its_prefix(capfd):
    key = new_signing_key()
    Vault(bytes(32)).seal(Binding("signing secret", 1, None), key)
    configure_logs("info", "json")
    log.bind().info("made", key=key.hex())
"""

CLEAN = """
import structlog
from hookwright.ambient import new_token

def test_clean(capsys):
    print(new_token("hw", 64))
    structlog.get_logger("clean").info("attempt", endpoint_id=1, message_id="1-2", outcome="delivered")
"""


def run(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    """A run of its own over these tests: its exit code, and what it printed."""
    (folder / "test_planted.py").write_text(tests)
    (folder / "conftest.py").write_text('pytest_plugins = ["log_scan"]\n')
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *options],
        cwd=folder,
        env={**environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{TESTS}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "with workers"])
def test_what_is_planted_fails_the_run_and_names_the_test(tmp_path: Path, options: list[str]) -> None:
    exit_code, printed = run(tmp_path, PLANTED, *options)
    assert exit_code == pytest.ExitCode.TESTS_FAILED
    planted = [line.partition("(")[0].removeprefix("def ") for line in PLANTED.splitlines() if "def test" in line]
    assert len(planted) == 7
    for name in planted:
        assert f"::{name}:" in printed, printed
    assert "7 passed" in printed


def test_a_clean_run_passes_and_deliberate_output_is_no_log(tmp_path: Path) -> None:
    exit_code, printed = run(tmp_path, CLEAN)
    assert (exit_code, " lines, 0 with a secret" in printed) == (0, True), printed
