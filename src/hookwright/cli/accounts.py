"""`hookwright accounts`: tenants of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.options import AccountArgument, AsJson, Config, Database, WithoutAsking
from hookwright.cli.printing import print_deed, print_record, print_records
from hookwright.cli.running import confirm, fail, with_services

if TYPE_CHECKING:
    from hookwright.core.model import Account
    from hookwright.operations.services import Services

PAGE = 100

commands = typer.Typer(help="Create, list, show and delete accounts, and rotate their signing secrets.")


@commands.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create an account; prints the signing secret that its receivers verify with."""
    from hookwright.operations.accounts import create_account

    new = with_services(database, config, lambda services: create_account(services, name))
    print_record({**_record(new.account), "signing_secret": new.signing_secret}, as_json)


@commands.command("list")
def list_all(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """List every account, oldest first."""
    accounts = with_services(database, config, _every_account)
    print_records([_record(account) for account in accounts], ("id", "name", "created_at"), as_json)


@commands.command("show")
def show(
    account: AccountArgument,
    secrets: Annotated[bool, typer.Option("--secrets", help="Show the live signing secrets too.")] = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show an account, its sites and how many keys it has."""
    print_record(with_services(database, config, lambda services: _described(services, account, secrets)), as_json)


@commands.command("delete")
def delete(
    account: AccountArgument,
    without_asking: WithoutAsking = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete an account: its keys and tokens end at once, its endpoints are deleted."""
    from hookwright.operations.accounts import delete_account

    confirm(f"delete account {account} with its keys and endpoints", without_asking)
    with_services(database, config, lambda services: delete_account(services, account))
    print_deed(f"account {account} is deleted", {"id": account, "deleted": True}, as_json)


@commands.command("rotate-secret")
def rotate_secret(
    account: AccountArgument,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a new signing secret; the old one signs beside it for 24 hours."""
    from hookwright.operations.accounts import rotate_signing_secret

    secret = with_services(database, config, lambda services: rotate_signing_secret(services, account))
    print_record({"account": account, "signing_secret": secret}, as_json)


async def _every_account(services: Services) -> list[Account]:
    accounts: list[Account] = []
    while page := await services.store.accounts(after=accounts[-1].id if accounts else 0, limit=PAGE):
        accounts += page
    return accounts


async def _described(services: Services, account_id: int, with_secrets: bool) -> dict[str, Any]:
    from hookwright.operations.accounts import require_account, reveal_signing_secrets

    account = await require_account(services, account_id)
    described = _record(account)
    described["sites"] = [site.id for site in await services.store.sites(account_id)]
    described["keys"] = [key.id for key in await services.store.keys(account_id)]
    if with_secrets:
        try:
            described["signing_secrets"] = await reveal_signing_secrets(services, account_id)
        except ValueError as error:  # the configured master key is not the one that sealed them
            fail(str(error))
    return described


def _record(account: Account) -> dict[str, Any]:
    from hookwright.core.times import iso_micros

    return {"id": account.id, "name": account.name, "created_at": iso_micros(account.created_at)}
