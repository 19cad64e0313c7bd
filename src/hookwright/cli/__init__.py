"""The command line: parse, call, print.

Modules that take long to import are imported inside the commands, so that `hookwright --help` answers at once.
"""

from typing import Annotated

import typer

from hookwright import __version__
from hookwright.cli import (
    accounts,
    apps,
    db,
    deliveries,
    development,
    doctor,
    endpoints,
    keys,
    listen,
    portal,
    replays,
    secrets,
    service,
    sites,
    tail,
    trigger,
    verify,
)

# Plain help and plain tracebacks: rich takes longer to import than everything else here.
app = typer.Typer(
    name="hookwright",
    help="The webhook service behind an API: publish once, deliver to every subscriber in its own dialect.",
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


app.command()(service.serve)
app.command("dev")(development.dev)
app.command("listen")(listen.listen)
app.command("tail")(tail.tail)
app.command()(service.migrate)
app.command("doctor")(doctor.doctor)
app.command("trigger")(trigger.trigger)
app.command("verify")(verify.verify)
app.add_typer(db.commands, name="db")
app.command("portal-link")(portal.portal_link)
app.add_typer(accounts.commands, name="accounts")
app.add_typer(sites.commands, name="sites")
app.add_typer(keys.commands, name="keys")
app.add_typer(apps.commands, name="apps")
app.add_typer(endpoints.commands, name="endpoints")
app.add_typer(deliveries.commands, name="deliveries")
app.add_typer(replays.commands, name="replays")
app.add_typer(secrets.commands, name="secrets")


def main() -> None:
    """The `hookwright` program."""
    app()
