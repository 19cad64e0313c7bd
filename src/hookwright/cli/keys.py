"""`hookwright keys`: who may call which API. Only this prints their secrets, once."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.completion import scopes
from hookwright.cli.options import AsJson, Config, Database, WithoutAsking, id_of
from hookwright.cli.printing import print_deed, print_record, print_records
from hookwright.cli.running import MISUSED, confirm, fail, with_services

if TYPE_CHECKING:
    from hookwright.core.model import Key
    from hookwright.operations.keys import NewKey
    from hookwright.operations.services import Services

SHOWN_ONCE = "The secret is shown this once."

commands = typer.Typer(help="Create, list, rotate and delete the keys of all three APIs.")


class Kind(StrEnum):
    """Which API a key opens."""

    HOOKWRIGHT = "hookwright"
    KAJABI = "kajabi"
    KIT = "kit"


KeyArgument = Annotated[int, typer.Argument(metavar="ID", parser=id_of, help="The key's id.")]
AccountOption = Annotated[
    int | None, typer.Option("--account", metavar="ID", parser=id_of, help="The id of its account.")
]


@commands.command("create")
def create(
    kind: Annotated[Kind, typer.Option(help="Which API it opens.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    account: AccountOption = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="May be repeated. hookwright: publish, read, manage, admin; kajabi: owner otherwise.",
            autocompletion=scopes,
        ),
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="From then on it is refused.", show_default=False)
    ] = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create a key. One for Hookwright's own API reaches every account, unless it is given one."""
    from hookwright.core.model import DAY
    from hookwright.operations.keys import create_key

    scopes = _scopes(kind, scope or [])

    async def create(services: Services) -> NewKey:
        expires_at = None if expires_in_days is None else services.clock.now() + expires_in_days * DAY
        return await create_key(services, kind.value, account, name, scopes, expires_at=expires_at)

    new = with_services(database, config, create)
    print_record(_record_with_secret(new), as_json, SHOWN_ONCE)


@commands.command("list")
def list_all(
    account: AccountOption = None, database: Database = None, config: Config = None, as_json: AsJson = False
) -> None:
    """List the keys of an account, or every key, oldest first."""
    keys = with_services(database, config, lambda services: services.store.keys(account))
    columns = ("id", "kind", "account", "name", "scopes", "client_id", "created_at", "expires_at", "last_used_at")
    print_records([_record(key) for key in keys], columns, as_json)


@commands.command("rotate")
def rotate(key: KeyArgument, database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Give a key a new secret; the old one and every token granted with it end at once."""
    from hookwright.operations.keys import rotate_key

    new = with_services(database, config, lambda services: rotate_key(services, key))
    print_record(_record_with_secret(new), as_json, SHOWN_ONCE)


@commands.command("delete")
def delete(
    key: KeyArgument,
    without_asking: WithoutAsking = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete a key; it and every token granted with it end at once."""
    from hookwright.operations.keys import delete_key

    confirm(f"delete key {key} with its tokens", without_asking)
    with_services(database, config, lambda services: delete_key(services, key))
    print_deed(f"key {key} is deleted", {"id": key, "deleted": True}, as_json)


def _scopes(kind: Kind, given: list[str]) -> list[str]:
    """The scopes of a new key; a key that would open nothing, or scopes that mean nothing, are refused."""
    if kind is Kind.KAJABI:
        return given or ["owner"]
    if kind is Kind.KIT and given:
        fail("a kit key has no scopes: it opens all of its account", MISUSED)
    if kind is Kind.HOOKWRIGHT and not given:
        fail("a hookwright key needs a --scope: publish, read, manage or admin", MISUSED)
    return given


def _record(key: Key) -> dict[str, Any]:
    from hookwright.core.times import iso_micros, iso_or_none
    from hookwright.operations.keys import client_id_of

    return {
        "id": key.id,
        "kind": key.kind,
        "account": key.account_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "client_id": client_id_of(key) if key.kind == "kajabi" else None,
        "created_at": iso_micros(key.created_at),
        "rotated_at": iso_or_none(key.rotated_at),
        "expires_at": iso_or_none(key.expires_at),
        "last_used_at": iso_or_none(key.last_used_at),
    }


def _record_with_secret(new: NewKey) -> dict[str, Any]:
    """As our API shows a new key: the secret of a kajabi key is its `client_secret`."""
    name = "client_secret" if new.key.kind == "kajabi" else "secret"
    return {**_record(new.key), name: new.secret}
