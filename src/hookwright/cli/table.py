"""The commands by name: where each is, and what it says of itself in the list of all.

A command's module is imported when its name is called. To import all of them, and to look through their options,
takes as long as everything else that `hookwright --help` does.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group


class Place(NamedTuple):
    """A function, or a group of commands, in a module of this package; and the first sentence of its help."""

    module: str
    name: str
    help: str


COMMANDS: Mapping[str, Place] = {
    "serve": Place("service", "serve", "Run API and engine until SIGTERM or SIGINT; then drain and end."),
    "dev": Place(
        "development",
        "dev",
        "Run Hookwright for one developer: no set-up, credentials ready, deliveries to this machine allowed.",
    ),
    "listen": Place(
        "listen",
        "listen",
        "Receive an account's deliveries here, without a public address, over HTTP from the server at --url.",
    ),
    "tail": Place(
        "tail",
        "tail",
        "Show attempts as they are made, until Ctrl-C, over HTTP from the server at --url; a read key is enough.",
    ),
    "trigger": Place("trigger", "trigger", "Publish a realistic event."),
    "verify": Place(
        "verify",
        "verify",
        "Check the signature of a request, and say which part is wrong: headers, secret, body or clock.",
    ),
    "doctor": Place(
        "doctor",
        "doctor",
        "Check settings, database, migrations, master key, clock and the way out, and say what to change.",
    ),
    "bench": Place("bench", "bench", "Measure what is delivered here in a second, and how long one delivery takes."),
    "migrate": Place("service", "migrate", "Bring the database's schema to this version; `serve` does so by itself."),
    "accounts": Place(
        "accounts", "commands", "Create, list, show and delete accounts, and rotate their signing secrets."
    ),
    "sites": Place("sites", "commands", "Create, list and delete the Kajabi sites of an account."),
    "keys": Place("keys", "commands", "Create, list, rotate and delete the keys of all three APIs."),
    "apps": Place("apps", "commands", "Create, list and delete the OAuth apps that may ask for Kit tokens."),
    "endpoints": Place(
        "endpoints",
        "commands",
        "List, show, create, pause, resume, disable and delete the endpoints of an account.",
    ),
    "deliveries": Place("deliveries", "commands", "List, show and replay the deliveries of an account."),
    "replays": Place("replays", "commands", "Send many deliveries of an account again; watch and cancel that."),
    "portal-link": Place(
        "portal", "portal_link", "Make a link that shows one account, and nothing else, to whoever opens it."
    ),
    "secrets": Place("secrets", "commands", "What is encrypted, and with which master key."),
    "db": Place("db", "commands", "The database as a whole."),
}


ACCOUNT_MAY_BE_BEFORE = "[ACCOUNT] "


class Group(TyperGroup):
    """A group of commands. The contexts are whatever typer makes them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for option in self.get_params(ctx):
            # typer's own flags are None when they are not given; to make a bool of that, it imports pydantic.
            if option.default is None:
                option.default = False
        return super().parse_args(ctx, args)


class CommandsOfTheTable(Group):
    """The program: its commands are those of the table."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return command_named(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in COMMANDS.items()])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            from hookwright.cli.wording import put_plainly

            put_plainly(error)
            raise

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = dict.fromkeys(COMMANDS, self)  # by their names typer finds what a mistyped one may have meant
        return super().resolve_command(ctx, args)


@cache
def command_named(name: str) -> Any:
    """A command, or a group of commands, of the table."""
    place = COMMANDS[name]
    found = getattr(import_module(f"{__package__}.{place.module}"), place.name)
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name, cls=Group)
    else:
        alone.command(name)(found)
    command = get_group(alone).commands[name]
    for leaf in getattr(command, "commands", {name: command}).values():
        for parameter in leaf.params:
            if parameter.param_type_name == "argument" and parameter.metavar is not None:
                _show_plainly(parameter)
    return command


def _show_plainly(argument: Any) -> None:
    """Show an argument by its name; two that are read as a list, as people write them."""
    argument.display_type_rich = lambda ctx: ""
    if argument.metavar.startswith(ACCOUNT_MAY_BE_BEFORE):
        argument.get_usage_pieces = lambda ctx: [argument.metavar]
