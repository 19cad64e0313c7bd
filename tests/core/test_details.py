"""The detail of an outcome: a bounded line that any database, terminal and pattern takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.causes import Tried, cause_of
from hookwright.core.details import MOST_OF_A_DETAIL, detail_to_keep
from hookwright.core.model import Outcome


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no answer within 15 s", "no answer within 15 s"),
        ("Zoë → 日本", "Zoë → 日本"),
        ("a\0b", r"a\x00b"),
        ("half \udc80 a pair", r"half \udc80 a pair"),
        ("two\r\nlines\u2028and a half", r"two\r\nlines\u2028and a half"),
        ("\x1b[2J\x9b2J", r"\x1b[2J\x9b2J"),
        ("", ""),
    ],
)
def test_what_cannot_be_kept_or_printed_is_spelt_out(said: str, kept: str) -> None:
    assert detail_to_keep(said) == kept


@pytest.mark.parametrize("said", ["x" * 100_000, "\0" * 100_000, "x" * MOST_OF_A_DETAIL + "\0"])
def test_a_long_detail_is_cut_and_says_so(said: str) -> None:
    kept = detail_to_keep(said)
    assert len(kept) == MOST_OF_A_DETAIL
    assert kept.endswith("…")


@given(st.text(st.characters(exclude_categories=()), max_size=2 * MOST_OF_A_DETAIL))
def test_every_outcome_has_a_detail_that_can_be_kept(said: str) -> None:
    detail = Outcome(started_at=0, duration_us=0, detail=said).detail
    assert detail is not None
    assert len(detail.encode()) <= 4 * MOST_OF_A_DETAIL
    assert detail.isprintable()
    assert detail_to_keep(detail) == detail


def test_the_cause_of_a_detail_as_long_as_they_come_is_found() -> None:
    detail = "hostname mismatch" * 10_000
    outcome = Outcome(started_at=0, duration_us=0, error="tls_failed", detail=detail)
    cause = cause_of(Tried(error=outcome.error, detail=outcome.detail))
    assert cause is not None
    assert cause.code == "certificate_for_other_name"
