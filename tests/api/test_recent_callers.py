"""What publishing remembers of keys, accounts and sites: changes count at once here, within a second elsewhere."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.requests import EVENTS, event, pointers, publish
from hookwright.ambient import MovableClock
from hookwright.core.model import Account
from hookwright.operations.accounts import create_account, create_site, delete_account, delete_site
from hookwright.operations.keys import create_key, delete_key, rotate_key
from hookwright.operations.recent import Recent
from hookwright.operations.services import Services


@pytest.fixture
def elsewhere(services: Services) -> Services:
    """Another process on the same store, which shares no memory with the one that answers."""
    return replace(services, recent_keys=Recent(), recent_sites=Recent())


def with_key(client: httpx.AsyncClient, secret: str) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


async def status_of(client: httpx.AsyncClient, account: Account, **more: Any) -> int:
    return (await client.post(EVENTS, json=event(account, **more))).status_code


@pytest.mark.parametrize("end", [delete_key, rotate_key])
async def test_a_key_that_ends_elsewhere_publishes_for_a_second_at_most(
    anyone: httpx.AsyncClient,
    services: Services,
    elsewhere: Services,
    account: Account,
    clock: MovableClock,
    end: Any,
) -> None:
    new = await create_key(services, "hookwright", None, "Test", ["admin"])
    caller = with_key(anyone, new.secret)
    assert await status_of(caller, account) == 202
    await end(elsewhere, new.key.id)
    assert await status_of(caller, account) == 202
    assert (await caller.get("/api/v1/accounts")).status_code == 401, "every other route reads the key each time"
    clock.move(seconds=1)
    assert await status_of(caller, account) == 401


@pytest.mark.parametrize("end", [delete_key, rotate_key])
async def test_a_key_that_ends_here_ends_at_once(
    anyone: httpx.AsyncClient, services: Services, account: Account, end: Any
) -> None:
    new = await create_key(services, "hookwright", None, "Test", ["publish"])
    caller = with_key(anyone, new.secret)
    assert await status_of(caller, account) == 202
    await end(services, new.key.id)
    assert await status_of(caller, account) == 401


async def test_a_secret_that_was_made_elsewhere_counts_at_once(
    anyone: httpx.AsyncClient, services: Services, elsewhere: Services, account: Account
) -> None:
    new = await create_key(services, "hookwright", None, "Test", ["publish"])
    assert await status_of(with_key(anyone, new.secret), account) == 202
    rotated = await rotate_key(elsewhere, new.key.id)
    assert await status_of(with_key(anyone, rotated.secret), account) == 202
    assert await status_of(with_key(anyone, new.secret), account) == 401, "what was read anew is what counts"


async def test_a_remembered_key_lets_no_other_secret_in(
    anyone: httpx.AsyncClient, services: Services, account: Account
) -> None:
    new = await create_key(services, "hookwright", None, "Test", ["publish"])
    assert await status_of(with_key(anyone, new.secret), account) == 202
    assert await status_of(with_key(anyone, new.secret[:-1]), account) == 401
    assert await status_of(with_key(anyone, new.secret), account) == 202


async def test_the_keys_of_an_account_end_with_it(
    caller_with: CallerWith, services: Services, account: Account
) -> None:
    tenant = await caller_with("publish", of=account)
    await publish(tenant, account)
    await delete_account(services, account.id)
    assert await status_of(tenant, account) == 401


async def test_an_account_that_is_deleted_here_is_unknown_at_once(admin: httpx.AsyncClient, account: Account) -> None:
    await publish(admin, account)
    assert (await admin.delete(f"/api/v1/accounts/{account.id}")).status_code == 204
    assert pointers(await admin.post(EVENTS, json=event(account))) == ["/account"]


async def test_an_account_that_is_deleted_elsewhere_is_unknown_within_a_second(
    admin: httpx.AsyncClient, elsewhere: Services, account: Account, clock: MovableClock
) -> None:
    await publish(admin, account)
    await delete_account(elsewhere, account.id)
    assert (await publish(admin, account))["deliveries"] == 0
    clock.move(seconds=1)
    assert pointers(await admin.post(EVENTS, json=event(account))) == ["/account"]


async def test_an_account_that_was_made_elsewhere_counts_at_once(
    admin: httpx.AsyncClient, elsewhere: Services, account: Account
) -> None:
    unknown = event(account) | {"account": account.id + 64}
    assert pointers(await admin.post(EVENTS, json=unknown)) == ["/account"]
    other = (await create_account(elsewhere, "Blaise's courses")).account
    await publish(admin, other)


async def test_a_site_that_was_made_elsewhere_may_be_named_at_once(
    admin: httpx.AsyncClient, elsewhere: Services, account: Account
) -> None:
    await publish(admin, account)
    site = await create_site(elsewhere, account.id, "Ada's site")
    await publish(admin, account, site=site.id)


async def test_a_site_has_to_be_named_from_the_moment_that_a_second_one_is_made_here(
    admin: httpx.AsyncClient, services: Services, account: Account
) -> None:
    await create_site(services, account.id, "One")
    await publish(admin, account)
    body = {"title": "Two"}
    second = (await admin.post(f"/api/v1/accounts/{account.id}/sites", json=body)).json()
    assert pointers(await admin.post(EVENTS, json=event(account))) == ["/site"]
    assert (await admin.delete(f"/api/v1/accounts/{account.id}/sites/{second['id']}")).status_code == 204
    assert await status_of(admin, account) == 202
    assert pointers(await admin.post(EVENTS, json=event(account, site=second["id"]))) == ["/site"]


async def test_a_site_need_not_be_named_from_the_moment_that_it_is_the_last_one(
    admin: httpx.AsyncClient, services: Services, elsewhere: Services, account: Account
) -> None:
    first, second = [await create_site(services, account.id, title) for title in ("One", "Two")]
    await publish(admin, account, site=second.id)
    await delete_site(elsewhere, account.id, second.id)
    assert await status_of(admin, account, site=second.id) == 202, "it was there within the last second"
    assert await status_of(admin, account) == 202, "nobody is told to name a site for one that is gone"
    assert pointers(await admin.post(EVENTS, json=event(account, site=second.id))) == ["/site"]
    await publish(admin, account, site=first.id)
