"""Tokens and keys: single use, reuse detection, and the end of a key."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hookwright.ambient import MovableClock
from hookwright.core.errors import NotFound, Unauthorized
from hookwright.core.model import MINUTE, Account, Key, OAuthCode
from hookwright.operations.apps import create_app
from hookwright.operations.audit import actor_with
from hookwright.operations.codes import find_code, issue_code
from hookwright.operations.grants import (
    GrantRequest,
    TokenRefused,
    Tokens,
    authenticate_access,
    authenticate_refresh,
    issue_tokens,
    redeem_code,
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


def with_key(key: Key) -> GrantRequest:
    assert key.account_id is not None
    return GrantRequest("kajabi", key.account_id, ("owner",), 3600, key_id=key.id, key_digest=key.digest)


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
    assert await fault_of(services, tokens.refresh) == "invalid"


async def test_revoking_either_token_ends_both(services: Services, account: Account) -> None:
    for which in ("access", "refresh"):
        tokens = await kit_tokens(services, account)
        await revoke_token(services, "kit", getattr(tokens, which))
        assert await fault_of(services, tokens.access) == "revoked"
        with pytest.raises(TokenRefused):
            await authenticate_refresh(services, "kit", tokens.refresh)


async def test_a_refresh_token_is_good_for_one_refresh_and_its_reuse_ends_the_family(
    services: Services, account: Account
) -> None:
    first = await kit_tokens(services, account)
    spent = await authenticate_refresh(services, "kit", first.refresh)
    second = await refresh_tokens(services, spent, 3600)
    assert (await authenticate_access(services, "kit", second.access)).family_id == first.grant.family_id
    with pytest.raises(TokenRefused) as refusal:
        await refresh_tokens(services, spent, 3600)
    assert refusal.value.fault == "spent"
    assert await fault_of(services, second.access) == "revoked"


async def test_of_many_refreshes_at_once_one_succeeds(services: Services, account: Account) -> None:
    first = await kit_tokens(services, account)
    spent = await authenticate_refresh(services, "kit", first.refresh)
    answers = await asyncio.gather(
        *(refresh_tokens(services, spent, 3600) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, Tokens) for answer in answers) == 1


async def test_rotating_a_key_ends_its_old_secret_and_its_tokens_at_once(
    services: Services, account: Account
) -> None:
    key, secret = await create_key(services, "kajabi", account.id, "key", ["owner"])
    tokens = await issue_tokens(services, with_key(key))
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


async def fault_of_refresh(services: Services, tokens: Tokens) -> str:
    with pytest.raises(TokenRefused) as refusal:
        await authenticate_refresh(services, tokens.grant.kind, tokens.refresh)
    return refusal.value.fault


async def test_a_secret_that_was_shown_before_its_rotation_grants_nothing_after_it(
    services: Services, account: Account
) -> None:
    new = await create_key(services, "kajabi", account.id, "key", ["owner"])
    shown = await authenticate_client(services, client_id_of(new.key), new.secret)
    await rotate_key(services, new.key.id)
    tokens = await issue_tokens(services, with_key(shown))
    with pytest.raises(TokenRefused):
        await authenticate_access(services, "kajabi", tokens.access)
    assert await fault_of_refresh(services, tokens) == "revoked"


async def test_a_refresh_that_was_under_way_when_its_key_was_rotated_grants_nothing(
    services: Services, account: Account
) -> None:
    new = await create_key(services, "kajabi", account.id, "key", ["owner"])
    first = await issue_tokens(services, with_key(new.key))
    spent = await authenticate_refresh(services, "kajabi", first.refresh)
    await rotate_key(services, new.key.id)
    with pytest.raises(TokenRefused):
        await refresh_tokens(services, spent, 3600)


async def consent(services: Services, key: Key) -> OAuthCode:
    """What a person with a Kit key gives an app."""
    assert key.account_id is not None
    app = (await create_app(services, "App", ["https://app.example.com/back"], False)).app
    person = services.on_behalf_of(actor_with(key, "kit"))
    text = await issue_code(person, app, key.account_id, app.redirect_uris[0], None, "public")
    code = await find_code(services, text)
    assert code is not None
    return code


async def tokens_for(services: Services, code: OAuthCode) -> Tokens:
    tokens = await redeem_code(services, code, 3600)
    assert tokens is not None
    return tokens


@pytest.mark.parametrize("end", [delete_key, rotate_key])
async def test_what_a_consent_bought_ends_with_the_key_that_it_was_given_with(
    services: Services, account: Account, end: Callable[[Services, int], Awaitable[object]]
) -> None:
    new = await create_key(services, "kit", account.id, "key", [])
    tokens = await tokens_for(services, await consent(services, new.key))
    renewed = await refresh_tokens(
        services, await authenticate_refresh(services, "kit", tokens.refresh), access_seconds=3600
    )
    assert (await authenticate_access(services, "kit", renewed.access)).key_id == new.key.id
    await end(services, new.key.id)
    for each in (tokens, renewed):
        assert await fault_of(services, each.access) == "revoked"
        assert await fault_of_refresh(services, each) == "revoked"


@pytest.mark.parametrize("end", [delete_key, rotate_key])
async def test_a_consent_whose_key_ended_before_it_was_redeemed_buys_nothing(
    services: Services, account: Account, end: Callable[[Services, int], Awaitable[object]]
) -> None:
    new = await create_key(services, "kit", account.id, "key", [])
    code = await consent(services, new.key)
    await end(services, new.key.id)
    tokens = await tokens_for(services, code)
    assert await fault_of(services, tokens.access) == "revoked"
    assert await fault_of_refresh(services, tokens) == "revoked"


async def test_no_token_outlives_the_key_that_its_consent_was_given_with(
    services: Services, account: Account, clock: MovableClock
) -> None:
    ends = clock.now() + MINUTE
    new = await create_key(services, "kit", account.id, "key", [], expires_at=ends)
    tokens = await tokens_for(services, await consent(services, new.key))
    assert tokens.expires_in_seconds == 60
    clock.move(seconds=60)
    assert await fault_of(services, tokens.access) == "expired"
    assert await fault_of_refresh(services, tokens) == "expired"
