"""The command line: parse, call, print.

Each command is imported when it is called, or asked for its own help, and what takes long to import only inside
it, so that every `--help` answers at once.
"""

from typing import Annotated

import typer

from hookwright import __version__
from hookwright.cli.table import CommandsOfTheTable

# Plain help and plain tracebacks: rich takes longer to import than everything else here.
app = typer.Typer(
    name="hookwright",
    help="The webhook service behind an API: publish once, deliver to every subscriber in its own dialect.",
    cls=CommandsOfTheTable,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hookwright {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """The webhook service behind an API: publish once, deliver to every subscriber in its own dialect."""


def main() -> None:
    """The `hookwright` program."""
    app()
