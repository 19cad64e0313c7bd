"""What a portal may look like."""

import pytest

from hookwright.core.portal import Look, look_problems

LOGOS = [
    "http://cdn.example.com/logo.svg",
    "https://cdn.example.com/logo.svg; script-src *",
    "https://cdn.example.com, https://evil.example.com/",
    "https://user@cdn.example.com/logo.svg",
    "https://cdn.example.com",
    "data:image/svg+xml,x",
    "https://cdn.example.com/" + "a" * 500,
]


@pytest.mark.parametrize("logo", LOGOS)
def test_a_logo_is_a_plain_https_url(logo: str) -> None:
    assert [problem.pointer for problem in look_problems(Look(logo=logo))] == ["/logo"]


def test_a_look_that_is_well_has_no_problems_and_says_where_its_logo_is() -> None:
    look = Look(name="Ada & Co", logo="https://cdn.example.com:8443/a/logo.svg?v=2", accent="#2b50cc")
    assert look_problems(look) == []
    assert look.logo_origin == "https://cdn.example.com:8443"
    assert (look_problems(Look()), Look().logo_origin) == ([], "")


def test_names_and_colours_have_their_limits() -> None:
    look = Look(name="a" * 61, accent="blue")
    assert [problem.pointer for problem in look_problems(look)] == ["/name", "/accent"]
    assert look_problems(Look(name="a\nb"))
