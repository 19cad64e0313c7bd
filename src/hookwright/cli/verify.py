"""`hookwright verify`: a request that somebody received, checked as its receiver would, and what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import AsJson
from hookwright.cli.printing import print_record
from hookwright.cli.running import MISUSED, fail

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLERANCE_SECONDS = 300  # as core.verdicts says; not imported, since the help needs no more than this number


def verify(
    secret: Annotated[
        str,
        typer.Option(
            prompt="Signing secret",
            hide_input=True,
            help="whsec_… of the endpoint or account, or an endpoint's public key, whpk_…; asked for otherwise.",
            show_default=False,
        ),
    ],
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="NAME: VALUE", help="A header of the request. May be repeated."),
    ] = None,
    headers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The headers: a line each, or one JSON object.", show_default=False),
    ] = None,
    body: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The body; standard input otherwise.", show_default=False)
    ] = None,
    tolerance: Annotated[int, typer.Option(min=0, help="Seconds that the clocks may differ.")] = TOLERANCE_SECONDS,
    at: Annotated[
        int | None,
        typer.Option(metavar="UNIX SECONDS", help="When it was received; now otherwise.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the signature of a request, and say which part is wrong: headers, secret, body or clock.

    The exit code is 0 for a good signature, 1 for a bad one.
    """
    import msgspec

    from hookwright.ambient import AnchoredClock
    from hookwright.core.model import SECOND
    from hookwright.verification import verify

    given = {**(_headers_in(headers) if headers else {}), **_headers_of(header or [])}
    if not given:
        fail("no headers are given: --headers FILE, or -H 'name: value' for each", MISUSED)
    content = _read(body) if body else sys.stdin.buffer.read()
    now = AnchoredClock().time_of_day() // SECOND if at is None else at
    verdict = verify(given, content, secret, now, tolerance)
    print_record(msgspec.to_builtins(verdict), as_json)
    if not verdict.valid:
        raise typer.Exit(1)


def _headers_in(file: Path) -> dict[str, str]:
    """The headers in a file: as they go over the wire, request line and all, or as a JSON object."""
    import json

    text = _read(file).decode("utf-8", "replace")
    if not text.lstrip().startswith("{"):
        # A request line has a space before any colon, a header has none.
        return _headers_of(line for line in text.splitlines() if ":" in line and " " not in line.partition(":")[0])
    try:
        return {name: str(value) for name, value in json.loads(text).items()}
    except ValueError as error:
        fail(f"--headers {file}: {error}")


def _headers_of(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}")
