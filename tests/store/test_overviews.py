"""What pages about endpoints read: the newest of one account or of all, what they want, how their attempts went."""

from msgspec.structs import replace

from hookwright.core.model import SECOND, Endpoint, Subscription
from hookwright.store.base import Store
from store.given import LANE_INDEX, NOW, add_account, add_delivery, add_endpoint, claim_one, deliver, settled


async def endpoints_of_three_accounts(store: Store) -> list[Endpoint]:
    """Two endpoints each, in three lanes where there are several, in the order of their ids from the highest."""
    made = []
    for number in range(3):
        account = await add_account(store, lane_index=LANE_INDEX + number)
        made += [await add_endpoint(store, account, Subscription(f"event.{place}")) for place in range(2)]
    return sorted(made, key=lambda endpoint: -endpoint.id)


async def test_the_newest_endpoints_are_those_of_one_account_or_of_all(store: Store) -> None:
    every = await endpoints_of_three_accounts(store)
    assert [each.id for each in await store.newest_endpoints(None, None, 10)] == [each.id for each in every]
    own = [each.id for each in every if each.account_id == every[0].account_id]
    assert [each.id for each in await store.newest_endpoints(every[0].account_id, None, 10)] == own


async def test_the_newest_endpoints_come_in_pages_without_those_that_are_deleted(store: Store) -> None:
    every = await endpoints_of_three_accounts(store)
    await store.delete_endpoint(every[1].account_id, every[1].id, NOW)
    first = await store.newest_endpoints(None, None, 2)
    assert [each.id for each in first] == [every[0].id, every[2].id]
    rest = await store.newest_endpoints(None, first[-1].id, 10)
    assert [each.id for each in rest] == [each.id for each in every[3:]]
    account_id = every[0].account_id
    of_one = await store.newest_endpoints(account_id, every[0].id, 10)
    assert [each.id for each in of_one] == [e.id for e in every[2:] if e.account_id == account_id]


async def test_subscriptions_of_endpoints_of_many_accounts_are_found_together(store: Store) -> None:
    every = await endpoints_of_three_accounts(store)
    await store.delete_endpoint(every[0].account_id, every[0].id, NOW)
    found = await store.subscriptions_of([each.id for each in every])
    assert found == {every[0].id: ()} | {each.id: each.subscriptions for each in every[1:]}
    assert await store.subscriptions_of([]) == {}


async def test_the_latest_outcomes_are_those_of_the_newest_tried_deliveries_oldest_first(store: Store) -> None:
    endpoint = await add_endpoint(store, await add_account(store))
    other = await add_endpoint(store, await add_account(store))
    for number in range(3):
        now = NOW + number * SECOND
        delivery = await add_delivery(store, endpoint, now)
        claimed = await claim_one(store, now)
        came_to = settled(claimed, "delivered" if number else "dead")
        came_to = replace(came_to, outcome=replace(came_to.outcome, started_at=now))
        assert await store.settle([came_to], now) == {delivery.id}
    await add_delivery(store, endpoint, NOW + 3 * SECOND)
    found = await store.latest_outcomes([endpoint.id, other.id], 2)
    assert [each.started_at - NOW for each in found[endpoint.id]] == [SECOND, 2 * SECOND]
    assert [each.status_code for each in (await store.latest_outcomes([endpoint.id], 9))[endpoint.id]] == [
        500,
        200,
        200,
    ]
    assert found[other.id] == []
    assert await store.latest_outcomes([], 2) == {}


async def test_what_waits_hides_what_was_tried_before_it_only_when_it_is_very_much(store: Store) -> None:
    endpoint = await add_endpoint(store, await add_account(store))
    await deliver(store, await add_delivery(store, endpoint))
    for number in range(9):
        await add_delivery(store, endpoint, NOW + (1 + number) * SECOND)
    assert len((await store.latest_outcomes([endpoint.id], 1))[endpoint.id]) == 1
    await add_delivery(store, endpoint, NOW + 10 * SECOND)
    assert (await store.latest_outcomes([endpoint.id], 1))[endpoint.id] == []
