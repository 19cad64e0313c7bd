"""Settings: from `hookwright.toml` and from HOOKWRIGHT_* variables, which win. The only reader of the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from hookwright.core.addresses import TargetPolicy
from hookwright.core.gates import LONGEST_TIMEOUT_SECONDS
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.plain_words import in_plain_words
from hookwright.core.retry import MAX_ATTEMPTS, MAX_DELAY_SECONDS, STANDARD_SCHEDULE, schedule_problem
from hookwright.core.target_rules import (
    parse_allowed_ranges,
    parse_names,
    parse_nat64_prefixes,
    parse_ports,
    parse_ranges,
)

PREFIX = "HOOKWRIGHT_"
CONFIG_FILE = "hookwright.toml"
POSTGRES_SCHEMES = ("postgres://", "postgresql://")
DATABASE_SCHEMES = (*POSTGRES_SCHEMES, "sqlite:")

AtLeastOne = Annotated[int, Meta(ge=1)]
AboveZero = Annotated[float, Meta(gt=0)]
RequestSeconds = Annotated[float, Meta(gt=0, le=LONGEST_TIMEOUT_SECONDS)]
NotNegative = Annotated[float, Meta(ge=0)]
OneForEachLane = Annotated[int, Meta(ge=1, le=LANE_COUNT)]
Role = Literal["all", "api", "worker"]
Port = Annotated[int, Meta(ge=0, le=65535)]

# The sections of docs/configuration.md, which `settings_page` writes from what stands here.
DATABASE = "Database"
HTTP = "HTTP"
DELIVERING = "Delivering"
TARGETS = "Where deliveries may go"
RETENTION = "Retention"
APIS = "The vendors' APIs"
CONSOLE = "Console"
TELEMETRY = "Logs and telemetry"
PROCESSES = "Processes and nodes"


def about(section: str, description: str, default: str | None = None) -> Meta:
    """What people read of a setting; `default` where its default is told in words, not as a value."""
    return Meta(description=description, extra={"section": section, "default": default})


class ConfigError(Exception):
    """A setting that cannot be used; the message names it and the cure."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that an operator may set. Each field is also the variable HOOKWRIGHT_<NAME>."""

    database_url: Annotated[
        str, about(DATABASE, "`postgresql://user:password@host/database`, or `sqlite:` and the path of a file.")
    ] = "sqlite:hookwright.sqlite3"
    connections: Annotated[
        AtLeastOne, about(DATABASE, "How many connections each process opens to PostgreSQL at most.")
    ] = 10
    master_key: Annotated[
        str | None,
        about(
            DATABASE,
            "32 bytes in base64 that signing secrets and custom headers are encrypted with; PostgreSQL needs one."
            " `openssl rand -base64 32` makes one. Keep it apart from the database: without it no delivery can be"
            " signed. Of several, separated by commas, the first encrypts and all decrypt: see"
            " [security.md](security.md#changing-the-master-key).",
            default="on SQLite, kept in `hookwright.key` beside the file",
        ),
    ] = None
    master_key_file: Annotated[
        str | None,
        about(
            DATABASE,
            "A file that holds the master key instead, or several, one on each line.",
            default="none",
        ),
    ] = None
    host: Annotated[str, about(HTTP, "Where to listen. Put a TLS proxy in front.")] = "127.0.0.1"
    port: Annotated[Port, about(HTTP, "0 takes a free one.")] = 8080
    http_connections: Annotated[
        AtLeastOne,
        about(
            HTTP,
            "How many clients' connections each process keeps at most. For a further one those are closed that have"
            " been idle for longest; if none is idle, it is refused. Never more than half of the files that the"
            " process may open.",
        ),
    ] = 8192
    requests_per_minute: Annotated[
        AtLeastOne | None,
        about(
            HTTP,
            "How many requests each key may make to our own API in a minute, publishing included; each process counts"
            " for itself. The vendors' APIs have limits of their own: `rate_limits`.",
            default="no limit",
        ),
    ] = None
    endpoints_per_account: Annotated[
        AtLeastOne | None,
        about(HTTP, "How many endpoints an account may have, over all APIs. Existing ones stay.", default="no limit"),
    ] = None
    drain_seconds: Annotated[
        NotNegative, about(HTTP, "How long the requests in flight, both ways, may go on after SIGTERM.")
    ] = 20
    unready_seconds: Annotated[
        NotNegative,
        about(
            HTTP,
            "How long after SIGTERM requests are still taken as before, while `/readyz` answers 503 and each answer"
            " ends its connection. Behind a load balancer, longer than that takes to notice. A second one ends it.",
        ),
    ] = 0
    role: Annotated[
        Role,
        about(
            PROCESSES,
            "`api` accepts and answers, `worker` sends and answers only `/healthz`, `/readyz` and `/metrics`, `all`"
            " does both. See [scaling.md](scaling.md).",
        ),
    ] = "all"
    processes: Annotated[
        OneForEachLane, about(PROCESSES, "How many processes share the port; more than one needs PostgreSQL.")
    ] = 1
    allow_private_targets: Annotated[
        bool,
        about(
            TARGETS,
            "Send to private and loopback addresses, to any port, and over plain http. For development; see"
            " [security.md](security.md#address-guard).",
        ),
    ] = False
    allow_http_targets: Annotated[
        bool,
        about(
            TARGETS,
            "Send over plain http too, as Kit does, to the same addresses and ports as over https. Anyone on the way"
            " can read and change what is sent so; see [security.md](security.md#address-guard).",
        ),
    ] = False
    allowed_target_ranges: Annotated[
        tuple[str, ...],
        about(TARGETS, "Ranges of private addresses, or own addresses of this machine, that deliveries may go to."),
    ] = ()
    denied_target_ranges: Annotated[
        tuple[str, ...], about(TARGETS, "Ranges that no delivery goes to, beside those that are never public.")
    ] = ()
    allowed_target_names: Annotated[
        tuple[str, ...],
        about(
            TARGETS,
            "Names of your own network that may be targets, each with all names below it: `hooks.corp`. The addresses"
            " they resolve to have to be allowed as well.",
        ),
    ] = ()
    denied_target_names: Annotated[
        tuple[str, ...], about(TARGETS, "Names that may be no targets, each with all names below it.")
    ] = ()
    target_ports: Annotated[
        tuple[int | str, ...],
        about(
            TARGETS,
            "Ports of targets. Those of databases, mail and other services that are no web servers are refused in any"
            " case.",
        ),
    ] = (80, 443, "1024-65535")
    nat64_prefixes: Annotated[
        tuple[str, ...],
        about(
            TARGETS,
            "Prefixes of the NAT64 that this network has, such as `64:ff9b::/96`: addresses below them are judged as"
            " the IPv4 address that they stand for (RFC 6052).",
        ),
    ] = ()
    concurrency: Annotated[
        AtLeastOne,
        about(
            DELIVERING,
            "How many requests each process has in flight at once; those that have waited for over a second do not"
            " count, but all together are eight times as many at most.",
        ),
    ] = 256
    connect_timeout_seconds: Annotated[AboveZero, about(DELIVERING, "For the name, TCP and TLS together.")] = 5
    timeout_seconds: Annotated[
        RequestSeconds, about(DELIVERING, "For a whole request, the answer's body included.")
    ] = 15
    lease_seconds: Annotated[
        AboveZero,
        about(
            DELIVERING,
            "How long the deliveries of a killed process stay its own. A lease is renewed while its request is in"
            " flight. Its lanes are leased for as long, but never for more than 5 seconds.",
        ),
    ] = 8
    retry_schedule: Annotated[
        tuple[int, ...],
        about(
            DELIVERING,
            f"Seconds before each attempt, the first included: 1 to {MAX_ATTEMPTS} numbers, each at most"
            f" {MAX_DELAY_SECONDS}. An endpoint may have its own.",
        ),
    ] = STANDARD_SCHEDULE
    retention_days: Annotated[
        AboveZero,
        about(
            RETENTION,
            "How long finished events, deliveries, attempts and idempotency keys are kept. What is still to be sent"
            " stays.",
        ),
    ] = 30
    payload_retention_days: Annotated[
        NotNegative | None,
        about(
            RETENTION,
            "How long the data and payloads of finished events are kept; without them a delivery cannot be replayed.",
            default="as `retention_days`",
        ),
    ] = None
    audit_retention_days: Annotated[
        AboveZero, about(RETENTION, "How long the audit trail is kept: who changed what.")
    ] = 365
    rate_limits: Annotated[
        bool, about(APIS, "Limit the requests to their APIs as the vendors do; each process counts for itself.")
    ] = True
    access_token_seconds: Annotated[
        AtLeastOne | None, about(APIS, "How long an OAuth access token lives.", default="as each vendor")
    ] = None
    sign_in_on_consent: Annotated[
        bool,
        about(
            APIS, "Kit's OAuth consent page asks for the account's Kit key. Without it anyone may consent for any."
        ),
    ] = True
    console: Annotated[bool, about(CONSOLE, "Answer `/console`, the pages for people.")] = True
    sign_in_on_console: Annotated[
        bool,
        about(
            CONSOLE,
            "The console asks for a key. Without it whoever comes from this machine may do everything, and nobody"
            " else anything: for one person's own machine, not behind a proxy.",
        ),
    ] = True
    public_url: Annotated[
        str | None,
        about(
            CONSOLE,
            "Where people reach this server, such as `https://hooks.example.com`: portal links begin with it.",
            default="what the request for a link was sent to; on the command line, `host` and `port`",
        ),
    ] = None
    portal_frame_ancestors: Annotated[
        tuple[str, ...],
        about(
            CONSOLE,
            "Sites that may show the portal inside their pages, such as `https://app.example.com`, `https://*.example.com`"
            " for all below. With one or more its cookie is sent inside other sites' pages.",
        ),
    ] = ()
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about(TELEMETRY, "The least that is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["json", "console"], about(TELEMETRY, "One JSON object in each line, or text for people.")
    ] = "json"
    metrics: Annotated[bool, about(TELEMETRY, "Answer `GET /metrics`, to anyone who reaches it.")] = True
    metrics_port: Annotated[
        Port | None,
        about(
            TELEMETRY,
            "Answer `/metrics`, `/healthz` and `/readyz` on this port of `host` too, and `/metrics` only there. Of"
            " several `processes` the first has this port, the next the one after it; 0 takes free ones.",
            default="`port`; with several `processes`, no `/metrics`",
        ),
    ] = None
    traces: Annotated[bool, about(TELEMETRY, "Export spans over OTLP; needs `pip install 'hookwright[otel]'`.")] = (
        False
    )

    def target_policy(self) -> TargetPolicy:
        """What targets are allowed. Raises ConfigError."""
        denied = _rule(self, "denied_target_ranges", parse_ranges)
        return TargetPolicy(
            allow_private=self.allow_private_targets,
            allow_http=self.allow_http_targets,
            allowed_ranges=_rule(self, "allowed_target_ranges", lambda texts: parse_allowed_ranges(texts, denied)),
            denied_ranges=denied,
            allowed_names=_rule(self, "allowed_target_names", parse_names),
            denied_names=_rule(self, "denied_target_names", parse_names),
            ports=_rule(self, "target_ports", parse_ports),
            nat64_prefixes=_rule(self, "nat64_prefixes", parse_nat64_prefixes),
        )

    def sqlite_path(self) -> Path | None:
        """The SQLite file, or None when the database is PostgreSQL."""
        if self.database_url.startswith(POSTGRES_SCHEMES):
            return None
        return Path(self.database_url.removeprefix("sqlite:").removeprefix("//"))

    def at_home_in(self, folder: Path) -> Settings:
        """These settings for one developer or one test: kept in this folder, open to this machine, no sign-in."""
        return replace(
            self,
            database_url=f"sqlite:{folder / 'hookwright.sqlite3'}",
            master_key=None,
            master_key_file=None,
            allow_private_targets=True,
            rate_limits=False,
            sign_in_on_consent=False,
            sign_in_on_console=False,
        )


# Other characters would begin another rule of the Content-Security-Policy.
_ORIGIN = re.compile(r"https://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?")


def _check_addresses(settings: Settings) -> None:
    """Raises ConfigError for what is no address of a site."""
    for origin in settings.portal_frame_ancestors:
        if not _ORIGIN.fullmatch(origin):
            name = "portal_frame_ancestors"
            raise ConfigError(f"{name} ({PREFIX}{name.upper()}): {origin} is no site such as https://app.example.com")
    url = settings.public_url
    if url is not None and not (url.startswith(("https://", "http://")) and url.isprintable()):
        raise ConfigError(f"public_url ({PREFIX}PUBLIC_URL): must be such as https://hooks.example.com")


SECRET = ("database_url", "master_key")  # not to be repeated on a terminal

# In a variable their values are separated by commas.
LISTS = frozenset(name for name, kind in get_type_hints(Settings).items() if get_origin(kind) is tuple)

Parsed = TypeVar("Parsed")


def _rule(settings: Settings, name: str, parse: Callable[[Any], Parsed]) -> Parsed:
    """The value of a setting, parsed. Raises ConfigError, which names it."""
    try:
        return parse(getattr(settings, name))
    except ValueError as error:
        raise ConfigError(f"{name} ({PREFIX}{name.upper()}): {error}") from None


def load_settings(
    environ: Mapping[str, str] | None = None, config_file: str | None = None, **overrides: Any
) -> Settings:
    """The settings of this process. `overrides` are the command line's; None means not given. Raises ConfigError."""
    environ = os.environ if environ is None else environ
    values = _from_file(config_file or environ.get(f"{PREFIX}CONFIG"))
    values |= _from_environment(environ)
    values |= {name: value for name, value in overrides.items() if value is not None}
    return _checked(values)


def editor_command(environ: Mapping[str, str] | None = None) -> str:
    """The command of this person's editor."""
    environ = os.environ if environ is None else environ
    return environ.get("VISUAL") or environ.get("EDITOR") or "vi"


def environment_without_settings() -> dict[str, str]:
    """The environment of a process that is to have the default settings, or those that are added."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _from_file(given: str | None) -> dict[str, Any]:
    path = Path(given or CONFIG_FILE)
    if not path.exists():
        if given:
            raise ConfigError(f"the settings file {given} does not exist (--config or {PREFIX}CONFIG)")
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the file is no text in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror} (--config or {PREFIX}CONFIG)") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {PREFIX + field.upper(): field for field in Settings.__struct_fields__}
    return {names[name]: _parsed(names[name], text) for name, text in environ.items() if name in names}


def _parsed(field: str, text: str) -> Any:
    return text.replace(",", " ").split() if field in LISTS else text


def _misfit(error: msgspec.ValidationError, values: Mapping[str, Any]) -> str:
    """Which setting cannot be used, what it must be, and what it is."""
    message, _, place = str(error).partition(" - at `$.")
    name, _, item = place.rstrip("`").partition("[")
    kind = get_type_hints(Settings)[name]
    given = values[name]
    if get_origin(kind) is Literal:
        message = f"must be one of {', '.join(get_args(kind))}"
    elif name in LISTS and isinstance(given, list):
        given = ", ".join(map(str, given))
        message = f"every item {in_plain_words(message)}" if item else "must be a list"
    shown = "" if name in SECRET else f"; {given!r} is given"
    return f"{name} ({PREFIX}{name.upper()}): {in_plain_words(message)}{shown}"


def _checked(values: dict[str, Any]) -> Settings:
    unknown = set(values) - set(Settings.__struct_fields__)
    if unknown:
        raise ConfigError(f"unknown setting {min(unknown)}; known are {', '.join(Settings.__struct_fields__)}")
    try:
        # Lenient, since the environment only holds text.
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_misfit(error, values)) from None
    if problem := schedule_problem(settings.retry_schedule):
        raise ConfigError(f"retry_schedule ({PREFIX}RETRY_SCHEDULE): {problem}")
    if settings.master_key is not None and settings.master_key_file is not None:
        raise ConfigError(f"master_key_file ({PREFIX}MASTER_KEY_FILE): give it or {PREFIX}MASTER_KEY, not both")
    if "://" in settings.database_url and not settings.database_url.startswith(DATABASE_SCHEMES):
        raise ConfigError(f"database_url ({PREFIX}DATABASE_URL): must be postgresql://… or the path of a SQLite file")
    settings.target_policy()
    _check_addresses(settings)
    if settings.processes > 1 and settings.sqlite_path() is not None:
        raise ConfigError(
            f"processes ({PREFIX}PROCESSES): SQLite is for one process; more than one needs a PostgreSQL database_url"
        )
    return settings
