"""`hookwright portal-link`: a link to the pages of one account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import AccountArgument, AsJson, Config, Database
from hookwright.cli.printing import print_record
from hookwright.cli.running import with_services

if TYPE_CHECKING:
    from hookwright.operations.portal_links import SignedLink
    from hookwright.operations.services import Services


def portal_link(
    account: AccountArgument,
    minutes: Annotated[int, typer.Option(min=1, max=7 * 24 * 60, help="How long it is good for.")] = 60,
    manage: Annotated[bool, typer.Option("--manage", help="It may also replay and change.")] = False,
    name: Annotated[str, typer.Option(help="Whose portal it looks like.")] = "",
    logo: Annotated[str, typer.Option(help="Its logo, by an https URL.")] = "",
    accent: Annotated[str, typer.Option(help="Its accent colour, such as #2b50cc.")] = "",
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a link that shows one account, and nothing else, to whoever opens it."""
    from hookwright.config import load_settings
    from hookwright.core.model import MINUTE
    from hookwright.core.portal import Look, entrance
    from hookwright.core.times import iso_micros
    from hookwright.operations.portal_links import create_portal_link

    look = Look(name=name, logo=logo, accent=accent.lower())

    async def make(services: Services) -> SignedLink:
        return await create_portal_link(services, account, minutes * MINUTE, look, may_change=manage)

    signed = with_services(database, config, make)
    settings = load_settings(config_file=config, database_url=database)
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    record = {
        "id": signed.link.id,
        "account": account,
        "url": entrance(base_url, signed.token),
        "expires_at": iso_micros(signed.link.expires_at),
    }
    print_record(record, as_json, "Whoever has the link sees the account. It is shown this once.")
