"""Ready-made credentials for an account: a way into each API, for `hookwright dev` and for the pytest fixture."""

from __future__ import annotations

from msgspec import Struct

from hookwright.operations.accounts import create_site
from hookwright.operations.apps import create_app
from hookwright.operations.keys import ADMIN, PUBLISH, client_id_of, create_key
from hookwright.operations.services import Services

NAME = "Development"
# Nothing needs to listen there: whoever tests the whole OAuth dance registers an app of their own.
REDIRECT_URI = "http://127.0.0.1:8976/callback"


class KajabiCredentials(Struct, frozen=True):
    """As Kajabi hands them out. `site_id` is text, as in every JSON:API document."""

    client_id: str
    client_secret: str
    site_id: str


class KitCredentials(Struct, frozen=True):
    """An API key, and an OAuth app with its one redirect URI."""

    api_key: str
    oauth_client_id: str
    oauth_client_secret: str
    oauth_redirect_uri: str


class Credentials(Struct, frozen=True):
    """Everything that an integration developer needs: one account and a way into each API."""

    account_id: int
    publish_key: str
    admin_key: str
    kajabi: KajabiCredentials
    kit: KitCredentials


async def make_credentials(services: Services, account_id: int) -> Credentials:
    """New credentials for an account; its first site, or a new one if it has none."""
    publish_key = await create_key(services, "hookwright", None, NAME, [PUBLISH])
    admin_key = await create_key(services, "hookwright", None, NAME, [ADMIN])
    return Credentials(
        account_id=account_id,
        publish_key=publish_key.secret,
        admin_key=admin_key.secret,
        kajabi=await _make_kajabi(services, account_id),
        kit=await _make_kit(services, account_id),
    )


async def _make_kajabi(services: Services, account_id: int) -> KajabiCredentials:
    sites = await services.store.sites(account_id)
    site = sites[0] if sites else await create_site(services, account_id, NAME)
    key = await create_key(services, "kajabi", account_id, NAME, ["owner"])
    return KajabiCredentials(client_id_of(key.key), key.secret, str(site.id))


async def _make_kit(services: Services, account_id: int) -> KitCredentials:
    key = await create_key(services, "kit", account_id, NAME, [])
    app = await create_app(services, NAME, [REDIRECT_URI], confidential=True)
    assert app.client_secret is not None  # a confidential app has one
    return KitCredentials(key.secret, app.client_id, app.client_secret, REDIRECT_URI)
