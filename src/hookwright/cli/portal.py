"""`hookwright portal-link`: a link to the pages of one account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import AsJson, Config, Database, OptionalAccount
from hookwright.cli.printing import print_record
from hookwright.cli.running import database_in_use, with_account_of

if TYPE_CHECKING:
    from hookwright.cli.databases import FoundDatabase
    from hookwright.operations.portal_links import SignedLink
    from hookwright.operations.services import Services


def portal_link(
    account: OptionalAccount = None,
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
    from hookwright.core.model import MINUTE
    from hookwright.core.portal import Look, entrance
    from hookwright.core.times import iso_micros
    from hookwright.operations.portal_links import create_portal_link

    look = Look(name=name, logo=logo, accent=accent.lower())

    async def make(services: Services, account: int) -> SignedLink:
        return await create_portal_link(services, account, minutes * MINUTE, look, may_change=manage)

    found = database_in_use(database, config)
    signed = with_account_of(found, account, make)
    record = {
        "id": signed.link.id,
        "account": signed.link.account_id,
        "url": entrance(_server_url(found), signed.token),
        "expires_at": iso_micros(signed.link.expires_at),
    }
    print_record(record, as_json, "Whoever has the link sees the account. It is shown this once.")


def _server_url(database: FoundDatabase) -> str:
    """Where people reach the server that runs on the database."""
    if database.dev is not None:
        return database.dev.url
    settings = database.settings
    return settings.public_url or f"http://{settings.host}:{settings.port}"
