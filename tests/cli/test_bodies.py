"""Bodies for people: JSON is set out, and whatever else comes is shown as it came."""

import pytest

from hookwright.cli.bodies import body_lines
from hookwright.cli.exchanges import details_of
from hookwright.cli.forwarding import Request, Response
from hookwright.cli.listening import Exchange

DEEP = b"[" * 50_000 + b"]" * 50_000


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (
            b'{"a":{"b":"\xc3\xbc"}}',
            ["{", '  "a": {', '    "b": "\N{LATIN SMALL LETTER U WITH DIAERESIS}"', "  }", "}"],
        ),
        ('{"a":1}', ["{", '  "a": 1', "}"]),
        (b"not\nJSON \xff", ["not", "JSON \N{REPLACEMENT CHARACTER}"]),
        ("its payload is not kept any more", ["its payload is not kept any more"]),
        (b"", []),
        (DEEP, [DEEP.decode()]),
    ],
)
def test_a_body_is_told_in_lines(body: bytes | str, lines: list[str]) -> None:
    assert body_lines(body) == lines


def test_an_exchange_whose_bodies_are_nested_deeply_is_shown() -> None:
    request = Request(1, {}, DEEP)
    assert request.event_type == "?"
    exchange = Exchange(request, 0, Response(1, 200, {}, DEEP))
    assert details_of(exchange).count(f"  {DEEP.decode()}") == 2
