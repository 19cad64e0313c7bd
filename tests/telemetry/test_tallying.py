"""Counting for the charts: by account, minute and hour, and for the whole platform."""

from hookwright.core.errors import Conflict
from hookwright.core.model import HOUR, MINUTE, Accepted
from hookwright.core.tallies import HOUR_SLOT, MINUTE_SLOT, WHOLE_PLATFORM, Tally
from hookwright.engine.upkeep import keep_tallies
from hookwright.store.base import Store
from hookwright.telemetry.tallying import Tallying
from store.given import NOW, accept_one, add_account, add_endpoint, claim_one, draft, settled

BEGAN = NOW - NOW % MINUTE


async def test_events_and_attempts_are_counted_and_kept(sqlite_store: Store) -> None:
    account = await add_account(sqlite_store)
    await add_endpoint(sqlite_store, account)
    one = draft(account)
    tallying = Tallying()
    tallying.published(
        [one, one, one], [await accept_one(sqlite_store, one), Accepted("", 0, duplicate=True), Conflict("")]
    )
    claim = await claim_one(sqlite_store)
    tallying.attempted([settled(claim), settled(claim, "dead")])
    assert await keep_tallies(sqlite_store, tallying) == 4
    assert await keep_tallies(sqlite_store, tallying) == 0
    for owner in (account.id, WHOLE_PLATFORM):
        for slot, began_at in ((MINUTE_SLOT, BEGAN), (HOUR_SLOT, NOW - NOW % HOUR)):
            (kept,) = await sqlite_store.tallies(owner, slot, 0)
            assert kept == Tally(
                account_id=owner, slot_seconds=slot, began_at=began_at, published=1, delivered=1, failed=1
            )


def test_what_could_not_be_written_is_counted_the_next_time(sqlite_store: Store) -> None:
    tallying = Tallying()
    tallying.give_back([Tally(account_id=64, slot_seconds=MINUTE_SLOT, began_at=BEGAN, published=2)])
    taken = tallying.take()
    tallying.give_back(taken)
    assert tallying.take() == taken
    assert [tally.published for tally in taken] == [2] * 4
