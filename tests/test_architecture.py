"""The house: who may import whom, and the one home of each dangerous import.

The table is the design; this test holds every module to it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hookwright

ROOT = Path(hookwright.__file__).parent

# What a part may import of Hookwright, beside itself. The longest name that fits a module is its part.
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "core": set(),
    "ambient": {"core"},
    "vault": {"core"},
    "ed25519": set(),
    "json_schema": {"core"},
    "config": {"core"},
    "settings_page": {"config"},
    "event_types_page": {"core", "operations", "dialects"},
    "address_registries": set(),
    "log_writer": set(),
    "logs": {"log_writer", "core"},
    "store.base": {"core"},
    "store": {"store.base", "core"},
    "operations": {"store.base", "core", "ambient", "vault", "ed25519", "json_schema", "telemetry.traces"},
    "engine": {"store.base", "core", "ambient", "vault", "telemetry", "telemetry.traces"},
    "telemetry": {"telemetry.traces", "store.base", "core", "ambient"},
    "telemetry.traces": {"core"},
    "web": {"operations", "store.base", "core", "ambient"},
    "api": {"web", "operations", "store.base", "core", "ambient"},
    "console": {"web", "operations", "store.base", "core", "ambient"},
    "dialects.base": {"operations", "core"},
    "dialects": {"dialects.base", "web", "operations", "store.base", "core", "ambient", "ed25519"},
    "app": {
        "ambient", "api", "config", "console", "core", "dialects.base", "dialects", "engine", "operations",
        "store.base", "store", "surfaces", "telemetry", "telemetry.traces", "vault", "web",
    },
    "surfaces": set(),
    "play": {"web", "ambient", "core"},
    "checkup": {"ambient", "app", "config", "core", "engine", "server", "store.base", "vault"},
    "verification": {"core", "dialects"},
    "server": {"app", "config", "http_connection"},
    "http_connection": set(),
    "processes": {"ambient", "config", "core"},
    "cli": {"*"},
    "testing": {"core"},
    "testing.demo": {"testing", "config"},
    "testing.postgres": {"store"},
    "testing.credentials": {"operations"},
    "testing.stand_in": {
        "ambient", "app", "config", "core", "dialects.base", "operations", "server", "store.base", "testing",
        "testing.credentials", "verification",
    },
    "testing.pytest_plugin": {"testing.stand_in"},
}  # fmt: skip

# Modules that only one place may touch, and that place.
HOMES: dict[str, tuple[str, ...]] = {
    "asyncpg": ("store.postgres", "testing.postgres"),
    "sqlite3": ("store.sqlite", "store.sqlite_rows"),
    "httptools": ("engine", "testing"),
    "ssl": ("engine", "testing"),
    "socket": ("engine", "server", "testing", "cli"),
    "random": ("ambient",),
    "secrets": ("ambient",),
    "time": ("ambient", "testing.demo"),
    "jinja2": ("web", "console", "dialects"),
    "cryptography": ("vault", "ed25519"),
    "jsonschema_rs": ("json_schema",),
    "uvicorn": ("server", "http_connection"),
    "prometheus_client": ("telemetry.metrics",),
    "opentelemetry": ("telemetry.spans",),
    "typer": ("cli",),
    "rich": ("cli", "testing.demo"),
}

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__").removesuffix("__init__")
    for path in ROOT.rglob("*.py")
)


@cache
def nodes_of(module: str) -> list[ast.AST]:
    path = ROOT.joinpath(*module.split(".")) if module else ROOT
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return list(ast.walk(ast.parse(file.read_text())))


def imports_of(module: str) -> Iterator[str]:
    """Every module that a module imports, in functions too, by its full name."""
    for node in nodes_of(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str:
    fitting = [part for part in MAY_IMPORT if part and (module == part or module.startswith(part + "."))]
    return max(fitting, key=len, default="")


def ours(name: str) -> str | None:
    """The part of Hookwright that an imported name lies in."""
    if not name.startswith("hookwright."):
        return None
    return part_of(name.removeprefix("hookwright."))


def modules_of(*parts: str) -> list[str]:
    return [module for module in MODULES if part_of(module) in parts]


def test_a_module_imports_only_what_the_table_allows() -> None:
    for module in MODULES:
        part = part_of(module)
        allowed = MAY_IMPORT[part]
        for name in imports_of(module):
            imported = ours(name)
            if imported in (None, "", part) or "*" in allowed:
                continue
            assert imported in allowed, f"{module} ({part}) imports {name} ({imported})"


def test_no_dialect_knows_another() -> None:
    for module in MODULES:
        if module.startswith("dialects.") and module != "dialects.base":
            folder = ".".join(module.split(".")[:2])
            for name in imports_of(module):
                if name.startswith("hookwright.dialects.") and not name.startswith("hookwright.dialects.base"):
                    assert name.startswith(f"hookwright.{folder}"), f"{module} imports {name}"


def test_a_dangerous_import_stays_at_home() -> None:
    for module in MODULES:
        for name in imports_of(module):
            homes = HOMES.get(name.split(".")[0])
            if homes is not None:
                at_home = any(module == home or module.startswith(home + ".") for home in homes)
                assert at_home, f"{module} imports {name}; its home is {', '.join(homes)}"


def test_only_config_reads_the_environment() -> None:
    for module in {*MODULES} - {*modules_of("config", "testing.postgres")}:
        for node in nodes_of(module):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
                assert not of_os, f"{module} reads the environment"


def test_only_ambient_asks_for_the_time() -> None:
    for module in {*MODULES} - {"ambient"}:
        for node in nodes_of(module):
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
                calls_datetime = isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date")
                assert not calls_datetime, f"{module} asks datetime for the time"


def test_the_core_is_neither_async_nor_does_it_io() -> None:
    for module in modules_of("core"):
        for node in nodes_of(module):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{module} is async"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print", "input"), f"{module} does I/O"


VENDOR_WORDS = ("target_url", "resource_id", "subscriber")


def test_the_vendors_words_stop_at_the_dialects_folders() -> None:
    for module in modules_of("core", "store", "store.base", "operations", "engine"):
        for node in nodes_of(module):
            for attribute in ("id", "arg", "attr", "name"):
                name = str(getattr(node, attribute, None))
                assert not any(word in name for word in VENDOR_WORDS), f"{module} says {name}"
