"""Accounts, their sites and their signing secrets."""

from typing import NamedTuple

from hookwright.ambient import new_signing_key
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.model import DAY, Account, Instant, SigningSecret, Site
from hookwright.core.signing import encode_secret
from hookwright.operations.services import Services

ROTATION_OVERLAP: Instant = DAY
MAX_NAME_LENGTH = 200


class NewAccount(NamedTuple):
    """An account and the signing secret that its receivers verify with."""

    account: Account
    signing_secret: str


async def create_account(services: Services, name: str) -> NewAccount:
    """A new account with its first signing secret. Raises Invalid when the name is empty or too long."""
    _check_name(name, "/name")
    now = services.clock.now()
    lane_index = services.dice.lane_index(services.store.lane_count)
    account = Account(id=await services.store.new_id(lane_index), name=name, created_at=now)
    key = new_signing_key()
    await services.store.add_account(account, await _sealed(services, account.id, key, now))
    return NewAccount(account, encode_secret(key))


async def require_account(services: Services, account_id: int) -> Account:
    """The account. Raises NotFound."""
    account = await services.store.account(account_id)
    if account is None:
        raise NotFound(f"account {account_id} does not exist")
    return account


async def create_site(services: Services, account_id: int, title: str, subdomain: str | None = None) -> Site:
    """A new site of an account. Raises NotFound, Invalid."""
    await require_account(services, account_id)
    _check_name(title, "/title")
    now = services.clock.now()
    site_id = await services.store.new_id(account_id)
    site = Site(
        id=site_id,
        account_id=account_id,
        title=title,
        subdomain=subdomain or f"site-{site_id}",
        created_at=now,
        updated_at=now,
    )
    await services.store.add_site(site)
    return site


async def reveal_signing_secrets(services: Services, account_id: int) -> list[str]:
    """The live `whsec_` secrets of an account, newest first. Raises NotFound."""
    await require_account(services, account_id)
    secrets = await services.store.signing_secrets(account_id, None, services.clock.now())
    return [encode_secret(services.vault.open(account_id, secret.sealed)) for secret in secrets]


async def rotate_signing_secret(services: Services, account_id: int) -> str:
    """A new signing secret; the old one also signs for 24 hours. Raises NotFound."""
    await require_account(services, account_id)
    now = services.clock.now()
    key = new_signing_key()
    secret = await _sealed(services, account_id, key, now)
    await services.store.rotate_signing_secret(secret, now + ROTATION_OVERLAP)
    return encode_secret(key)


async def _sealed(services: Services, account_id: int, key: bytes, now: Instant) -> SigningSecret:
    return SigningSecret(
        id=await services.store.new_id(account_id),
        account_id=account_id,
        endpoint_id=None,
        sealed=services.vault.seal(account_id, key),
        created_at=now,
    )


def _check_name(name: str, pointer: str) -> None:
    if not name.strip():
        raise Invalid(Problem(pointer, "can't be blank", "blank"))
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid(Problem(pointer, f"is too long (at most {MAX_NAME_LENGTH} characters)", "too_long"))
