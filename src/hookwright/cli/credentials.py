"""The ready-made credentials of `hookwright dev`, and the file that keeps them from one start to the next."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from hookwright.core.errors import NotFound, Unauthorized
from hookwright.operations.accounts import create_account, create_site, require_account
from hookwright.operations.apps import authenticate_app, create_app
from hookwright.operations.keys import (
    ADMIN,
    PUBLISH,
    authenticate_client,
    authenticate_key,
    client_id_of,
    create_key,
)
from hookwright.operations.services import Services

FILE_NAME = "dev.json"
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


async def ready_credentials(services: Services, folder: Path) -> Credentials:
    """The credentials kept in this folder as long as all of them work, else new ones for the same account."""
    kept = _read(folder / FILE_NAME)
    if kept is not None and await _all_work(services, kept):
        return kept
    account_id = await _account_for(services, kept)
    credentials = await _make(services, account_id)
    _keep(folder / FILE_NAME, credentials)
    return credentials


async def _all_work(services: Services, kept: Credentials) -> bool:
    try:
        await require_account(services, kept.account_id)
        await authenticate_key(services, "hookwright", kept.publish_key)
        await authenticate_key(services, "hookwright", kept.admin_key)
        await authenticate_key(services, "kit", kept.kit.api_key)
        await authenticate_client(services, kept.kajabi.client_id, kept.kajabi.client_secret)
        await authenticate_app(services, kept.kit.oauth_client_id, kept.kit.oauth_client_secret)
    except (NotFound, Unauthorized):
        return False
    site = await services.store.site(kept.account_id, int(kept.kajabi.site_id))
    return site is not None


async def _account_for(services: Services, kept: Credentials | None) -> int:
    """The account that was kept, with its endpoints and deliveries, if it is still there; else a new one."""
    if kept is not None and await services.store.account(kept.account_id) is not None:
        return kept.account_id
    return (await create_account(services, NAME)).account.id


async def _make(services: Services, account_id: int) -> Credentials:
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


def _read(path: Path) -> Credentials | None:
    """What was kept, or None when there is nothing or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Credentials)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _keep(path: Path, credentials: Credentials) -> None:
    # Secrets in the clear: readable by their owner alone, and never half written.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(credentials)) + b"\n")
    draft.replace(path)
