"""docs/configuration.md, written from the settings: `make docs`, or `python -m hookwright.settings_page FILE`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from hookwright.config import CONFIG_FILE, PREFIX, Settings

INTRODUCTION = f"""<!-- Written by `make docs` from src/hookwright/config.py: change it there. -->

# Configuration

Nothing has to be set for SQLite; PostgreSQL needs `database_url` and `master_key`.

A setting comes from one of three places. Where several give it, the first of these wins:

1. **the command line**: `--database`, and for `hookwright serve` also `--host`, `--port`, `--role`
   and `--processes`;
2. **a variable** of the environment, `{PREFIX}` and the setting's name in capitals: `{PREFIX}PORT=8081`;
3. **a file** in [TOML](https://toml.io): the one that `--config` names, or else `{PREFIX}CONFIG`, or else
   `{CONFIG_FILE}` in the working directory, if there is one.

A setting that cannot be used ends the program with one line that names it; so does a name in the file that is not
known. A variable whose name is not known is not looked at. In a variable, true may also be `1` and false `0`, and a
list is separated by commas.

`hookwright dev` reads variables and `{CONFIG_FILE}` too, for how deliveries behave; where it listens, what it
keeps and who gets in, it decides by itself.
"""

EXAMPLE = """# The passwords and keys are better given as variables than kept here.
database_url = "postgresql://hookwright@db.internal/hookwright"
host = "0.0.0.0"
concurrency = 512
connections = 20
timeout_seconds = 30
retry_schedule = [0, 5, 300, 1800, 7200, 18000, 36000]  # seven attempts in about 18 hours
retention_days = 90
payload_retention_days = 14
traces = true
"""

BEYOND = """Spans go where OpenTelemetry's own variables say (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, …);
see [operating.md](operating.md#telemetry).
"""


def settings_page() -> str:
    """The whole page: how settings are given, a table for each section, an example."""
    settings = _settings()
    sections = dict.fromkeys(_metadata(each).extra["section"] for each in settings)
    tables = [
        f"## {section}\n{_table([each for each in settings if _metadata(each).extra['section'] == section])}"
        for section in sections
    ]
    example = f"## An example\n`{CONFIG_FILE}`:\n\n```toml\n{EXAMPLE}```\n"
    return "\n".join([INTRODUCTION, *tables, BEYOND, example])


def _settings() -> Sequence[inspect.Field]:
    described = inspect.type_info(Settings)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _table(settings: Sequence[inspect.Field]) -> str:
    rows = [
        ("setting and variable", "value", "default", "meaning"),
        ("---", "---", "---", "---"),
        *(_row(each) for each in settings),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(setting: inspect.Field) -> tuple[str, str, str, str]:
    names = f"`{setting.name}`<br>`{PREFIX}{setting.name.upper()}`"
    description = _metadata(setting).extra_json_schema["description"]
    return names, _value(setting), _default(setting), description


def _default(setting: inspect.Field) -> str:
    in_words: str | None = _metadata(setting).extra["default"]
    return in_words or f"`{_toml(setting.default)}`"


def _toml(value: Any) -> str:
    # Of the values that settings have, JSON writes every one as TOML does, but text needs no quotes in a table.
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode().replace(",", ", ")


def _value(setting: inspect.Field) -> str:
    """What may be given, in words: `seconds, more than 0`."""
    kind = _without_none(_metadata(setting).type)
    unit = next((unit for unit in ("seconds", "days") if setting.name.endswith(f"_{unit}")), None)
    return _WORDS[type(kind)](kind, unit)


def _number(kind: Any, unit: str | None) -> str:
    noun = "whole number" if isinstance(kind, inspect.IntType) else "number"
    return ", ".join([unit or noun, *_bounds(kind)])


def _bounds(kind: Any) -> list[str]:
    if kind.ge is not None and kind.le is not None:
        return [f"{kind.ge} to {kind.le}"]
    if kind.gt is not None:
        return [f"more than {kind.gt}", *([] if kind.le is None else [f"{kind.le} at most"])]
    return [] if kind.ge is None else [f"{kind.ge} or more"]


def _one_of(kind: Any, _: str | None) -> str:
    return ", ".join(f"`{value}`" for value in kind.values)


_LISTS_OF: dict[type[inspect.Type], str] = {
    inspect.IntType: "list of whole numbers",
    inspect.StrType: "list of texts",
    inspect.UnionType: "list of whole numbers and texts",
}

# Another type of setting needs a line here; without one the page is not written.
_WORDS: dict[type[inspect.Type], Callable[[Any, str | None], str]] = {
    inspect.StrType: lambda kind, unit: "text",
    inspect.BoolType: lambda kind, unit: "`true`, `false`",
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.LiteralType: _one_of,
    inspect.VarTupleType: lambda kind, unit: _LISTS_OF[type(kind.item_type)],
}


def _metadata(setting: inspect.Field) -> Any:
    """What `config.about` says of a setting, beside its type."""
    assert isinstance(setting.type, inspect.Metadata), f"{setting.name} has no description"
    return setting.type


def _without_none(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(settings_page())
