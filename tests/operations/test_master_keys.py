"""Master keys on each database: which one is missing, and sealing everything anew."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from conftest import services_on
from hookwright.ambient import MovableClock
from hookwright.core.model import Account, Binding, Endpoint, EndpointChange, SigningSecret, Subscription
from hookwright.engine.intake import GroupCommit
from hookwright.operations import master_keys
from hookwright.operations.accounts import create_account, reveal_signing_secrets
from hookwright.operations.endpoints import Details, open_headers
from hookwright.operations.master_keys import Reencryption, master_key_problem, master_key_uses, reencrypt
from hookwright.operations.own_endpoints import create_own_endpoint
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import new_secret, reveal_secrets
from hookwright.store.base import Resealed, SealedValue, Store
from hookwright.vault import Vault
from older_secrets import sealed_without_key_id

OLD_KEY, NEW_KEY, THIRD_KEY = bytes(32), bytes(range(32)), bytes([7] * 32)
HEADERS = {"authorization": "Bearer of-the-receiver"}


@pytest.fixture
def before(store: Store, clock: MovableClock) -> Services:
    """With the old key alone."""
    return services_on(store, clock, GroupCommit(store))


@pytest.fixture
def during(before: Services) -> Services:
    """With the new key before the old one."""
    return replace(before, vault=Vault(NEW_KEY, OLD_KEY))


@pytest.fixture
def after(before: Services) -> Services:
    """With the new key alone."""
    return replace(before, vault=Vault(NEW_KEY))


async def endpoint_with_headers(services: Services, account: Account) -> Endpoint:
    wanted = [Subscription("contact.created")]
    made = await create_own_endpoint(services, account.id, "http://127.0.0.1:9/", wanted, Details(headers=HEADERS))
    return made.endpoint


async def problem_of(services: Services) -> str | None:
    return await master_key_problem(services.store, services.vault, services.clock)


async def test_everything_is_sealed_anew_and_still_opens(before: Services, during: Services, after: Services) -> None:
    accounts = [await create_account(before, f"Account {number}") for number in range(5)]
    endpoints = [await endpoint_with_headers(before, each.account) for each in accounts]
    with pytest.raises(ValueError, match="another master key"):
        await reveal_signing_secrets(after, accounts[0].account.id)

    assert await reencrypt(during) == Reencryption(resealed=15)
    assert await reencrypt(during) == Reencryption()

    for new, endpoint in zip(accounts, endpoints, strict=True):
        assert await reveal_signing_secrets(after, new.account.id) == [new.signing_secret]
        assert len(await reveal_secrets(after, new.account.id, endpoint.id)) == 1
        kept = await after.store.endpoint(new.account.id, endpoint.id)
        assert kept is not None
        assert (open_headers(after, kept), kept.updated_at) == (HEADERS, endpoint.updated_at)


async def test_a_dry_run_counts_and_changes_nothing(before: Services, during: Services) -> None:
    account = (await create_account(before, "Ada")).account
    await endpoint_with_headers(before, account)
    counts = await before.store.sealed_counts()

    assert await reencrypt(during, dry_run=True) == Reencryption(resealed=3)

    assert await before.store.sealed_counts() == counts


async def test_it_can_be_stopped_and_goes_on_where_it_was(
    before: Services, during: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_keys, "BATCH", 2)
    account = (await create_account(before, "Ada")).account
    for _ in range(5):
        await endpoint_with_headers(before, account)

    def stop(done: Reencryption) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reencrypt(during, on_progress=stop)
    steps: list[Reencryption] = []
    assert await reencrypt(during, on_progress=steps.append) == Reencryption(resealed=9)
    assert [step.resealed for step in steps] == [2, 4, 6, 8, 9]


async def test_what_was_sealed_before_there_were_key_ids_gets_one(before: Services, during: Services) -> None:
    account = (await create_account(before, "Ada")).account
    secret, _ = await new_secret(before, account.id, None)
    older = sealed_without_key_id(OLD_KEY, account.id, b"k" * 32)
    kept = SigningSecret(
        id=secret.id, account_id=account.id, endpoint_id=None, sealed=older, created_at=secret.created_at + 1
    )
    assert await before.store.rotate_signing_secret(kept, before.clock.now())
    assert [use.key_id for use in await master_key_uses(before)] == [before.vault.key_ids[0], None]

    assert await reencrypt(before) == Reencryption(resealed=1)

    assert [use.counts for use in await master_key_uses(before)] == [{"signing secret": 2}]
    assert len(await reveal_signing_secrets(before, account.id)) == 1


async def test_what_does_not_open_is_counted_and_left_alone(before: Services, during: Services) -> None:
    stranger = replace(before, vault=Vault(THIRD_KEY))
    lost = await create_account(stranger, "Lost")
    mine = await create_account(before, "Mine")

    assert await reencrypt(during) == Reencryption(resealed=1, unopened=1)

    assert await reveal_signing_secrets(stranger, lost.account.id) == [lost.signing_secret]
    assert await reveal_signing_secrets(during, mine.account.id) == [mine.signing_secret]


async def test_headers_that_change_at_the_same_time_are_not_lost(before: Services, during: Services) -> None:
    account = (await create_account(before, "Ada")).account
    endpoint = await endpoint_with_headers(before, account)
    store = before.store
    binding = Binding("headers", account.id, endpoint.id)
    assert endpoint.sealed_headers is not None
    as_read = SealedValue(binding, endpoint.id, endpoint.sealed_headers)
    newer = during.vault.seal(binding, b'{"x-newer":"1"}')
    await store.change_endpoint(account.id, endpoint.id, EndpointChange(sealed_headers=newer), 1)

    late = Resealed(as_read, during.vault.seal(binding, b"{}"))
    assert await store.reseal(endpoint.id % store.lane_count, [late]) == 0

    kept = await store.endpoint(account.id, endpoint.id)
    assert kept is not None
    assert open_headers(during, kept) == {"x-newer": "1"}


async def test_the_use_of_each_key_is_counted(before: Services, during: Services) -> None:
    account = (await create_account(before, "Ada")).account
    await endpoint_with_headers(before, account)
    await create_account(during, "Grace")

    new, old = during.vault.key_ids
    uses = {use.key_id: (use.seals, use.configured, use.counts) for use in await master_key_uses(during)}
    assert uses == {
        new: (True, True, {"signing secret": 1}),
        old: (False, True, {"signing secret": 2, "headers": 1}),
    }


# -- at the start of a server ----------------------------------------------------------------------------------


async def test_a_server_starts_with_the_key_it_had_and_with_a_new_one_before_it(
    before: Services, during: Services
) -> None:
    assert await problem_of(before) is None
    await create_account(before, "Ada")
    assert [await problem_of(services) for services in (before, during, before, during)] == [None] * 4


async def test_a_server_that_lacks_a_key_is_told_which(before: Services, during: Services, after: Services) -> None:
    await problem_of(before)
    await create_account(before, "Ada")
    problem = await problem_of(after)
    assert problem is not None
    assert before.vault.key_ids[0] in problem
    assert after.vault.key_ids[0] in problem
    assert await problem_of(during) is None


async def test_a_key_may_go_once_nothing_is_left_that_it_sealed(
    before: Services, during: Services, after: Services
) -> None:
    for services in (before, during):
        await problem_of(services)
        await create_account(services, "Ada")
    await reencrypt(during)
    assert await problem_of(after) is None
    assert await during.store.master_key_ids() == [after.vault.key_ids[0]]


async def test_a_key_that_never_sealed_anything_may_be_replaced(before: Services, after: Services) -> None:
    assert await problem_of(before) is None
    assert await problem_of(after) is None
    assert await after.store.master_key_ids() == [after.vault.key_ids[0]]


@pytest.mark.parametrize(("keys", "serves"), [([OLD_KEY], True), ([NEW_KEY, OLD_KEY], True), ([NEW_KEY], False)])
async def test_a_database_from_before_keys_were_noted_needs_its_key(
    before: Services, keys: Sequence[bytes], serves: bool
) -> None:
    account = (await create_account(before, "Ada")).account
    [secret] = await before.store.signing_secrets(account.id, None, 0)
    older = Resealed(
        SealedValue(secret.binding, secret.id, secret.sealed), sealed_without_key_id(OLD_KEY, account.id, b"k" * 32)
    )
    assert await before.store.reseal(account.id % before.store.lane_count, [older]) == 1
    problem = await problem_of(replace(before, vault=Vault(*keys)))
    assert (problem is None) is serves
