"""Keys, OAuth apps, codes and grants: what lets somebody in, and how it ends."""

import asyncio

from msgspec.structs import replace

from hookwright.core.model import DAY, SECOND
from hookwright.store.base import Store
from store.given import (
    LANE_INDEX,
    NOW,
    add_account,
    add_app,
    add_code,
    add_grant,
    add_key,
    count,
    new_grant,
    revoked_at,
)

# -- keys --------------------------------------------------------------------------------------------------------


async def test_a_key_comes_back_as_it_was_kept(store: Store) -> None:
    account = await add_account(store)
    of_account, of_platform = await add_key(store, account), await add_key(store, None)

    assert await store.key(of_account.id) == of_account
    assert await store.key(of_platform.id) == of_platform


async def test_keys_are_listed_oldest_first_for_an_account_or_for_all(store: Store) -> None:
    account, other = await add_account(store), await add_account(store, lane_index=LANE_INDEX + 1)
    kept = [await add_key(store, account, name) for name in ("Zoe", "Ada", "Max")]
    of_other, of_platform = await add_key(store, other), await add_key(store, None)

    assert await store.keys(account.id) == kept
    every = await store.keys()
    assert {key.id for key in every} == {key.id for key in (*kept, of_other, of_platform)}
    assert [key for key in every if key.account_id == account.id] == kept


async def test_a_rotated_key_has_its_new_secret_and_no_tokens(store: Store) -> None:
    account = await add_account(store)
    key, other = await add_key(store, account), await add_key(store, account)
    grants = [await add_grant(store, account, key=key) for _ in range(2)]
    of_other = await add_grant(store, account, key=other)

    assert await store.rotate_key(key.id, b"new", NOW + SECOND)

    assert await store.key(key.id) == replace(key, digest=b"new", rotated_at=NOW + SECOND)
    assert [await revoked_at(store, grant) for grant in grants] == [NOW + SECOND] * 2
    assert await revoked_at(store, of_other) is None
    assert await store.key(other.id) == other


async def test_a_deleted_key_is_gone_with_its_tokens(store: Store) -> None:
    account = await add_account(store)
    key, other = await add_key(store, account), await add_key(store, account)
    grant, of_other = await add_grant(store, account, key=key), await add_grant(store, account, key=other)

    assert await store.delete_key(key.id, NOW + SECOND)

    assert await store.key(key.id) is None
    assert await store.keys(account.id) == [other]
    assert await revoked_at(store, grant) == NOW + SECOND
    assert await revoked_at(store, of_other) is None


async def test_rotating_or_deleting_no_key_is_false(store: Store) -> None:
    key = await add_key(store, await add_account(store))
    assert await store.delete_key(key.id, NOW)

    assert not await store.delete_key(key.id, NOW)
    assert not await store.rotate_key(key.id, b"new", NOW)
    assert await store.key(key.id) is None


async def test_a_platforms_own_key_can_be_rotated_and_deleted(store: Store) -> None:
    key = await add_key(store, None)

    assert await store.rotate_key(key.id, b"new", NOW)
    assert await store.delete_key(key.id, NOW)

    assert await store.keys() == []


async def test_the_last_use_of_keys_is_noted_in_every_lane(store: Store) -> None:
    accounts = [await add_account(store, lane_index=lane_index) for lane_index in (1, 2, 63)]
    keys = [await add_key(store, account) for account in (*accounts, None)]
    unused = await add_key(store, accounts[0])

    await store.note_key_uses([key.id for key in keys], NOW + SECOND)
    await store.note_key_uses([], NOW + 2 * SECOND)

    assert [await store.key(key.id) for key in keys] == [replace(key, last_used_at=NOW + SECOND) for key in keys]
    assert await store.key(unused.id) == unused


# -- apps --------------------------------------------------------------------------------------------------------


async def test_an_app_comes_back_as_it_was_kept(store: Store) -> None:
    app = await add_app(store)
    public = replace(app, id=await store.new_id(0), secret_digest=None)
    await store.add_app(public)

    assert await store.app(app.id) == app
    assert await store.app(public.id) == public
    assert await store.apps() == [app, public]


async def test_deleting_an_app_ends_every_token_it_holds_in_every_account(store: Store) -> None:
    app, other = await add_app(store), await add_app(store)
    accounts = [await add_account(store, lane_index=lane_index) for lane_index in (1, 2, 63)]
    grants = [await add_grant(store, account, app=app) for account in accounts]
    of_other = await add_grant(store, accounts[0], app=other)

    assert await store.delete_app(app.id, NOW + SECOND)

    assert await store.app(app.id) is None
    assert await store.apps() == [other]
    assert [await revoked_at(store, grant) for grant in grants] == [NOW + SECOND] * 3
    assert await revoked_at(store, of_other) is None


async def test_deleting_no_app_is_false(store: Store) -> None:
    app = await add_app(store)
    assert await store.delete_app(app.id, NOW)

    assert not await store.delete_app(app.id, NOW)


# -- codes -------------------------------------------------------------------------------------------------------


async def test_a_code_comes_back_as_it_was_kept(store: Store) -> None:
    code = await add_code(store, await add_account(store), await add_app(store))

    assert await store.code(code.id) == code
    assert await store.code(code.id + 64) is None


async def test_a_code_is_good_once(store: Store) -> None:
    account, app = await add_account(store), await add_app(store)
    code = await add_code(store, account, app)
    first, again = await new_grant(store, account, app=app), await new_grant(store, account, app=app)

    assert await store.redeem_code(code.id, first, NOW + SECOND)
    assert not await store.redeem_code(code.id, again, NOW + 2 * SECOND)

    assert await store.grant(first.id) == first
    assert await store.grant(again.id) is None
    assert await store.code(code.id) == replace(code, used_at=NOW + SECOND)


async def test_a_code_that_does_not_exist_grants_nothing(store: Store) -> None:
    account, app = await add_account(store), await add_app(store)
    grant = await new_grant(store, account, app=app)

    assert not await store.redeem_code(grant.id, grant, NOW)

    assert await store.grant(grant.id) is None


async def test_a_code_that_many_redeem_at_once_is_good_once(store: Store, second: Store) -> None:
    account, app = await add_account(store), await add_app(store)
    code = await add_code(store, account, app)
    grants = [await new_grant(store, account, app=app) for _ in range(8)]

    redeemed = await asyncio.gather(
        *(which.redeem_code(code.id, grant, NOW) for which, grant in zip((store, second) * 4, grants, strict=True))
    )

    assert sum(redeemed) == 1
    assert [await store.grant(grant.id) is not None for grant in grants] == redeemed


# -- grants ------------------------------------------------------------------------------------------------------


async def test_a_grant_comes_back_as_it_was_kept(store: Store) -> None:
    account = await add_account(store)
    of_key = await add_grant(store, account, key=await add_key(store, account))
    bare = replace(await new_grant(store, account), refresh_digest=None, refresh_expires_at=None)
    await store.add_grant(bare)

    assert await store.grant(of_key.id) == of_key
    assert await store.grant(bare.id) == bare


async def test_revoked_and_expired_grants_are_still_there(store: Store) -> None:
    grant = await add_grant(store, await add_account(store))

    await store.revoke_grant(grant.id, NOW + 365 * DAY)

    assert await store.grant(grant.id) == replace(grant, revoked_at=NOW + 365 * DAY)


async def test_revoking_again_does_not_move_the_time(store: Store) -> None:
    grant = await add_grant(store, await add_account(store))

    await store.revoke_grant(grant.id, NOW)
    await store.revoke_grant(grant.id, NOW + DAY)

    assert await revoked_at(store, grant) == NOW


async def test_a_refresh_token_is_good_once(store: Store) -> None:
    account = await add_account(store)
    grant = await add_grant(store, account)
    successor = await new_grant(store, account, family_id=grant.family_id)
    late = await new_grant(store, account, family_id=grant.family_id)

    assert await store.refresh_grant(grant.id, successor, NOW + SECOND)
    assert not await store.refresh_grant(grant.id, late, NOW + 2 * SECOND)

    assert await store.grant(grant.id) == replace(grant, refreshed_at=NOW + SECOND)
    assert await store.grant(successor.id) == successor
    assert await store.grant(late.id) is None


async def test_a_revoked_grant_cannot_be_refreshed(store: Store) -> None:
    account = await add_account(store)
    grant, successor = await add_grant(store, account), await new_grant(store, account)
    await store.revoke_grant(grant.id, NOW)

    assert not await store.refresh_grant(grant.id, successor, NOW)

    assert await store.grant(successor.id) is None


async def test_a_refresh_token_that_many_use_at_once_is_good_once(store: Store, second: Store) -> None:
    account = await add_account(store)
    grant = await add_grant(store, account)
    successors = [await new_grant(store, account, family_id=grant.family_id) for _ in range(8)]

    refreshed = await asyncio.gather(
        *(
            which.refresh_grant(grant.id, successor, NOW)
            for which, successor in zip((store, second) * 4, successors, strict=True)
        )
    )

    assert sum(refreshed) == 1
    assert await count(store, "grants") == 2


async def test_revoking_a_family_ends_every_grant_of_one_consent(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    first = await add_grant(store, account)
    successor = await new_grant(store, account, family_id=first.family_id)
    await store.refresh_grant(first.id, successor, NOW)
    stranger = await add_grant(store, account)
    of_other = await add_grant(store, other, family_id=first.family_id)

    await store.revoke_family(account.id, first.family_id, NOW + SECOND)

    assert await revoked_at(store, first) == await revoked_at(store, successor) == NOW + SECOND
    assert await revoked_at(store, stranger) is None
    assert await revoked_at(store, of_other) is None


# -- what ends at once, ends: whatever happens at the same time -----------------------------------------------------


async def test_no_token_outlives_its_key_however_often_it_is_refreshed_meanwhile(store: Store, second: Store) -> None:
    account = await add_account(store)
    for end in (store.delete_key, lambda key_id, now: store.rotate_key(key_id, b"new", now)):
        key = await add_key(store, account)
        grants = [await add_grant(store, account, key=key) for _ in range(6)]
        successors = [await new_grant(store, account, key=key, family_id=grant.family_id) for grant in grants]

        await asyncio.gather(
            *(second.refresh_grant(old.id, new, NOW) for old, new in zip(grants, successors, strict=True)),
            end(key.id, NOW + SECOND),
        )

        assert await live_grants(store, [grant.id for grant in (*grants, *successors)]) == []


async def test_no_token_outlives_its_family_however_often_it_is_refreshed_meanwhile(
    store: Store, second: Store
) -> None:
    account = await add_account(store)
    for _ in range(5):
        grant = await add_grant(store, account)
        siblings = [await add_grant(store, account, family_id=grant.family_id) for _ in range(3)]
        successors = [await new_grant(store, account, family_id=grant.family_id) for _ in siblings]

        await asyncio.gather(
            *(second.refresh_grant(old.id, new, NOW) for old, new in zip(siblings, successors, strict=True)),
            store.revoke_family(account.id, grant.family_id, NOW + SECOND),
        )

        assert await live_grants(store, [each.id for each in (grant, *siblings, *successors)]) == []


async def test_a_token_of_a_key_that_is_gone_is_born_revoked(store: Store) -> None:
    account = await add_account(store)
    key = await add_key(store, account)
    late = await new_grant(store, account, key=key)
    await store.delete_key(key.id, NOW)

    await store.add_grant(late)

    assert await live_grants(store, [late.id]) == []


async def test_a_token_of_an_app_that_is_gone_is_born_revoked(store: Store) -> None:
    account, app = await add_account(store), await add_app(store)
    code, late = await add_code(store, account, app), await new_grant(store, account, app=app)
    await store.delete_app(app.id, NOW)

    await store.redeem_code(code.id, late, NOW)

    assert await live_grants(store, [late.id]) == []


async def test_a_token_of_an_account_that_is_gone_is_born_revoked(store: Store) -> None:
    account, app = await add_account(store), await add_app(store)
    late = await new_grant(store, account, app=app)
    await store.delete_account(account.id, NOW)

    await store.add_grant(late)

    assert await live_grants(store, [late.id]) == []


async def live_grants(store: Store, ids: list[int]) -> list[int]:
    grants = [await store.grant(id) for id in ids]
    return [grant.id for grant in grants if grant is not None and grant.revoked_at is None]
