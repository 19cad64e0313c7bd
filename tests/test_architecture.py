"""The house: who may import whom, and the one home of each dangerous import.

The table is the design; this test holds every module to it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

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

# Single names of modules that are harmless otherwise, and who may use them.
USES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"), ("config", "testing.postgres")
    ),
    # The nonces and keys of the vault come from the kernel itself: nothing is to be able to make them repeatable.
    **dict.fromkeys(("os.urandom", "os.getrandom"), ("ambient", "vault")),
    **dict.fromkeys(("uuid.uuid1", "uuid.uuid4"), ("ambient", "testing.postgres")),
    **dict.fromkeys((f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")), ("ambient",)),
    "datetime.date.today": ("ambient",),
    "asyncio.get_running_loop.time": ("ambient",),
    "asyncio.get_event_loop.time": ("ambient",),
}  # fmt: skip

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


def uses_of(nodes: list[ast.AST]) -> Iterator[str]:
    """Everything of other modules that is imported or used, by its full name, whatever it is called here."""
    imported = dict(_imported(nodes))
    yield from imported.values()
    for node in nodes:
        if isinstance(node, ast.Attribute) and (name := _full_name(node, imported)):
            yield name


def _imported(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """What each imported name is called here, and in full."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (root, root)
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _full_name(node: ast.expr, imported: dict[str, str]) -> str | None:
    """The name of what an expression is, without the brackets of calls; None for what is of no import."""
    match node:
        case ast.Name(id=name):
            return imported.get(name)
        case ast.Call(func=called):
            return _full_name(called, imported)
        case ast.Attribute(value=value, attr=attr):
            of = _full_name(value, imported)
            return f"{of}.{attr}" if of else None
    return None


def asks_a_loop_for_the_time(node: ast.AST) -> bool:
    """Whether this is a call of `….time()` that takes nothing, which only loops and instants have."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "time"
        and not node.args
    )


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


def test_the_environment_the_time_and_chance_are_asked_for_at_home_alone() -> None:
    for module in MODULES:
        for name in uses_of(nodes_of(module)):
            assert part_of(module) in USES.get(name, (part_of(module),)), f"{module} uses {name}"
        if module != "ambient":
            assert not any(map(asks_a_loop_for_the_time, nodes_of(module))), f"{module} asks its loop for the time"


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import os\nos.environ['A']", "os.environ"),
        ("import os as x\nx.environ.get('A')", "os.environ"),
        ("from os import environ", "os.environ"),
        ("from os import environ as settings", "os.environ"),
        ("def f():\n    from os import getenv\n    return getenv('A')", "os.getenv"),
        ("import os.path\nos.urandom(4)", "os.urandom"),
        ("import uuid as ids\nids.uuid4().hex", "uuid.uuid4"),
        ("from uuid import uuid4", "uuid.uuid4"),
        ("from datetime import UTC, datetime as d\nd.now(UTC)", "datetime.datetime.now"),
        ("import datetime\ndatetime.datetime.now().year", "datetime.datetime.now"),
        ("from datetime import date\ndate.today", "datetime.date.today"),
        ("import asyncio\nasyncio.get_running_loop().time()", "asyncio.get_running_loop.time"),
        ("from asyncio import get_event_loop as loop\nloop().time", "asyncio.get_event_loop.time"),
    ],
)
def test_a_use_is_seen_whatever_it_is_called(source: str, used: str) -> None:
    assert used in USES
    assert used in uses_of(list(ast.walk(ast.parse(source))))


@pytest.mark.parametrize(
    "source", ["import os\nos.path", "environ = {}\nenviron['A']", "from uuid import UUID\nUUID(int=1)"]
)
def test_what_has_such_a_name_only_is_not_taken_for_it(source: str) -> None:
    assert not set(uses_of(list(ast.walk(ast.parse(source))))) & USES.keys()


def test_a_loop_is_asked_for_the_time_whatever_it_is_called() -> None:
    asking, formatting = "self._loop.time() + 1", "render.time(instant)"
    assert any(map(asks_a_loop_for_the_time, ast.walk(ast.parse(asking))))
    assert not any(map(asks_a_loop_for_the_time, ast.walk(ast.parse(formatting))))


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
