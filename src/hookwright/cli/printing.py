"""What commands print: tables and records for people, one JSON document for programs."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

Record = Mapping[str, Any]


def print_record(record: Record, as_json: bool, note: str = "") -> None:
    """One object: a line for each member that is there, or the object as JSON. A note is for people only."""
    if as_json:
        print_json(record)
        return
    shown = {name: _text(value) for name, value in record.items() if value is not None}
    width = max(map(len, shown))
    for name, text in shown.items():
        typer.echo(f"{name.ljust(width)}  {text}")
    if note:
        typer.echo(note, err=True)


def print_deed(told: str, record: Record, as_json: bool) -> None:
    """What was done: a sentence for people, or an object as JSON."""
    if as_json:
        print_json(record)
    else:
        typer.echo(told)


def print_records(records: Sequence[Record], columns: Sequence[str], as_json: bool) -> None:
    """Many objects: a table of some members, or all of them as a JSON array."""
    if as_json:
        print_json(records)
        return
    for line in table(columns, [[_text(record[column]) for column in columns] for record in records]):
        typer.echo(line)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned lines, never cut to the width of a terminal: what they hold is there to be copied."""
    every = [[name.upper() for name in head], *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*every, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]


def printable(text: str) -> str:
    """One line of text that is safe to print: it comes from outside, and may hold control characters."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def print_json(value: object) -> None:
    """One JSON document on one line of standard output."""
    import msgspec

    typer.echo(msgspec.json.encode(value))
    sys.stdout.flush()


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return " ".join(_text(item) for item in value) or "-"
    return printable(str(value))
