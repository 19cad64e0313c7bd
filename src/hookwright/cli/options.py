"""The options and arguments that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.running import fail

if TYPE_CHECKING:
    from hookwright.cli.server_calls import Server

USUAL_URL = "http://127.0.0.1:8090"  # of `hookwright dev`
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
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        envvar="HOOKWRIGHT_URL",
        help=f"The server to ask, over HTTP; {USUAL_URL} otherwise.",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        envvar="HOOKWRIGHT_KEY",
        help="A Hookwright key (hw_…); that of a running `hookwright dev` otherwise.",
        show_default=False,
    ),
]


def server_to_ask(url: str | None, key: str | None, account: int | None) -> Server:
    """The server that was named; without a key, the `hookwright dev` that runs here, with its key and its account.

    Raises Unreachable for a URL that is none.
    """
    from hookwright.cli.server_calls import Server

    if key:
        return Server(url or USUAL_URL, key, account)
    from hookwright.cli.dev_servers import running_server

    named = Server(url, "").url if url else None
    dev = running_server(named)
    if dev is None:
        fail("a key is needed: --key, or HOOKWRIGHT_KEY in the environment; there is no `hookwright dev` to ask")
    return Server(dev.url, dev.admin_key, account or dev.account_id)
