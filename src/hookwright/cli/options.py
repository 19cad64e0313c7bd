"""The options and arguments that several commands share."""

from typing import Annotated

import typer

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
