"""The options and arguments that several commands share."""

from typing import Annotated

import typer

from hookwright.cli.running import fail

MAX_ID = 2**53 - 1  # as core.lanes says; not imported, since the help needs no more than this number

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="postgresql://user:password@host/name or a SQLite file; HOOKWRIGHT_DATABASE_URL otherwise.",
        show_default=False,
    ),
]
Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Settings; hookwright.toml otherwise.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
WithoutAsking = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AccountArgument = Annotated[int, typer.Argument(metavar="ACCOUNT", min=1, max=MAX_ID, help="The account's id.")]
AccountOption = Annotated[
    int | None,
    typer.Option(
        "--account", metavar="ID", min=1, max=MAX_ID, help="Required unless the key has one.", show_default=False
    ),
]
EndpointOption = Annotated[int | None, typer.Option("--endpoint", min=1, max=MAX_ID, help="Only to this endpoint.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only of this type.")]
Url = Annotated[
    str, typer.Option("--url", metavar="URL", envvar="HOOKWRIGHT_URL", help="The server to ask, over HTTP.")
]
Key = Annotated[
    str,
    typer.Option(
        "--key", metavar="KEY", envvar="HOOKWRIGHT_KEY", help="A Hookwright key (hw_…).", show_default=False
    ),
]


def required_key(key: str) -> str:
    """The key that was given; without one the command ends with the exit code 1."""
    return key or fail("a key is needed: --key, or HOOKWRIGHT_KEY in the environment")
