"""The ready-made credentials of `hookwright dev`, and the file that keeps them from one start to the next."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from hookwright.core.errors import NotFound, Unauthorized
from hookwright.operations.accounts import create_account, require_account
from hookwright.operations.apps import authenticate_app
from hookwright.operations.keys import authenticate_client, authenticate_key
from hookwright.operations.services import Services
from hookwright.testing.credentials import NAME, Credentials, make_credentials

FILE_NAME = "dev.json"


async def ready_credentials(services: Services, folder: Path) -> Credentials:
    """The credentials kept in this folder as long as all of them work, else new ones for the same account."""
    kept = _read(folder / FILE_NAME)
    if kept is not None and await _all_work(services, kept):
        return kept
    account_id = await _account_for(services, kept)
    credentials = await make_credentials(services, account_id)
    keep_private(folder / FILE_NAME, credentials)
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


def _read(path: Path) -> Credentials | None:
    """What was kept, or None when there is nothing or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Credentials)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def keep_private(path: Path, document: msgspec.Struct) -> None:
    """Write secrets in the clear: readable by their owner alone, and never half written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    draft.replace(path)
