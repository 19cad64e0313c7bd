"""What is kept of an answer's headers: bounded, printable, and without credentials."""

import pytest

from hookwright.core.answer_headers import (
    MOST_CHARACTERS,
    MOST_HEADERS,
    MOST_OF_A_NAME,
    MOST_OF_A_VALUE,
    AnswerHeader,
    AnswerHeaders,
    header_lines,
    headers_to_keep,
)


def test_names_and_values_are_kept_in_their_order_as_they_came() -> None:
    received = [(b"Server", b"nginx"), (b"X-A", b"1"), (b"x-a", b"2"), (b"empty", b"")]
    assert headers_to_keep(received) == AnswerHeaders(
        (
            AnswerHeader("Server", "nginx"),
            AnswerHeader("X-A", "1"),
            AnswerHeader("x-a", "2"),
            AnswerHeader("empty", ""),
        )
    )


def test_an_answer_may_have_no_headers_at_all() -> None:
    assert headers_to_keep([]) == AnswerHeaders(())


@pytest.mark.parametrize(
    ("received", "kept"),
    [
        (b"caf\xc3\xa9", r"caf\xc3\xa9"),
        (b"\x9b2J\x1b]0;title\x07", r"\x9b2J\x1b]0;title\x07"),
        (b"a\r\nb\tc\x00", r"a\x0d\x0ab\x09c\x00"),
        (b" \tpadded\t ", "padded"),
        (rb"C:\x41", r"C:\x41"),
    ],
)
def test_bytes_that_are_not_printable_ascii_are_written_out(received: bytes, kept: str) -> None:
    assert headers_to_keep([(b"x", received)]).kept == (AnswerHeader("x", kept),)


@pytest.mark.parametrize(
    "name",
    [
        b"Set-Cookie", b"set-cookie2", b"Cookie", b"Authorization", b"Proxy-Authorization", b"Authentication-Info",
        b"Proxy-Authentication-Info", b"X-Auth-Token", b"x-amz-security-token", b"X-API-Key", b"apikey",
        b"x_csrf_token", b"X-Session-Id", b"client-secret",
    ],
)  # fmt: skip
def test_what_may_be_a_credential_is_named_but_not_kept(name: bytes) -> None:
    assert headers_to_keep([(name, b"s3cret")]).kept == (AnswerHeader(name.decode(), None),)


@pytest.mark.parametrize(
    "name",
    [b"WWW-Authenticate", b"Proxy-Authenticate", b"Proxy-Status", b"x-ratelimit-remaining-tokens", b"X-Request-Id"],
)
def test_what_says_why_the_receiver_refused_is_kept(name: bytes) -> None:
    assert headers_to_keep([(name, b"Bearer error=invalid")]).kept == (
        AnswerHeader(name.decode(), "Bearer error=invalid"),
    )


def test_of_a_long_value_the_beginning_is_kept_and_what_is_missing_is_told() -> None:
    (header,) = headers_to_keep([(b"csp", b"v" * (MOST_OF_A_VALUE + 1_500))]).kept
    assert header == AnswerHeader("csp", "v" * MOST_OF_A_VALUE, 1_500)
    assert header_lines(AnswerHeaders((header,))) == [f"csp: {'v' * MOST_OF_A_VALUE}… (1,500 more bytes)"]


def test_a_name_that_is_too_long_is_left_out() -> None:
    assert headers_to_keep([(b"n" * (MOST_OF_A_NAME + 1), b"v"), (b"x", b"y")]) == AnswerHeaders(
        (AnswerHeader("x", "y"),), left_out=1
    )


def test_so_many_headers_are_kept_and_the_others_counted() -> None:
    headers = headers_to_keep([(b"x-%d" % number, b"v") for number in range(MOST_HEADERS + 36)])
    assert [each.name for each in headers.kept] == [f"x-{number}" for number in range(MOST_HEADERS)]
    assert headers.left_out == 36
    assert header_lines(headers)[-1] == "(36 more not kept)"


@pytest.mark.parametrize("byte", [b"v", b"\xff"])
def test_all_that_is_kept_stays_within_the_bound_and_what_is_short_still_finds_room(byte: bytes) -> None:
    headers = headers_to_keep([*((b"x-%d" % number, byte * 1_000) for number in range(30)), (b"last", b"1")])
    assert sum(len(each.name) + len(each.value or "") for each in headers.kept) <= MOST_CHARACTERS
    assert headers.kept[-1] == AnswerHeader("last", "1")
    assert len(headers.kept) + headers.left_out == 31


def test_people_read_a_line_for_each_header() -> None:
    headers = AnswerHeaders((AnswerHeader("server", "nginx"), AnswerHeader("set-cookie", None)))
    assert header_lines(headers) == ["server: nginx", "set-cookie: (not kept: it may be a credential)"]
