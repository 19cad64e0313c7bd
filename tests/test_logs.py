"""Log lines: what other libraries log is as complete as our own, and nothing prints the values of variables."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import structlog

from hookwright.ambient import new_signing_key, new_token
from hookwright.core.model import Settled
from hookwright.core.secret_shapes import LEFT_OUT
from hookwright.core.signing import encode_secret
from hookwright.engine import attempt_log
from hookwright.logs import configure_logs, log_beside_output, render_json

SECRET = "hw_1_0123456789"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging as the other tests know it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configured = structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**configured)


def log_a_fault() -> None:
    token = SECRET
    try:
        raise ZeroDivisionError(f"with {len(token)} characters")
    except ZeroDivisionError:
        structlog.get_logger("test").exception("ours")
        logging.getLogger("uvicorn.error").exception("theirs")


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_others_have_worded_is_logged_without_our_secrets(capsys: pytest.CaptureFixture[str], form: str) -> None:
    configure_logs("info", form)
    key, secret = new_token("hw", 64), encode_secret(new_signing_key())
    try:
        raise ValueError(f"cannot read {key!r}") from RuntimeError(f"of {secret}")
    except ValueError as error:
        structlog.get_logger("test").exception("ours")
        structlog.get_logger("test").warning("skipped", error=str(error))
        logging.getLogger("uvicorn.error").exception("theirs with %s", key)
    printed = capsys.readouterr().err
    assert printed.count(LEFT_OUT) == 6
    assert key[:20] not in printed
    assert secret[:20] not in printed


def test_a_fault_is_logged_with_its_traceback_whoever_logs_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    log_a_fault()
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [record["event"] for record in records] == ["ours", "theirs"]
    for record in records:
        assert "in log_a_fault" in record["exception"]
        assert record["exception"].endswith("ZeroDivisionError: with 15 characters")


def test_lines_are_in_the_order_in_which_they_were_logged_whoever_logs_them(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    for number in range(3):
        structlog.get_logger("test").info("ours", number=number)
        logging.getLogger("uvicorn.error").error("theirs %d", number)
    records = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [record["event"] for record in records] == ["ours", "theirs 0", "ours", "theirs 1", "ours", "theirs 2"]


@pytest.mark.parametrize(
    "value",
    ["ä\u2028\u0085", "\udc80", {"a": [1, None, 0.5]}, 2**70, Path("/x"), ZeroDivisionError("x"), {1: 2}],
)
def test_a_json_line_says_what_the_standard_library_says(value: object) -> None:
    line = render_json(None, "info", {"event": "e", "value": value})
    assert json.loads(line) == json.loads(json.dumps({"event": "e", "value": value}, default=repr))
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_event_of_many_things_is_a_line_for_each(capsys: pytest.CaptureFixture[str], form: str) -> None:
    configure_logs("info", form)
    structlog.get_logger("test").info("attempt", each=[{"number": 1}, {"number": 2}])
    first, second = capsys.readouterr().err.splitlines()
    assert "attempt" in first
    assert "attempt" in second
    if form == "json":
        assert list(json.loads(second)) == ["number", "event", "level", "timestamp"]


def test_attempts_that_are_not_to_be_logged_are_not_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A logger keeps the level that it was first used with, which may have been in another test.
    monkeypatch.setattr(attempt_log, "log", structlog.get_logger("hookwright.worker"))
    configure_logs("warning", "json")
    attempt_log.log_attempts([cast("Settled", None)], set(), lambda claim: ())
    assert capsys.readouterr().err == ""


def test_a_fault_for_people_shows_the_lines_but_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "console")
    log_a_fault()
    printed = capsys.readouterr().err
    assert printed.count("ZeroDivisionError: with 15 characters") == 2
    assert SECRET not in printed


def test_a_commands_log_lines_print_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    log_beside_output("warning")
    log_a_fault()
    printed = capsys.readouterr().err
    assert "ZeroDivisionError" in printed
    assert SECRET not in printed


def test_a_commands_log_lines_stay_out_of_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    log_beside_output("warning")
    structlog.get_logger("test").warning("clock not anchored")
    structlog.get_logger("test").info("too quiet")
    out, err = capsys.readouterr()
    assert (out, "clock not anchored" in err, "too quiet" in err) == ("", True, False)
