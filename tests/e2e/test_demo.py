"""`make demo` does what it says."""

import pytest

from hookwright.testing import demo


def test_the_demo_delivers_exactly_the_expected_set(capfd: pytest.CaptureFixture[str]) -> None:
    exit_code = demo.main()
    printed = capfd.readouterr()
    assert (exit_code, printed.err) == (0, "")
    assert printed.out.count("\ndelivered ") == demo.EXPECTED_COUNT
    assert printed.out.endswith("demo: 6 of 6 deliveries arrived, all signatures verified\n")
