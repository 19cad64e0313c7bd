"""The keyring remembers what it opened, and never lends it to another account."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from engine.harness import DIALECT, Engine, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.model import SECOND, Binding, Claim, Instant, SigningSecret, Subscription
from hookwright.core.signing import encode_secret
from hookwright.engine.keyring import Keyring
from hookwright.operations.accounts import create_account, rotate_signing_secret
from hookwright.operations.endpoints import Details, create_signed_endpoint
from hookwright.store.base import Store


@pytest.fixture
async def engine(sqlite_store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    async with running_engine(sqlite_store, clock) as engine:
        yield engine


@pytest.fixture
def keyring(engine: Engine) -> Keyring:
    return Keyring(engine.store, engine.services.vault, engine.clock)


async def claim_of(engine: Engine) -> Claim:
    await engine.endpoint()
    await engine.publish()
    now = engine.clock.now()
    [claim] = await engine.store.claim(1, now, now + 10 * SECOND)
    return claim


async def test_a_new_key_signs_a_second_later_at_the_latest(engine: Engine, keyring: Keyring) -> None:
    [old] = await keyring.keys_of(engine.account.id)
    new = await rotate_signing_secret(engine.services, engine.account.id)
    assert await keyring.keys_of(engine.account.id) == (old,)
    engine.clock.move(seconds=1)
    keys = await keyring.keys_of(engine.account.id)
    assert [encode_secret(key.key) for key in keys] == [new, engine.new_account.signing_secret]


async def test_custom_headers_that_are_remembered_open_for_their_endpoint_alone(
    engine: Engine, keyring: Keyring
) -> None:
    claim = await claim_of(engine)
    binding = Binding("headers", engine.account.id, claim.endpoint_id)
    sealed = engine.services.vault.seal(binding, b'{"x-tenant":"1"}')
    claim = msgspec.structs.replace(claim, sealed_headers=sealed)
    for _ in range(2):
        assert keyring.custom_headers(claim) == {"x-tenant": "1"}
    with pytest.raises(ValueError, match="sealed for another row"):
        keyring.custom_headers(msgspec.structs.replace(claim, account_id=claim.account_id + 64))
    with pytest.raises(ValueError, match="sealed for another row"):
        keyring.custom_headers(msgspec.structs.replace(claim, endpoint_id=claim.endpoint_id + 64))


async def test_changed_custom_headers_are_the_next_that_are_sent(engine: Engine, keyring: Keyring) -> None:
    claim = await claim_of(engine)
    assert keyring.custom_headers(claim) == {}
    for tenant in ("1", "2"):
        headers = {"x-tenant": tenant}
        binding = Binding("headers", engine.account.id, claim.endpoint_id)
        sealed = engine.services.vault.seal(binding, msgspec.json.encode(headers))
        assert keyring.custom_headers(msgspec.structs.replace(claim, sealed_headers=sealed)) == headers


async def test_many_endpoints_that_ask_together_are_looked_up_together(engine: Engine, keyring: Keyring) -> None:
    wanted = [Subscription("contact.created")]
    made = [
        await create_signed_endpoint(
            engine.services, engine.account.id, DIALECT, f"{engine.receiver.url}/{number}", wanted, Details()
        )
        for number in range(20)
    ]
    ids = [each.endpoint.id for each in made]
    asked: list[int] = []
    look_up = engine.store.signing_secrets_of

    async def counted(account_id: int, endpoint_ids: Sequence[int], now: Instant) -> dict[int, list[SigningSecret]]:
        asked.append(len(endpoint_ids))
        return await look_up(account_id, endpoint_ids, now)

    engine.store.signing_secrets_of = counted  # type: ignore[method-assign]
    found = await asyncio.gather(*(keyring.keys_of(engine.account.id, id) for id in [*ids, *ids]))
    assert [[key.secret for key in keys] for keys in found] == [[each.signing_secret] for each in [*made, *made]]
    assert asked == [20]


async def test_an_account_whose_keys_take_long_to_look_up_holds_up_no_other(engine: Engine, keyring: Keyring) -> None:
    other = await create_account(engine.services, "Grace")
    look_up, answered = engine.store.signing_secrets, asyncio.Event()

    async def slow_for_one(account_id: int, endpoint_id: int | None, now: Instant) -> list[SigningSecret]:
        if account_id == engine.account.id:
            await answered.wait()
        return await look_up(account_id, endpoint_id, now)

    engine.store.signing_secrets = slow_for_one  # type: ignore[method-assign]
    slow = asyncio.create_task(keyring.keys_of(engine.account.id))
    async with asyncio.timeout(5):
        assert [key.secret for key in await keyring.keys_of(other.account.id)] == [other.signing_secret]
    assert not slow.done()
    answered.set()
    assert [key.secret for key in await slow] == [engine.new_account.signing_secret]


async def test_an_endpoint_without_a_secret_has_no_keys(engine: Engine, keyring: Keyring) -> None:
    endpoint = await engine.endpoint()
    assert await keyring.keys_of(engine.account.id, endpoint.id) == ()
