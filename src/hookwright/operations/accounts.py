"""Accounts, their sites and their signing secrets."""

from typing import NamedTuple

from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.model import Account, Site
from hookwright.operations.audit import new_entry
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import new_secret, reveal_secrets, rotate_secret

MAX_NAME_LENGTH = 200


class NewAccount(NamedTuple):
    """An account and the signing secret that its receivers verify with."""

    account: Account
    signing_secret: str


async def create_account(services: Services, name: str) -> NewAccount:
    """A new account with its first signing secret. Raises Invalid when the name is empty or too long."""
    check_name(name, "/name")
    now = services.clock.now()
    lane_index = services.dice.lane_index(services.store.lane_count)
    account = Account(id=await services.store.new_id(lane_index), name=name, created_at=now)
    secret, text = await new_secret(services, account.id, None)
    entry = await new_entry(services, "account.created", account.id, account.id)
    await services.store.add_account(account, secret, entry)
    return NewAccount(account, text)


async def require_account(services: Services, account_id: int) -> Account:
    """The account. Raises NotFound."""
    account = await services.store.account(account_id)
    if account is None:
        raise NotFound(f"account {account_id} does not exist")
    return account


async def delete_account(services: Services, account_id: int) -> None:
    """Delete an account: its keys and tokens end, and its endpoints are deleted. Raises NotFound."""
    entry = await new_entry(services, "account.deleted", account_id, account_id)
    try:
        found = await services.store.delete_account(account_id, services.clock.now(), entry)
    finally:
        services.recent_sites.forget(account_id)
        services.recent_keys.forget_all()
    if not found:
        raise NotFound(f"account {account_id} does not exist")


async def create_site(services: Services, account_id: int, title: str, subdomain: str | None = None) -> Site:
    """A new site of an account. Raises NotFound, Invalid."""
    await require_account(services, account_id)
    check_name(title, "/title")
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
    entry = await new_entry(services, "site.created", site_id, account_id)
    try:
        await services.store.add_site(site, entry)
    finally:  # a commit that lost its confirmation may have been done all the same
        services.recent_sites.forget(account_id)
    return site


async def delete_site(services: Services, account_id: int, site_id: int) -> None:
    """Delete a site, and the endpoints that belong to it. Raises NotFound."""
    entry = await new_entry(services, "site.deleted", site_id, account_id)
    try:
        found = await services.store.delete_site(account_id, site_id, services.clock.now(), entry)
    finally:
        services.recent_sites.forget(account_id)
    if not found:
        raise NotFound(f"account {account_id} has no site {site_id}")


async def reveal_signing_secrets(services: Services, account_id: int) -> list[str]:
    """The live `whsec_` secrets of an account, newest first. Raises NotFound."""
    await require_account(services, account_id)
    return await reveal_secrets(services, account_id, None)


async def rotate_signing_secret(services: Services, account_id: int) -> str:
    """A new signing secret; the older ones also sign for 24 hours. Raises NotFound, Conflict."""
    await require_account(services, account_id)
    return await rotate_secret(services, account_id, None)


def check_name(name: str, pointer: str) -> None:
    """Raises Invalid for a name that is empty or too long."""
    if not name.strip():
        raise Invalid(Problem(pointer, "can't be blank", "blank"))
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid(Problem(pointer, f"is too long (at most {MAX_NAME_LENGTH} characters)", "too_long"))
