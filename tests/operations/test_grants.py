"""Tokens and keys: single use, reuse detection, and the end of a key."""

import asyncio

import pytest

from hookwright.ambient import MovableClock
from hookwright.core.errors import NotFound, Unauthorized
from hookwright.core.model import Account
from hookwright.operations.grants import (
    GrantRequest,
    TokenRefused,
    Tokens,
    authenticate_access,
    authenticate_refresh,
    issue_tokens,
    refresh_tokens,
    revoke_token,
)
from hookwright.operations.keys import (
    authenticate_client,
    authenticate_key,
    client_id_of,
    create_key,
    delete_key,
    rotate_key,
)
from hookwright.operations.services import Services


async def kit_tokens(services: Services, account: Account) -> Tokens:
    return await issue_tokens(services, GrantRequest("kit", account.id, ("public",), 3600))


async def fault_of(services: Services, token: str) -> str:
    with pytest.raises(TokenRefused) as refusal:
        await authenticate_access(services, "kit", token)
    return refusal.value.fault


async def test_an_access_token_says_whose_it_is(services: Services, account: Account) -> None:
    tokens = await kit_tokens(services, account)
    grant = await authenticate_access(services, "kit", tokens.access)
    assert (grant.account_id, grant.scopes) == (account.id, ("public",))


async def test_an_access_token_ends_with_its_lifetime(
    services: Services, account: Account, clock: MovableClock
) -> None:
    tokens = await kit_tokens(services, account)
    clock.move(seconds=3600)
    assert await fault_of(services, tokens.access) == "expired"


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text + "0", lambda text: "x" + text])
async def test_a_token_that_was_changed_is_invalid(services: Services, account: Account, change) -> None:  # type: ignore[no-untyped-def]
    tokens = await kit_tokens(services, account)
    assert await fault_of(services, change(tokens.access)) == "invalid"


async def test_the_tokens_of_one_dialect_are_nothing_to_another(services: Services, account: Account) -> None:
    tokens = await kit_tokens(services, account)
    with pytest.raises(TokenRefused):
        await authenticate_access(services, "kajabi", tokens.access)
    assert tokens.refresh is not None
    assert await fault_of(services, tokens.refresh) == "invalid"


async def test_revoking_either_token_ends_both(services: Services, account: Account) -> None:
    for which in ("access", "refresh"):
        tokens = await kit_tokens(services, account)
        await revoke_token(services, "kit", getattr(tokens, which))
        assert await fault_of(services, tokens.access) == "revoked"
        with pytest.raises(TokenRefused):
            await authenticate_refresh(services, "kit", tokens.refresh or "")


async def test_a_refresh_token_is_good_for_one_refresh_and_its_reuse_ends_the_family(
    services: Services, account: Account
) -> None:
    first = await kit_tokens(services, account)
    spent = await authenticate_refresh(services, "kit", first.refresh or "")
    second = await refresh_tokens(services, spent, 3600)
    assert (await authenticate_access(services, "kit", second.access)).family_id == first.grant.family_id
    with pytest.raises(TokenRefused) as refusal:
        await refresh_tokens(services, spent, 3600)
    assert refusal.value.fault == "spent"
    assert await fault_of(services, second.access) == "revoked"


async def test_of_many_refreshes_at_once_one_succeeds(services: Services, account: Account) -> None:
    first = await kit_tokens(services, account)
    spent = await authenticate_refresh(services, "kit", first.refresh or "")
    answers = await asyncio.gather(
        *(refresh_tokens(services, spent, 3600) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, Tokens) for answer in answers) == 1


async def test_rotating_a_key_ends_its_old_secret_and_its_tokens_at_once(
    services: Services, account: Account
) -> None:
    key, secret = await create_key(services, "kajabi", account.id, "key", ["owner"])
    tokens = await issue_tokens(services, GrantRequest("kajabi", account.id, ("owner",), 3600, key_id=key.id))
    _, new_secret = await rotate_key(services, key.id)
    with pytest.raises(TokenRefused):
        await authenticate_access(services, "kajabi", tokens.access)
    with pytest.raises(Unauthorized):
        await authenticate_client(services, client_id_of(key), secret)
    assert (await authenticate_client(services, client_id_of(key), new_secret)).id == key.id


async def test_a_deleted_key_is_gone(services: Services, account: Account) -> None:
    key, secret = await create_key(services, "kit", account.id, "key", [])
    assert (await authenticate_key(services, "kit", secret)).id == key.id
    await delete_key(services, key.id)
    with pytest.raises(Unauthorized):
        await authenticate_key(services, "kit", secret)
    with pytest.raises(NotFound):
        await delete_key(services, key.id)


async def test_a_key_of_one_kind_is_nothing_to_another(services: Services, account: Account) -> None:
    _, secret = await create_key(services, "kit", account.id, "key", [])
    with pytest.raises(Unauthorized):
        await authenticate_key(services, "hookwright", secret)
