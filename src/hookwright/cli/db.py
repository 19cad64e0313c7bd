"""`hookwright db`: what is done to the database as a whole."""

import typer

from hookwright.cli.options import AsJson, Config, Database
from hookwright.cli.printing import print_deed
from hookwright.cli.running import refusals_in_one_line

commands = typer.Typer(help="The database as a whole.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """The database as a whole."""


@commands.command()
def distribute(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Spread the tables over the machines of a Citus cluster, by lane; stop the servers before. Once is enough."""
    import asyncio

    from hookwright.app import distribute
    from hookwright.config import load_settings
    from hookwright.logs import log_beside_output

    with refusals_in_one_line():
        settings = load_settings(config_file=config, database_url=database)
        log_beside_output(settings.log_level)
        asyncio.run(distribute(settings))
    print_deed("every table is distributed by its lane", {"distributed": True}, as_json)
