"""Answers that are no good HTTP, or good HTTP at its strangest, as the bytes that are sent."""

from __future__ import annotations

from typing import Literal

from faults.hostile.hostility import Hostility, answering

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"content-length: 0\r\n\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
STOLEN = b"HTTP/1.1 299 Stolen\r\ncontent-length: 6\r\n\r\nstolen"

# RFC 9112 §2.3 to §7; in brackets what it says where that is not plain.
_NO_ANSWERS: dict[str, bytes] = {
    "no_status_code": b"HTTP/1.1 OK\r\n" + EMPTY,
    "status_in_words": b"HTTP/1.1 two OK\r\n" + EMPTY,
    "status_of_two_digits": b"HTTP/1.1 20 OK\r\n" + EMPTY,
    "status_of_four_digits": b"HTTP/1.1 2000 OK\r\n" + EMPTY,
    "status_below_100": b"HTTP/1.1 099 OK\r\n" + EMPTY,
    "negative_status": b"HTTP/1.1 -200 OK\r\n" + EMPTY,
    "no_version": b"HTTP 200 OK\r\n" + EMPTY,
    "version_2": b"HTTP/2.0 200 OK\r\n" + EMPTY,
    "version_0_9": b"HTTP/0.9 200 OK\r\n" + EMPTY,
    "version_1_9": b"HTTP/1.9 200 OK\r\n" + EMPTY,
    "lower_case_version": b"http/1.1 200 OK\r\n" + EMPTY,
    "body_without_head": b"<html>hello</html>",
    "http_2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http_2_settings": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "rtsp": b"RTSP/1.0 200 OK\r\n" + EMPTY,
    "a_request": b"POST / HTTP/1.1\r\nhost: you\r\n" + EMPTY,
    "empty_lines_first": b"\r\n\r\n" + OK + EMPTY,
    "nul_bytes": bytes(1_000),
    "space_before_status_line": b" " + OK + EMPTY,
    "huge_reason": b"HTTP/1.1 200 " + b"x" * 40_000 + b"\r\n" + EMPTY,
    "huge_header": OK + b"x: " + b"y" * 40_000 + b"\r\n" + EMPTY,
    "million_headers": OK + b"x: y\r\n" * 1_000_000 + EMPTY,
    "header_without_colon": OK + b"no colon\r\n" + EMPTY,
    "header_without_name": OK + b": nameless\r\n" + EMPTY,
    "space_before_colon": OK + b"content-length : 0\r\n\r\n",
    "space_in_header_name": OK + b"x y: z\r\n" + EMPTY,
    "nul_in_header_value": OK + b"x: a\0b\r\n" + EMPTY,
    "nul_in_header_name": OK + b"x\0y: z\r\n" + EMPTY,
    "control_in_header_name": OK + b"x\x07: z\r\n" + EMPTY,
    "carriage_return_in_header_value": OK + b"x: a\rb: c\r\n" + EMPTY,
    "negative_length": OK + b"content-length: -1\r\n\r\n",
    "length_with_sign": OK + b"content-length: +2\r\n\r\nhi",
    "length_in_words": OK + b"content-length: two\r\n\r\nhi",
    "length_in_hex": OK + b"content-length: 0x2\r\n\r\nhi",
    "length_with_fraction": OK + b"content-length: 2.0\r\n\r\nhi",
    "huge_length": OK + b"content-length: " + b"9" * 40 + b"\r\n\r\nhi",
    "two_lengths": OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\nhi",
    "list_of_lengths": OK + b"content-length: 1, 2\r\n\r\nhi",
    "length_and_chunks": OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "switching_protocols": b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "too_many_informational": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50 + OK + EMPTY,
}

# Their heads are whole: the status counts, whatever comes of the body.
_BAD_BODIES: dict[str, bytes] = {
    "chunk_size_in_words": CHUNKED + b"zz\r\nhi\r\n0\r\n\r\n",
    "negative_chunk_size": CHUNKED + b"-2\r\nhi\r\n0\r\n\r\n",
    "huge_chunk_size": CHUNKED + b"f" * 17 + b"\r\nhi\r\n0\r\n\r\n",
    "chunk_size_with_prefix": CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
    "empty_chunk_size": CHUNKED + b"\r\nhi\r\n0\r\n\r\n",
    "chunk_longer_than_its_size": CHUNKED + b"2\r\nhi there\r\n0\r\n\r\n",
    "million_trailers": CHUNKED + b"2\r\nhi\r\n0\r\n" + b"x: y\r\n" * 1_000_000 + b"\r\n",
}

_CUT_SHORT: dict[str, bytes] = {
    "nothing": b"",
    "half_a_status_line": b"HTTP/1.1 2",
    "half_a_head": OK + b"content-le",
    "head_without_end": OK + b"content-length: 0\r\n",
    "only_informational": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}

_CUT_IN_THE_BODY: dict[str, bytes] = {
    "half_a_body": OK + b"content-length: 10\r\n\r\nhalf",
    "half_a_chunk": CHUNKED + b"a\r\nhalf",
    "no_last_chunk": CHUNKED + b"2\r\nhi\r\n",
    "half_the_last_chunk": CHUNKED + b"2\r\nhi\r\n0\r\n",
}

# Whole answers, however odd; what follows them on the connection is nobody's answer.
_WHOLE: dict[str, tuple[str, bytes]] = {
    "no_reason": ("200", b"HTTP/1.1 200\r\n" + EMPTY),
    "until_the_end": ("200", OK + b"\r\nuntil the end"),
    "version_1_0": ("200", b"HTTP/1.0 200 OK\r\n\r\nold"),
    "more_than_announced": ("200", OK + b"content-length: 2\r\n\r\nhi and more"),
    "second_answer": ("200", OK + EMPTY + STOLEN),
    "hundred_answers": ("200", OK + EMPTY + STOLEN * 100),
    "junk_after_answer": ("200", OK + EMPTY + b"\r\n\r\n\0junk"),
    "no_content_with_body": ("204", b"HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\nstolen"),
    "not_modified_with_body": ("304", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 6\r\n\r\nstolen"),
    "no_content_with_answer_as_body": ("204", b"HTTP/1.1 204 No Content\r\n\r\n" + STOLEN),
    "informational_first": ("200", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK + EMPTY),
    "trailers": ("200", CHUNKED + b"2\r\nhi\r\n0\r\nset-cookie: a=b\r\n\r\n"),
    "upgrade_offered": ("200", OK + b"upgrade: h2c\r\nconnection: upgrade\r\n" + EMPTY),
    # Within the bounds for a head, and beyond both for what is kept of its headers.
    "many_odd_headers": (
        "500",
        b"HTTP/1.1 500 No\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"\xff\x9b" * 15) for n in range(95)) + EMPTY,
    ),
    "retry_in_ten_thousand_years": ("503", b"HTTP/1.1 503 Busy\r\nretry-after: 315360000000\r\n" + EMPTY),
    "retry_after_nonsense": ("429", b"HTTP/1.1 429 Slow\r\nretry-after: \xff\xfe soon, -1\r\n" + EMPTY),
    "retry_after_a_date_of_no_calendar": (
        "503",
        b"HTTP/1.1 503 Busy\r\nretry-after: Mon, 99 Feb 9999999 25:61:61 GMT\r\n" + EMPTY,
    ),
}

# What RFC 9112 lets a client read either way, or we read more strictly; either is fine, as long as it is over and
# says so.
_EITHER_WAY: dict[str, tuple[tuple[str, ...], bytes]] = {
    "folded_header": (("200", "bad_answer"), OK + b"x: a\r\n folded\r\n" + EMPTY),
    "same_length_twice": (("200", "bad_answer"), OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nhi"),
    "list_of_same_lengths": (("200", "bad_answer"), OK + b"content-length: 2, 2\r\n\r\nhi"),
    "line_feeds_only": (("200", "bad_answer"), (OK + EMPTY).replace(b"\r\n", b"\n")),
    "chunks_with_line_feeds_only": (("200",), CHUNKED + b"2\nhi\n0\n\n"),
    "chunks_last_but_not_only": (("200", "bad_answer"), OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunks_not_last": (("200",), OK + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "unknown_encoding": (("200",), OK + b"transfer-encoding: zebra\r\n\r\nhi"),
}


def _hostility(name: str, answer: bytes, *comes_to: str, then: Literal["close", "hang"] = "close") -> Hostility:
    return Hostility(name=f"http_{name}", handler=answering(answer, then), comes_to=frozenset(comes_to))


# What is no answer is known by its bytes: the receiver hangs on, so that the end of the connection gives no help.
ANSWERS: tuple[Hostility, ...] = (
    *(_hostility(name, answer, "bad_answer", then="hang") for name, answer in _NO_ANSWERS.items()),
    *(_hostility(name, answer, "200", then="hang") for name, answer in _BAD_BODIES.items()),
    *(_hostility(name, answer, "reset") for name, answer in _CUT_SHORT.items()),
    *(_hostility(name, answer, "200") for name, answer in _CUT_IN_THE_BODY.items()),
    *(_hostility(name, answer, status) for name, (status, answer) in _WHOLE.items()),
    *(_hostility(name, answer, *comes_to) for name, (comes_to, answer) in _EITHER_WAY.items()),
)
