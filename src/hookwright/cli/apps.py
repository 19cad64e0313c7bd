"""`hookwright apps`: OAuth apps, which accounts may let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.options import AsJson, Config, Database, WithoutAsking, id_of
from hookwright.cli.printing import print_deed, print_record, print_records
from hookwright.cli.running import confirm, with_services

if TYPE_CHECKING:
    from hookwright.core.model import OAuthApp

commands = typer.Typer(help="Create, list and delete the OAuth apps that may ask for Kit tokens.")


@commands.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the consent page calls it.")],
    redirect_uri: Annotated[
        list[str], typer.Option(help="Where its users return to, exactly; may be repeated.", show_default=False)
    ],
    public: Annotated[bool, typer.Option("--public", help="No secret; PKCE protects it.")] = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create an app; prints its client id and, once, its client secret."""
    from hookwright.operations.apps import create_app

    new = with_services(
        database, config, lambda services: create_app(services, name, redirect_uri, confidential=not public)
    )
    note = "" if public else "The secret is shown this once."
    print_record({**_record(new.app), "client_secret": new.client_secret}, as_json, note)


@commands.command("list")
def list_all(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """List every app."""
    apps = with_services(database, config, lambda services: services.store.apps())
    columns = ("id", "name", "client_id", "public", "redirect_uris", "created_at")
    print_records([_record(app) for app in apps], columns, as_json)


@commands.command("delete")
def delete(
    app: Annotated[int, typer.Argument(metavar="ID", parser=id_of, help="The app's id.")],
    without_asking: WithoutAsking = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete an app; every token that it holds ends at once."""
    from hookwright.operations.apps import delete_app

    confirm(f"delete app {app} with its tokens", without_asking)
    with_services(database, config, lambda services: delete_app(services, app))
    print_deed(f"app {app} is deleted", {"id": app, "deleted": True}, as_json)


def _record(app: OAuthApp) -> dict[str, Any]:
    from hookwright.core.times import iso_micros
    from hookwright.operations.apps import client_id_of

    return {
        "id": app.id,
        "name": app.name,
        "client_id": client_id_of(app),
        "public": app.secret_digest is None,
        "redirect_uris": list(app.redirect_uris),
        "created_at": iso_micros(app.created_at),
    }
