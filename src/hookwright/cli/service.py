"""`hookwright serve` and `hookwright migrate`: the service in production."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import AsJson, Config, Database
from hookwright.cli.printing import print_deed, print_json
from hookwright.cli.running import end_on_signals, refusals_in_one_line, run_quickly

if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

    from hookwright.config import Settings
    from hookwright.processes import Birth


class Role(StrEnum):
    all = "all"
    api = "api"
    worker = "worker"


def serve(
    host: Annotated[
        str | None, typer.Option(help="Where to listen; 127.0.0.1 otherwise.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="8080 otherwise; 0 takes a free one.", show_default=False),
    ] = None,
    role: Annotated[
        Role | None,
        typer.Option(help="api accepts and answers, worker sends, all does both; all otherwise.", show_default=False),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="How many share the port, on PostgreSQL; 1 otherwise.", show_default=False),
    ] = None,
    database: Database = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document as soon as it is ready.")] = False,
) -> None:
    """Run API and engine until SIGTERM or SIGINT; then drain and end.

    Without a database it keeps everything in hookwright.sqlite3 in this folder. The log goes to standard error.
    """
    from hookwright.config import load_settings
    from hookwright.logs import configure_logs

    end_on_signals()
    with refusals_in_one_line():
        settings = load_settings(
            config_file=config,
            host=host,
            port=port,
            role=role and role.value,
            processes=processes,
            database_url=database,
        )
        configure_logs(settings.log_level, settings.log_format)
        if settings.processes > 1:
            raise typer.Exit(_serve_in_processes(settings, as_json))
        run_quickly(_serve(settings, as_json))


def migrate(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Bring the database's schema to this version; `serve` does so by itself."""
    import asyncio

    from hookwright.app import migrate
    from hookwright.config import load_settings
    from hookwright.logs import log_beside_output

    with refusals_in_one_line():
        settings = load_settings(config_file=config, database_url=database)
        log_beside_output(settings.log_level)
        asyncio.run(migrate(settings))
    print_deed("the schema is up to date", {"up_to_date": True}, as_json)


async def _serve(settings: Settings, as_json: bool) -> None:
    from hookwright.app import Hookwright
    from hookwright.server import listen, serve, url_of

    with ExitStack() as sockets:
        listening = sockets.enter_context(listen(settings.host, settings.port))
        monitored = _monitored(settings, 0, sockets)
        hookwright = await Hookwright.open(settings)
        hookwright.make_surfaces()
        say_ready = partial(_say_ready, settings, url_of(listening), monitored, as_json)
        await serve(hookwright, listening, say_ready, monitored=monitored)


def _serve_in_processes(settings: Settings, as_json: bool) -> int:
    """The parent of several processes, until its end. Answers the exit code."""
    import asyncio

    from hookwright.app import prepare
    from hookwright.logs import configure_logs
    from hookwright.processes import Processes
    from hookwright.server import listen_together, url_of

    with ExitStack() as sockets:
        listening = listen_together(settings.host, settings.port, settings.processes)
        for each in listening:
            sockets.enter_context(each)
        monitored = [_monitored(settings, number, sockets) for number in range(settings.processes)]
        asyncio.run(prepare(settings))

        def live(birth: Birth) -> None:
            end_on_signals()
            # Anew: the parent's way of writing may just then have been held by a thread that is not there any more.
            configure_logs(settings.log_level, settings.log_format)
            run_quickly(_serve_as_child(settings, birth, listening, monitored[birth.number]))

        on_ready = partial(_say_ready, settings, url_of(listening[0]), monitored[0], as_json)
        return Processes(settings.processes, live, on_ready, on_stop=sockets.close).run()


async def _serve_as_child(
    settings: Settings, birth: Birth, listening: Sequence[socket], monitored: socket | None
) -> None:
    import os

    import structlog

    from hookwright.app import Hookwright
    from hookwright.server import serve

    for number, each in enumerate(listening):
        if number != birth.number:
            each.close()
    hookwright = await Hookwright.open(settings, migrate="never")
    hookwright.make_surfaces()

    def say_ready() -> None:
        structlog.get_logger("hookwright").info("process ready", process=birth.number + 1, pid=os.getpid())
        birth.say_ready()

    await serve(hookwright, listening[birth.number], say_ready, monitored=monitored, parents_life=birth.parents_life)


def _monitored(settings: Settings, number: int, sockets: ExitStack) -> socket | None:
    """Where a process answers monitors alone, if it does."""
    from hookwright.server import listen

    if settings.metrics_port is None:
        return None
    port = settings.metrics_port + number if settings.metrics_port else 0
    return sockets.enter_context(listen(settings.host, port))


def _say_ready(settings: Settings, url: str, monitored: socket | None, as_json: bool) -> None:
    import structlog

    from hookwright.server import url_of

    facts: dict[str, object] = {"url": url, "database": described_database(settings), "role": settings.role}
    if settings.processes > 1:
        facts["processes"] = settings.processes
    if monitored is not None:
        facts["monitor"] = url_of(monitored)
    structlog.get_logger("hookwright").info("ready", **facts)
    if as_json:
        print_json(_described(settings, url, None if monitored is None else url_of(monitored)))


def _described(settings: Settings, url: str, monitor_url: str | None) -> dict[str, object]:
    """What a program needs to use and watch this server. Without metrics their URL is null."""
    from hookwright import __version__

    metrics_base = monitor_url or (url if settings.processes == 1 else None)
    return {
        "url": url,
        "metrics_url": f"{metrics_base}/metrics" if settings.metrics and metrics_base else None,
        "role": settings.role,
        "processes": settings.processes,
        "database": described_database(settings),
        "version": __version__,
    }


def described_database(settings: Settings) -> str:
    """The database in a few words without a password: the whole path of a SQLite file, or the kind."""
    path = settings.sqlite_path()
    return "PostgreSQL" if path is None else f"SQLite in {path.absolute()}"
