"""How commands run: with the configured services, and with refusals as one line instead of a traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from hookwright.cli.databases import FoundDatabase
    from hookwright.config import Settings
    from hookwright.operations.services import Services

T = TypeVar("T")

# docs/command-line.md has the table.
REFUSED = 1
MISUSED = 2
UNREACHABLE = 3


def with_services(database: str | None, config: str | None, action: Callable[[Services], Awaitable[T]]) -> T:
    """What an action on the database answers, see `database_to_use`. A server may be running on the same database."""
    from hookwright.cli.databases import database_to_use

    with refusals_in_one_line():
        return _run_on(database_to_use(database, config), action)


def with_account(
    account: int | None, database: str | None, config: str | None, action: Callable[[Services, int], Awaitable[T]]
) -> T:
    """What an action on an account's things answers: of the one that is named, else see `account_to_use`."""
    return with_account_of(database_in_use(database, config), account, action)


def database_in_use(database: str | None, config: str | None) -> FoundDatabase:
    """The database, see `database_to_use`, which has to be there."""
    from hookwright.cli.databases import database_to_use, require_database

    with refusals_in_one_line():
        found = database_to_use(database, config)
        require_database(found)
        return found


def with_account_of(
    database: FoundDatabase,
    account: int | None,
    action: Callable[[Services, int], Awaitable[T]],
    way_to_name: str = "ACCOUNT",
) -> T:
    """As `with_account`, on a database that is known; `way_to_name` is how one gives an account to the command."""
    from hookwright.cli.databases import account_to_use

    async def act(services: Services) -> T:
        return await action(services, await account_to_use(services, database, account, way_to_name))

    with refusals_in_one_line():
        return _run_on(database, act)


@contextmanager
def refusals_in_one_line() -> Iterator[None]:
    """Turn what Hookwright refuses on purpose into one line on standard error, and its exit code."""
    from hookwright.config import ConfigError
    from hookwright.core.errors import HookwrightError

    try:
        yield
    except (ConfigError, HookwrightError) as error:
        fail(*_told(error))


def fail(message: str, exit_code: int = REFUSED) -> NoReturn:
    """Say what went wrong, in one line on standard error, and end."""
    note(message)
    raise typer.Exit(exit_code)


def note(message: str) -> None:
    """Say something beside what is printed, in one line on standard error."""
    typer.echo(f"hookwright: {' '.join(message.split())}", err=True)


def confirm(deed: str, without_asking: bool) -> None:
    """Ask before something that cannot be undone. Without a terminal to ask on, only `--yes` will do."""
    if without_asking:
        return
    if not sys.stdin.isatty():
        fail(f"there is no terminal to ask on; give --yes to {deed}", MISUSED)
    typer.confirm(f"Really {deed}?", abort=True, err=True)


def run_quickly(main: Coroutine[Any, Any, None]) -> None:
    """Run a server's main on the fastest event loop that is installed."""
    import asyncio

    try:
        import uvloop
    except ImportError:  # there is none for Windows
        asyncio.run(main)
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def collect_nothing_yet() -> None:
    """Have the garbage collector wait until a server is ready, which `server.serve` tells it.

    What is made until then stays; to look through it again and again takes a tenth of the start.
    """
    import gc

    gc.disable()


def end_on_signals() -> None:
    """Let SIGTERM and SIGINT end a server in good order that is still starting; then `server.serve` takes over."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _told(error: Exception) -> tuple[str, int]:
    """What is said of a refusal, and the exit code."""
    from hookwright.cli.misuse import Misuse
    from hookwright.cli.server_calls import Unreachable
    from hookwright.core.errors import Invalid, Unavailable

    if isinstance(error, Invalid):
        from hookwright.cli.wording import told

        return told(error.problems), REFUSED
    if isinstance(error, Misuse):
        return str(error), MISUSED
    return str(error), UNREACHABLE if isinstance(error, (Unavailable, Unreachable)) else REFUSED


def _run_on(database: FoundDatabase, action: Callable[[Services], Awaitable[T]]) -> T:
    import asyncio

    from hookwright.logs import log_beside_output

    log_beside_output(database.settings.log_level)
    return asyncio.run(_act(database.settings, action))


async def _act(settings: Settings, action: Callable[[Services], Awaitable[T]]) -> T:
    from hookwright.app import open_services

    async with open_services(settings) as services:
        return await action(services)
