"""How commands run: with the configured services, and with refusals as one line instead of a traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from hookwright.config import Settings
    from hookwright.operations.services import Services

T = TypeVar("T")


def with_services(
    database: str | None, config: str | None, action: Callable[[Services], Awaitable[T]], **settings: Any
) -> T:
    """What an action on the configured database answers. A server may be running on the same database."""
    import asyncio

    from hookwright.config import load_settings
    from hookwright.logs import log_beside_output

    with refusals_in_one_line():
        loaded = load_settings(config_file=config, database_url=database, **settings)
        log_beside_output(loaded.log_level)
        return asyncio.run(_act(loaded, action))


@contextmanager
def refusals_in_one_line() -> Iterator[None]:
    """Turn what Hookwright refuses on purpose into one line on standard error and the exit code 1."""
    from hookwright.config import ConfigError
    from hookwright.core.errors import HookwrightError

    try:
        yield
    except (ConfigError, HookwrightError) as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Say what went wrong, in one line on standard error, and end with the exit code 1."""
    typer.echo(f"hookwright: {' '.join(message.split())}", err=True)
    raise typer.Exit(1)


def confirm(deed: str, without_asking: bool) -> None:
    """Ask before something that cannot be undone. Without a terminal to ask on, only `--yes` will do."""
    if without_asking:
        return
    if not sys.stdin.isatty():
        fail(f"there is no terminal to ask on; give --yes to {deed}")
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


async def _act(settings: Settings, action: Callable[[Services], Awaitable[T]]) -> T:
    from hookwright.app import open_services

    async with open_services(settings) as services:
        return await action(services)
