"""Log lines: what other libraries log is as complete as our own, and nothing prints the values of variables."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hookwright.logs import configure_logs, log_beside_output

SECRET = "hw_1_0123456789"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging as the other tests know it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def log_a_fault() -> None:
    token = SECRET
    try:
        raise ZeroDivisionError(f"with {len(token)} characters")
    except ZeroDivisionError:
        structlog.get_logger("test").exception("ours")
        logging.getLogger("uvicorn.error").exception("theirs")


def test_a_fault_is_logged_with_its_traceback_whoever_logs_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    log_a_fault()
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [record["event"] for record in records] == ["ours", "theirs"]
    for record in records:
        assert "in log_a_fault" in record["exception"]
        assert record["exception"].endswith("ZeroDivisionError: with 15 characters")


def test_a_fault_for_people_shows_the_lines_but_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "console")
    log_a_fault()
    printed = capsys.readouterr().err
    assert printed.count("ZeroDivisionError: with 15 characters") == 2
    assert SECRET not in printed


def test_a_commands_log_lines_stay_out_of_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    log_beside_output("warning")
    structlog.get_logger("test").warning("clock not anchored")
    structlog.get_logger("test").info("too quiet")
    out, err = capsys.readouterr()
    assert (out, "clock not anchored" in err, "too quiet" in err) == ("", True, False)
