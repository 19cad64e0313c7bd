"""Which headers `traceparent` we keep. The first example is the specification's own (W3C Trace Context §3.2.2)."""

import pytest

from hookwright.core.traceparent import known_traceparent, trace_id_of

EXAMPLE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_specifications_example_is_kept_as_it_is() -> None:
    assert known_traceparent(EXAMPLE) == EXAMPLE
    assert trace_id_of(EXAMPLE) == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_later_version_is_read_by_its_first_four_fields() -> None:
    assert known_traceparent(f"cc{EXAMPLE[2:]}-what-the-future-will-be-like") == EXAMPLE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        EXAMPLE.upper(),
        f"ff{EXAMPLE[2:]}",
        f"{EXAMPLE}-more",
        EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        EXAMPLE.replace("00f067aa0ba902b7", "0" * 16),
        EXAMPLE[:-1],
        EXAMPLE.replace("4", "٤"),
        f"{EXAMPLE}\n{EXAMPLE}",
    ],
)
def test_what_the_specification_does_not_allow_is_ignored(header: str) -> None:
    assert known_traceparent(header) is None


def test_no_header_is_no_trace() -> None:
    assert known_traceparent(None) is None
    assert trace_id_of(None) is None
