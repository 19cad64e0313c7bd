"""Accounts, sites and signing secrets."""

import pytest

from hookwright.core.errors import Unavailable
from hookwright.core.model import DAY, HOUR, SECOND, Account, Endpoint, Instant
from hookwright.store.base import EndpointQuery, SecretOwner, Store
from store.given import (
    LEASE,
    NOW,
    accept_one,
    add_account,
    add_app,
    add_delivery,
    add_endpoint,
    add_grant,
    add_key,
    add_site,
    again,
    claim,
    claim_one,
    count,
    draft,
    new_secret,
    notice,
    revoked_at,
    settled,
)

# -- accounts ----------------------------------------------------------------------------------------------------


async def test_an_account_comes_back_as_it_was_kept(store: Store) -> None:
    account = await add_account(store, "Ada’s courses")

    assert await store.account(account.id) == account


async def test_an_account_that_does_not_exist_is_none(store: Store) -> None:
    account = await add_account(store)

    assert await store.account(account.id + 64) is None


async def test_a_new_account_has_its_first_signing_secret(store: Store) -> None:
    account = Account(id=await store.new_id(0), name="Ada", created_at=NOW)
    secret = await new_secret(store, account)

    await store.add_account(account, secret)

    assert await store.signing_secrets(account.id, None, NOW) == [secret]


async def test_an_account_whose_secret_cannot_be_kept_is_not_kept_either(store: Store) -> None:
    taken = (await store.signing_secrets((await add_account(store)).id, None, NOW))[0]
    account = Account(id=await store.new_id(taken.account_id), name="Bob", created_at=NOW)

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await store.add_account(account, taken)

    assert await store.account(account.id) is None


async def test_a_mistake_of_the_caller_is_not_an_outage(store: Store) -> None:
    account = await add_account(store)
    secret = await new_secret(store, account)

    with pytest.raises(Exception, match=r"(?i)unique|duplicate") as refused:
        await store.add_account(account, secret)

    assert not isinstance(refused.value, Unavailable)


async def test_accounts_are_listed_by_id_over_every_lane(store: Store) -> None:
    kept = [await add_account(store, f"Account {lane_index}", lane_index) for lane_index in (5, 63, 0, 5, 17)]
    by_id = sorted(kept, key=lambda account: account.id)

    assert await store.accounts() == by_id
    assert await store.accounts(limit=2) == by_id[:2]
    assert await store.accounts(after=by_id[1].id, limit=2) == by_id[2:4]
    assert await store.accounts(after=by_id[-1].id) == []


async def test_a_deleted_account_is_gone(store: Store) -> None:
    account, other = await add_account(store), await add_account(store, "Bob")

    assert await store.delete_account(account.id, NOW)

    assert await store.account(account.id) is None
    assert await store.accounts() == [other]


async def test_deleting_no_account_is_false(store: Store) -> None:
    account = await add_account(store)
    assert not await store.delete_account(account.id + 64, NOW)

    assert await store.delete_account(account.id, NOW)
    assert not await store.delete_account(account.id, NOW)


async def test_deleting_an_account_ends_its_keys_and_tokens(store: Store) -> None:
    account, app = await add_account(store), await add_app(store)
    key = await add_key(store, account)
    of_key, of_app = await add_grant(store, account, key=key), await add_grant(store, account, app=app)

    await store.delete_account(account.id, NOW + SECOND)

    assert await store.key(key.id) is None
    assert await store.keys(account.id) == []
    assert await revoked_at(store, of_key) == NOW + SECOND
    assert await revoked_at(store, of_app) == NOW + SECOND


async def test_deleting_an_account_leaves_others_alone(store: Store) -> None:
    account, other = await add_account(store), await add_account(store, "Bob")
    key, endpoint = await add_key(store, other), await add_endpoint(store, other)
    grant = await add_grant(store, other, key=key)

    await store.delete_account(account.id, NOW)

    assert await store.key(key.id) == key
    assert await revoked_at(store, grant) is None
    assert await store.endpoint(other.id, endpoint.id) == endpoint
    assert (await accept_one(store, draft(other))).deliveries == 1


async def test_deleting_an_account_deletes_its_endpoints(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)

    await store.delete_account(account.id, NOW)

    assert await store.endpoint(account.id, endpoint.id) is None
    assert await store.endpoints(EndpointQuery(account_id=account.id)) == []
    assert (await accept_one(store, draft(account))).deliveries == 0


async def test_deleting_an_account_cancels_what_was_still_to_be_sent(store: Store) -> None:
    account = await add_account(store)
    paused, active = await add_endpoint(store, account, dialect="kajabi"), await add_endpoint(store, account)
    due, waiting = await add_delivery(store, active), await add_delivery(store, paused)
    await store.set_endpoint_status(account.id, paused.id, "paused", None, NOW)
    await store.settle([settled(await claim_one(store), "pending", due_at=NOW + HOUR)], NOW)
    assert (await again(store, waiting)).due_at is None

    await store.delete_account(account.id, NOW + SECOND)
    assert await claim(store, now=NOW + DAY) == []

    assert (await again(store, due)).status == "cancelled"
    assert (await again(store, waiting)).status == "cancelled"


# -- sites -------------------------------------------------------------------------------------------------------


async def test_sites_are_listed_oldest_first(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    kept = [await add_site(store, account, title) for title in ("Zoe", "Ada", "Max")]
    await add_site(store, other)

    assert await store.sites(account.id) == kept
    assert await store.sites_of_account(account.id) == kept
    assert await store.site(account.id, kept[1].id) == kept[1]


async def test_an_account_without_sites_is_not_one_that_is_not_there(store: Store) -> None:
    account, gone = await add_account(store), await add_account(store)
    await add_site(store, gone)
    await store.delete_account(gone.id, NOW)

    assert await store.sites_of_account(account.id) == []
    assert await store.sites_of_account(gone.id) is None
    assert await store.sites_of_account(account.id + 64_000_000) is None


async def test_a_site_of_another_account_is_not_there(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    site = await add_site(store, account)

    assert await store.site(other.id, site.id) is None
    assert not await store.delete_site(other.id, site.id, NOW)
    assert await store.site(account.id, site.id) == site


async def test_deleting_a_site_deletes_the_endpoints_that_belong_to_it(store: Store) -> None:
    account = await add_account(store)
    site, other = await add_site(store, account), await add_site(store, account)
    gone = await add_endpoint(store, account, site=site)
    of_other, of_none = await add_endpoint(store, account, site=other), await add_endpoint(store, account)

    assert await store.delete_site(account.id, site.id, NOW + SECOND)

    assert await store.sites(account.id) == [other]
    assert await store.endpoint(account.id, gone.id) is None
    assert await store.endpoint(account.id, of_other.id) == of_other
    assert await store.endpoint(account.id, of_none.id) == of_none
    assert (await accept_one(store, draft(account))).deliveries == 2


async def test_deleting_a_site_cancels_what_waited_for_its_endpoints(store: Store) -> None:
    account = await add_account(store)
    site = await add_site(store, account)
    endpoint = await add_endpoint(store, account, site=site)
    waiting = await add_delivery(store, endpoint)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await claim(store) == []

    await store.delete_site(account.id, site.id, NOW + SECOND)
    await claim(store, now=NOW + DAY)

    assert (await again(store, waiting)).status == "cancelled"


async def test_deleting_no_site_is_false(store: Store) -> None:
    account = await add_account(store)
    site = await add_site(store, account)

    assert await store.delete_site(account.id, site.id, NOW)
    assert not await store.delete_site(account.id, site.id, NOW)


# -- signing secrets ---------------------------------------------------------------------------------------------


async def test_a_rotated_secret_signs_beside_the_old_one_until_it_expires(store: Store) -> None:
    account = await add_account(store)
    (old,) = await store.signing_secrets(account.id, None, NOW)
    new = await new_secret(store, account, created_at=NOW + HOUR)

    await store.rotate_signing_secret(new, NOW + HOUR + DAY)

    both = await store.signing_secrets(account.id, None, NOW + HOUR)
    assert [secret.id for secret in both] == [new.id, old.id]
    assert [secret.expires_at for secret in both] == [None, NOW + HOUR + DAY]
    assert [secret.id for secret in await store.signing_secrets(account.id, None, NOW + HOUR + DAY)] == [new.id]


async def test_a_second_rotation_does_not_lengthen_the_life_of_the_first_secret(store: Store) -> None:
    account = await add_account(store)
    second = await new_secret(store, account, created_at=NOW + 1)
    third = await new_secret(store, account, created_at=NOW + 2)

    await store.rotate_signing_secret(second, NOW + HOUR)
    await store.rotate_signing_secret(third, NOW + DAY)

    live = await store.signing_secrets(account.id, None, NOW + HOUR)
    assert [secret.id for secret in live] == [third.id, second.id]


async def test_secrets_of_the_same_instant_are_newest_first_by_id(store: Store) -> None:
    account = await add_account(store)
    (first,) = await store.signing_secrets(account.id, None, NOW)
    second = await new_secret(store, account)
    await store.rotate_signing_secret(second, NOW + DAY)

    assert [secret.id for secret in await store.signing_secrets(account.id, None, NOW)] == [second.id, first.id]


async def test_an_endpoints_own_secrets_and_the_accounts_are_kept_apart(store: Store) -> None:
    account = await add_account(store)
    endpoint, other = await add_endpoint(store, account), await add_endpoint(store, account)
    own = await new_secret(store, account, endpoint.id)
    await store.rotate_signing_secret(own, NOW)

    assert await store.signing_secrets(account.id, endpoint.id, NOW) == [own]
    assert await store.signing_secrets(account.id, other.id, NOW) == []
    (of_account,) = await store.signing_secrets(account.id, None, NOW)
    assert of_account.expires_at is None

    newer = await new_secret(store, account, endpoint.id, created_at=NOW + 1)
    await store.rotate_signing_secret(newer, NOW + LEASE)
    assert await store.signing_secrets(account.id, None, NOW) == [of_account]
    assert len(await store.signing_secrets(account.id, endpoint.id, NOW)) == 2


async def test_the_live_secrets_of_many_endpoints_come_newest_first_by_endpoint(store: Store) -> None:
    account = await add_account(store)
    one, other, without = [await add_endpoint(store, account) for _ in range(3)]
    old, only = await new_secret(store, account, one.id), await new_secret(store, account, other.id)
    new = await new_secret(store, account, one.id, created_at=NOW + 1)
    for secret in (old, only, new):
        await store.rotate_signing_secret(secret, NOW + DAY)

    async def live(*endpoints: Endpoint, now: Instant = NOW + 1) -> dict[int, list[int]]:
        found = await store.signing_secrets_of([(account.id, endpoint.id) for endpoint in endpoints], now)
        assert {account_id for account_id, _ in found} <= {account.id}
        return {id: [secret.id for secret in secrets] for (_, id), secrets in found.items() if id is not None}

    assert await live(one, other, without) == {one.id: [new.id, old.id], other.id: [only.id]}
    assert await live(one, now=NOW + DAY) == {one.id: [new.id]}
    assert await live(without) == await live() == {}
    found = await store.signing_secrets_of([(account.id, one.id), (account.id, other.id)], NOW + 1)
    assert found[account.id, one.id] == await store.signing_secrets(account.id, one.id, NOW + 1)


async def test_the_live_secrets_of_accounts_and_endpoints_of_many_lanes_are_looked_up_together(store: Store) -> None:
    accounts = [await add_account(store, lane_index=lane_index) for lane_index in (0, 7, 63)]
    owners: list[SecretOwner] = [(account.id, None) for account in accounts]
    for account in accounts:
        endpoint = await add_endpoint(store, account)
        await store.rotate_signing_secret(await new_secret(store, account, endpoint.id), NOW + DAY)
        owners.append((account.id, endpoint.id))

    found = await store.signing_secrets_of([*owners, (accounts[0].id, accounts[1].id)], NOW)

    assert found == {owner: await store.signing_secrets(*owner, NOW) for owner in owners}
    assert all(found.values())


async def test_an_event_of_a_deleted_account_leaves_no_payload(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await store.delete_account(account.id, NOW)

    await accept_one(store, draft(account, notice()))

    assert await count(store, "payloads") == 0
