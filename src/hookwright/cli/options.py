"""The options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.completion import event_types
from hookwright.cli.running import fail
from hookwright.cli.table import ACCOUNT_MAY_BE_BEFORE

if TYPE_CHECKING:
    from hookwright.cli.server_calls import Server

USUAL_URL = "http://127.0.0.1:8090"  # of `hookwright dev`


def id_of(text: str) -> int:
    """An id as it was typed. Raises typer.BadParameter."""
    from hookwright.core.lanes import id_in

    id = id_in(text)
    if not id:
        raise typer.BadParameter(f"{text!r} is not an id, which is a whole number such as 64")
    return id


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
AccountArgument = Annotated[int, typer.Argument(metavar="ACCOUNT", parser=id_of, help="The account's id.")]
OTHERWISE = "The account: that of a running `hookwright dev`, or the only one, otherwise."
OptionalAccount = Annotated[
    int | None,
    typer.Argument(
        metavar="ACCOUNT",
        parser=id_of,
        help=OTHERWISE,
        show_default=False,
    ),
]
AccountOption = Annotated[
    int | None,
    typer.Option(
        "--account", metavar="ID", parser=id_of, help="Required unless the key has one.", show_default=False
    ),
]
EndpointOption = Annotated[
    int | None, typer.Option("--endpoint", metavar="ID", parser=id_of, help="Only to this endpoint.")
]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only of this type.", autocompletion=event_types)]
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


def after_account(metavar: str, help: str) -> Any:
    """An argument that an account's id may stand before; `account_and` takes the two apart."""
    return _behind_an_account(metavar, help, account_and)


def id_after_account(metavar: str, help: str) -> Any:
    """As `after_account`, for an id; `account_and_id` takes the two apart."""
    return _behind_an_account(metavar, help, account_and_id)


def _behind_an_account(metavar: str, help: str, take_apart: Callable[[list[str]], object]) -> Any:
    def check(words: list[str]) -> list[str]:
        take_apart(words)
        return words

    return typer.Argument(
        metavar=f"{ACCOUNT_MAY_BE_BEFORE}{metavar}", help=f"{help} {OTHERWISE}", show_default=False, callback=check
    )


def account_and_id(words: list[str]) -> tuple[int | None, int]:
    """The account's id, if it is given, and the id behind it. Raises typer.BadParameter."""
    account, word = account_and(words)
    return account, id_of(word)


def account_and(words: list[str]) -> tuple[int | None, str]:
    """The account's id, if it is given, and what is given behind it. Raises typer.BadParameter."""
    if len(words) > 2:
        raise typer.BadParameter(f"{' '.join(words[2:])!r} is too much")
    return (id_of(words[0]) if len(words) == 2 else None), words[-1]


def server_to_ask(url: str | None, key: str | None, account: int | None) -> Server:
    """The server that was named; without a key, the `hookwright dev` that runs here, with its key and its account.

    Raises Misuse for a URL that is none.
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
