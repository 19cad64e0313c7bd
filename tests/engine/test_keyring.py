"""The keyring remembers what it opened, and never lends it to another account."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from msgspec.structs import replace as changed

from engine.harness import DIALECT, Engine, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.errors import Unavailable
from hookwright.core.model import SECOND, Binding, Claim, Instant, SigningSecret, Subscription
from hookwright.core.signing import encode_secret
from hookwright.engine.keyring import Keyring
from hookwright.operations.accounts import create_account, rotate_signing_secret
from hookwright.operations.endpoints import Details, create_signed_endpoint
from hookwright.store.base import SecretOwner, Store


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

    async def counted(owners: Sequence[SecretOwner], now: Instant) -> dict[SecretOwner, list[SigningSecret]]:
        asked.append(len(owners))
        return await look_up(owners, now)

    engine.store.signing_secrets_of = counted  # type: ignore[method-assign]
    found = await asyncio.gather(*(keyring.keys_of(engine.account.id, id) for id in [*ids, *ids]))
    assert [[key.secret for key in keys] for keys in found] == [[each.signing_secret] for each in [*made, *made]]
    assert asked == [20]


async def test_one_key_too_many_pushes_out_the_oldest_alone(
    engine: Engine, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.engine.keyring.MAX_REMEMBERED", 2)
    accounts = [engine.account.id, *[(await create_account(engine.services, name)).account.id for name in "ab"]]
    old = [await keyring.keys_of(account_id) for account_id in accounts]
    for account_id in accounts:
        await rotate_signing_secret(engine.services, account_id)
    assert [await keyring.keys_of(account_id) for account_id in accounts[1:]] == old[1:]
    assert len(await keyring.keys_of(accounts[0])) == 2


async def test_an_account_whose_keys_take_long_to_look_up_holds_up_no_other(engine: Engine, keyring: Keyring) -> None:
    other = await create_account(engine.services, "Grace")
    look_up, answered = engine.store.signing_secrets_of, asyncio.Event()

    async def slow_for_one(owners: Sequence[SecretOwner], now: Instant) -> dict[SecretOwner, list[SigningSecret]]:
        if (engine.account.id, None) in owners:
            await answered.wait()
        return await look_up(owners, now)

    engine.store.signing_secrets_of = slow_for_one  # type: ignore[method-assign]
    slow = asyncio.create_task(keyring.keys_of(engine.account.id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # it is being looked up
    async with asyncio.timeout(5):
        assert [key.secret for key in await keyring.keys_of(other.account.id)] == [other.signing_secret]
    assert not slow.done()
    answered.set()
    assert [key.secret for key in await slow] == [engine.new_account.signing_secret]


async def test_keys_that_are_expected_are_looked_up_together_and_are_at_hand_then(
    engine: Engine, keyring: Keyring
) -> None:
    others = [await create_account(engine.services, name) for name in ("Grace", "Mary")]
    owners: list[SecretOwner] = [(new.account.id, None) for new in (engine.new_account, *others)]
    asked: list[int] = []
    look_up = engine.store.signing_secrets_of

    async def counted(owners: Sequence[SecretOwner], now: Instant) -> dict[SecretOwner, list[SigningSecret]]:
        asked.append(len(owners))
        return await look_up(owners, now)

    engine.store.signing_secrets_of = counted  # type: ignore[method-assign]
    keyring.expect([*owners, *owners])
    found = await asyncio.gather(*(keyring.keys_of(*owner) for owner in owners))
    keyring.expect(owners)
    assert [key.secret for [key] in found] == [new.signing_secret for new in (engine.new_account, *others)]
    assert asked == [3]


async def test_a_secret_that_does_not_open_is_its_owners_trouble_alone(engine: Engine, keyring: Keyring) -> None:
    other = await create_account(engine.services, "Grace")
    foreign = changed(
        (await engine.store.signing_secrets(other.account.id, None, engine.clock.now()))[0],
        id=await engine.store.new_id(engine.account.id),
        account_id=engine.account.id,
    )
    await engine.store.rotate_signing_secret(foreign, engine.clock.now() + SECOND)
    keyring.expect([(engine.account.id, None), (other.account.id, None)])
    with pytest.raises(ValueError, match="sealed for another row"):
        await keyring.keys_of(engine.account.id)
    assert [key.secret for key in await keyring.keys_of(other.account.id)] == [other.signing_secret]


async def test_an_outage_is_told_to_whoever_waits_for_keys_and_the_next_look_up_may_do_better(
    engine: Engine, keyring: Keyring
) -> None:
    look_up = engine.store.signing_secrets_of

    async def fail(owners: Sequence[SecretOwner], now: Instant) -> dict[SecretOwner, list[SigningSecret]]:
        raise Unavailable("gone")

    engine.store.signing_secrets_of = fail  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="gone"):
        await keyring.keys_of(engine.account.id)
    engine.store.signing_secrets_of = look_up  # type: ignore[method-assign]
    assert len(await keyring.keys_of(engine.account.id)) == 1


async def test_an_endpoint_without_a_secret_has_no_keys(engine: Engine, keyring: Keyring) -> None:
    endpoint = await engine.endpoint()
    assert await keyring.keys_of(engine.account.id, endpoint.id) == ()
