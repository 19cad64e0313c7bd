"""`hookwright serve` and `hookwright migrate`: the service in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import Config, Database
from hookwright.cli.running import end_on_signals, refusals_in_one_line, run_quickly

if TYPE_CHECKING:
    from hookwright.config import Settings


def serve(
    host: Annotated[
        str | None, typer.Option(help="Where to listen; 127.0.0.1 otherwise.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="8080 otherwise; 0 takes a free one.", show_default=False),
    ] = None,
    database: Database = None,
    config: Config = None,
) -> None:
    """Run API and engine in one process, until SIGTERM or SIGINT; then drain and end.

    Without a database it keeps everything in hookwright.sqlite3 in this folder.
    """
    from hookwright.config import load_settings
    from hookwright.logs import configure_logs

    end_on_signals()
    with refusals_in_one_line():
        settings = load_settings(config_file=config, host=host, port=port, database_url=database)
        configure_logs(settings.log_level, settings.log_format)
        run_quickly(_serve(settings))


def migrate(database: Database = None, config: Config = None) -> None:
    """Bring the database's schema to this version; `serve` does so by itself."""
    import asyncio

    from hookwright.app import migrate
    from hookwright.config import load_settings
    from hookwright.logs import log_beside_output

    with refusals_in_one_line():
        settings = load_settings(config_file=config, database_url=database)
        log_beside_output(settings.log_level)
        asyncio.run(migrate(settings))
    typer.echo("the schema is up to date")


async def _serve(settings: Settings) -> None:
    import structlog

    from hookwright.app import Hookwright
    from hookwright.server import listen, serve, url_of

    with listen(settings.host, settings.port) as listening:
        hookwright = await Hookwright.open(settings)
        log = structlog.get_logger("hookwright")
        where = described_database(settings)
        await serve(hookwright, listening, lambda: log.info("ready", url=url_of(listening), database=where))


def described_database(settings: Settings) -> str:
    """The database in a few words without a password: the whole path of a SQLite file, or the kind."""
    path = settings.sqlite_path()
    return "PostgreSQL" if path is None else f"SQLite in {path.absolute()}"
