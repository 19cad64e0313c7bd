"""Settings: from `hookwright.toml` and from HOOKWRIGHT_* variables, which win. The only reader of the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hookwright.core.retry import STANDARD_SCHEDULE, schedule_problem

PREFIX = "HOOKWRIGHT_"
MORE_THAN_NOTHING = (
    "concurrency",
    "connections",
    "timeout_seconds",
    "connect_timeout_seconds",
    "lease_seconds",
    "retention_days",
)
CONFIG_FILE = "hookwright.toml"
POSTGRES_SCHEMES = ("postgres://", "postgresql://")
DATABASE_SCHEMES = (*POSTGRES_SCHEMES, "sqlite:")


class ConfigError(Exception):
    """A setting that cannot be used; the message names it and the cure."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that an operator may set. Each field is also the variable HOOKWRIGHT_<NAME>."""

    database_url: str = "sqlite:hookwright.sqlite3"  # or postgresql://user:password@host/database
    host: str = "127.0.0.1"
    port: int = 8080
    master_key: str | None = None  # 32 bytes in base64; by default kept beside the SQLite file
    allow_private_targets: bool = False  # send to private and loopback addresses, and over plain http
    concurrency: int = 256  # requests in flight at once
    connections: int = 10  # to PostgreSQL
    connect_timeout_seconds: float = 5
    timeout_seconds: float = 15  # a whole request, the answer's body included
    lease_seconds: float = 10  # how long a killed process's deliveries stay its own
    drain_seconds: float = 20  # how long requests in flight may go on after SIGTERM
    retry_schedule: tuple[int, ...] = STANDARD_SCHEDULE  # seconds before each attempt, the first included
    retention_days: float = 30  # how long finished events, deliveries and attempts are kept
    payload_retention_days: float | None = None  # how long their payloads are; by default as long
    rate_limits: bool = True  # apply the vendors' request limits to their APIs
    access_token_seconds: int | None = None  # lifetime of access tokens; by default as each vendor does
    sign_in_on_consent: bool = True  # the OAuth consent page asks for the account's key
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    metrics: bool = True  # answer GET /metrics, to anyone who reaches it
    traces: bool = False  # export spans over OTLP; needs hookwright[otel]

    def sqlite_path(self) -> Path | None:
        """The SQLite file, or None when the database is PostgreSQL."""
        if self.database_url.startswith(POSTGRES_SCHEMES):
            return None
        return Path(self.database_url.removeprefix("sqlite:").removeprefix("//"))


def load_settings(
    environ: Mapping[str, str] | None = None, config_file: str | None = None, **overrides: Any
) -> Settings:
    """The settings of this process. `overrides` are the command line's; None means not given. Raises ConfigError."""
    environ = os.environ if environ is None else environ
    values = _from_file(config_file or environ.get(f"{PREFIX}CONFIG"))
    values |= _from_environment(environ)
    values |= {name: value for name, value in overrides.items() if value is not None}
    return _checked(values)


def _from_file(given: str | None) -> dict[str, Any]:
    path = Path(given or CONFIG_FILE)
    if not path.exists():
        if given:
            raise ConfigError(f"the settings file {given} does not exist (--config or {PREFIX}CONFIG)")
        return {}
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {PREFIX + field.upper(): field for field in Settings.__struct_fields__}
    return {names[name]: _parsed(names[name], text) for name, text in environ.items() if name in names}


def _parsed(field: str, text: str) -> Any:
    return text.replace(",", " ").split() if field == "retry_schedule" else text


def _checked(values: dict[str, Any]) -> Settings:
    unknown = set(values) - set(Settings.__struct_fields__)
    if unknown:
        raise ConfigError(f"unknown setting {min(unknown)}; known are {', '.join(Settings.__struct_fields__)}")
    try:
        # Lenient, since the environment only holds text.
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").partition("[")[0]
        raise ConfigError(f"{name} ({PREFIX}{name.upper()}): {message}") from None
    if problem := schedule_problem(settings.retry_schedule):
        raise ConfigError(f"retry_schedule ({PREFIX}RETRY_SCHEDULE): {problem}")
    if "://" in settings.database_url and not settings.database_url.startswith(DATABASE_SCHEMES):
        raise ConfigError(f"database_url ({PREFIX}DATABASE_URL): must be postgresql://… or the path of a SQLite file")
    for name in (
        "concurrency",
        "connections",
        "timeout_seconds",
        "connect_timeout_seconds",
        "lease_seconds",
        "retention_days",
    ):
        if getattr(settings, name) <= 0:
            raise ConfigError(f"{name} ({PREFIX}{name.upper()}): must be more than 0")
    return settings
