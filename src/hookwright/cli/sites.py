"""`hookwright sites`: the Kajabi sites of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.options import (
    AsJson,
    Config,
    Database,
    OptionalAccount,
    WithoutAsking,
    account_and,
    account_and_id,
    after_account,
    id_after_account,
)
from hookwright.cli.printing import print_deed, print_record, print_records
from hookwright.cli.running import confirm, with_account

if TYPE_CHECKING:
    from hookwright.core.model import Site
    from hookwright.operations.services import Services

commands = typer.Typer(help="Create, list and delete the Kajabi sites of an account.")


@commands.command("create")
def create(
    words: Annotated[list[str], after_account("TITLE", "What people call it.")],
    subdomain: Annotated[str | None, typer.Option(help="Its subdomain; site-<id> otherwise.")] = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create a site."""
    from hookwright.operations.accounts import create_site

    account, title = account_and(words)
    site = with_account(account, database, config, lambda services, of: create_site(services, of, title, subdomain))
    print_record(_record(site), as_json)


@commands.command("list")
def list_all(
    account: OptionalAccount = None, database: Database = None, config: Config = None, as_json: AsJson = False
) -> None:
    """List an account's sites, oldest first."""
    sites = with_account(account, database, config, _sites_of)
    print_records([_record(site) for site in sites], ("id", "title", "subdomain", "created_at"), as_json)


@commands.command("delete")
def delete(
    words: Annotated[list[str], id_after_account("SITE", "The site's id.")],
    without_asking: WithoutAsking = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete a site and the endpoints that belong to it."""
    from hookwright.operations.accounts import delete_site

    account, site = account_and_id(words)
    confirm(f"delete site {site} with its endpoints", without_asking)
    with_account(account, database, config, lambda services, of: delete_site(services, of, site))
    print_deed(f"site {site} is deleted", {"id": site, "deleted": True}, as_json)


async def _sites_of(services: Services, account_id: int) -> list[Site]:
    from hookwright.operations.accounts import require_account

    await require_account(services, account_id)
    return await services.store.sites(account_id)


def _record(site: Site) -> dict[str, Any]:
    from hookwright.core.times import iso_micros

    return {
        "id": site.id,
        "account": site.account_id,
        "title": site.title,
        "subdomain": site.subdomain,
        "created_at": iso_micros(site.created_at),
    }
