"""Custom headers: what may be added to requests, and what is ours."""

import pytest

from hookwright.core.custom_headers import MAX_HEADER_BYTES, MAX_HEADERS, header_problems, lower_case


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer abc"),
        ("X-Tenant", "ada"),
        ("apikey", "1=2; 3"),
        ("X-Empty", ""),
        ("x-!#$%&'*+.^_`|~9", "a\tb"),
    ],
)
def test_what_a_gateway_asks_for_may_be_sent(name: str, value: str) -> None:
    assert header_problems({name: value}) == []


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "connection", "Keep-Alive", "TE", "trailer", "Transfer-Encoding", "upgrade", "Expect", "via"),
        *("Content-Type", "content-length", "Content-Encoding", "webhook-id", "Webhook-Signature", "User-Agent"),
        *("Cookie", "Proxy-Authorization", "Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Real-IP"),
        *("Accept-Encoding", "Sec-Fetch-Mode", "Origin"),
    ],
)
def test_a_header_that_is_not_the_owners_to_set_is_refused(name: str) -> None:
    [problem] = header_problems({name: "x"})
    assert problem.pointer == f"/headers/{name}"
    assert "reserved" in problem.message


@pytest.mark.parametrize("name", ["", "X Y", "X:", "Ü", "X\r\nY", "X\0", "(x)"])
def test_a_name_is_a_token(name: str) -> None:
    [problem] = header_problems({name: "x"})
    assert problem.message == "is not the name of a header"


@pytest.mark.parametrize("value", ["a\r\nHost: b", "a\n", "\n", "\0", "é", "a\x7f", " a", "a ", "\ta"])
def test_a_value_is_one_line_of_printable_ascii(value: str) -> None:
    [problem] = header_problems({"X-A": value})
    assert problem.pointer == "/headers/X-A"


def test_a_name_with_a_slash_is_escaped_in_its_pointer() -> None:
    [problem] = header_problems({"a/b~c": "x"})
    assert problem.pointer == "/headers/a~1b~0c"


def test_there_are_at_most_twenty_headers_of_four_kilobytes() -> None:
    full = {f"x-{number}": "v" for number in range(MAX_HEADERS)}
    assert header_problems(full) == []
    assert [problem.pointer for problem in header_problems({**full, "x-more": "v"})] == ["/headers"]
    assert header_problems({"x-a": "v" * (MAX_HEADER_BYTES - 3)}) == []
    assert [problem.pointer for problem in header_problems({"x-a": "v" * MAX_HEADER_BYTES})] == ["/headers"]


def test_one_header_under_two_spellings_is_refused() -> None:
    [problem] = header_problems({"X-A": "1", "x-a": "2"})
    assert problem.pointer == "/headers/x-a"


def test_names_are_kept_in_lower_case() -> None:
    assert lower_case({"X-Tenant": "Ada"}) == {"x-tenant": "Ada"}
