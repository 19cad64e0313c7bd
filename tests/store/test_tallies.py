"""Tallies and the other numbers of home."""

from hookwright.core.model import HOUR, MINUTE
from hookwright.core.sessions import Session
from hookwright.core.tallies import HOUR_SLOT, MINUTE_SLOT, WHOLE_PLATFORM, Tally
from hookwright.store.base import Store
from store.given import NOW, add_account, add_delivery, add_endpoint, add_key, claim_one, settled


def tally(account_id: int, began_at: int = NOW, slot_seconds: int = MINUTE_SLOT, published: int = 1) -> Tally:
    return Tally(
        account_id=account_id,
        slot_seconds=slot_seconds,
        began_at=began_at,
        published=published,
        delivered=2,
        failed=3,
    )


async def test_what_is_counted_in_a_slot_adds_up(store: Store) -> None:
    account = await add_account(store)
    await store.add_tallies([tally(account.id), tally(WHOLE_PLATFORM)])
    await store.add_tallies([tally(account.id, published=4), tally(account.id, NOW + MINUTE)])
    assert await store.tallies(account.id, MINUTE_SLOT, NOW) == [
        Tally(account_id=account.id, slot_seconds=60, began_at=NOW, published=5, delivered=4, failed=6),
        tally(account.id, NOW + MINUTE),
    ]
    assert await store.tallies(WHOLE_PLATFORM, MINUTE_SLOT, NOW) == [tally(WHOLE_PLATFORM)]
    assert await store.tallies(account.id, MINUTE_SLOT, NOW + 1) == [tally(account.id, NOW + MINUTE)]
    assert await store.tallies(account.id, HOUR_SLOT, NOW) == []


async def test_many_accounts_are_counted_in_one_step(store: Store) -> None:
    await store.add_tallies([tally(64 * number + 5 % store.lane_count) for number in range(1, 1_203)])
    assert await store.tallies(64 + 5 % store.lane_count, MINUTE_SLOT, NOW)


async def test_old_slots_are_forgotten(store: Store) -> None:
    kept = [tally(64, NOW, slot) for slot in (MINUTE_SLOT, HOUR_SLOT)]
    await store.add_tallies([*kept, *(tally(64, NOW - HOUR, slot) for slot in (MINUTE_SLOT, HOUR_SLOT))])
    await store.prune_tallies(NOW, NOW - 2 * HOUR)
    assert await store.tallies(64, MINUTE_SLOT, 0) == kept[:1]
    assert len(await store.tallies(64, HOUR_SLOT, 0)) == 2
    await store.prune_tallies(NOW, NOW)
    assert await store.tallies(64, HOUR_SLOT, 0) == kept[1:]


async def test_what_failed_and_what_is_due_is_told_of_an_account_and_of_all(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    endpoint = await add_endpoint(store, account)
    assert await store.oldest_due_at(None, NOW) is None
    await add_delivery(store, endpoint)
    assert await store.oldest_due_at(None, NOW) == await store.oldest_due_at(account.id, NOW) == NOW
    assert await store.oldest_due_at(other.id, NOW) is None
    claimed = await claim_one(store)
    await store.settle([settled(claimed, "dead")], NOW)
    assert [await store.count_failed(each, 10) for each in (None, account.id, other.id)] == [1, 1, 0]
    assert await store.count_failed(None, 0) == 0


async def test_endpoints_in_trouble_are_those_that_fail_or_are_disabled(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    failing, disabled, _ = [await add_endpoint(store, account) for _ in range(3)]
    await store.set_endpoint_status(account.id, disabled.id, "disabled", "gone", NOW)
    await store.set_endpoint_status(account.id, failing.id, "paused", None, NOW)
    assert [each.id for each in await store.endpoints_in_trouble(None, 10)] == [disabled.id]
    assert [each.id for each in await store.endpoints_in_trouble(account.id, 10)] == [disabled.id]
    assert await store.endpoints_in_trouble(other.id, 10) == []
    await store.delete_endpoint(account.id, disabled.id, NOW)
    assert await store.endpoints_in_trouble(None, 10) == []


async def test_a_session_is_kept_noted_and_forgotten(store: Store) -> None:
    key = await add_key(store, None)
    session = Session(
        id=await store.new_id(0), key_id=key.id, key_digest=key.digest, digest=b"digest", created_at=NOW, seen_at=NOW
    )
    await store.add_session(session)
    assert await store.session(session.id) == session
    await store.note_session(session.id, NOW + MINUTE)
    await store.note_session(session.id, NOW)
    kept = await store.session(session.id)
    assert kept is not None
    assert kept.seen_at == NOW + MINUTE
    await store.prune_sessions(NOW + MINUTE)
    assert await store.session(session.id) is not None
    await store.prune_sessions(NOW + MINUTE + 1)
    assert await store.session(session.id) is None
    await store.add_session(session)
    await store.delete_session(session.id)
    assert await store.session(session.id) is None
