"""A batch of hundreds is written in another way than a small one, where that is cheaper, and means the same."""

from collections import Counter

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Conflict
from hookwright.core.lanes import lane_of
from hookwright.core.model import Accepted, Account, Draft, EndpointChange, Event
from hookwright.store.base import DeliveryQuery, EndpointQuery, Room, Store
from hookwright.store.postgres import WORTH_A_COPY
from store.given import (
    LEASE,
    NOW,
    accept,
    accept_one,
    add_account,
    add_endpoint,
    claim,
    deliveries_of,
    draft,
    forgotten,
    lease_of,
    notice,
    settled,
)

MANY = WORTH_A_COPY + 20


def odd_drafts(account: Account, number: int) -> list[Draft]:
    """Events with all that an event may have, and nothing that it need not have, by turns."""
    drafts = []
    for position in range(number):
        one = draft(
            account, notice(render=f'{{"n":{position},"ø":"\\t"}}'.encode), data=f'{{"ø":{position}}}'.encode()
        )
        whole = replace(
            one.event,
            site_id=17,
            traceparent="00-abc",
            expires_at=NOW + 2 * LEASE,
            ordering_key=f"key {position % 3}",
        )
        drafts.append(replace(one, event=whole) if position % 2 else one)
    return drafts


@pytest.mark.parametrize("number", [3, MANY])
async def test_every_event_of_a_batch_is_kept_to_the_byte(store: Store, number: int) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    drafts = odd_drafts(account, number)
    assert await accept(store, *drafts) == [Accepted(one.event.id, 1) for one in drafts]
    for one in drafts:
        (delivery,) = await store.deliveries(DeliveryQuery(event_id=one.event.id))
        assert await store.event(one.event.id) == one.event
        assert await store.payload(delivery.id) == one.notices[0].render()
        assert (delivery.status, delivery.due_at, delivery.expires_at) == ("pending", NOW, one.event.expires_at)


@pytest.mark.parametrize("number", [3, MANY])
async def test_a_batch_is_claimed_at_birth_as_far_as_there_is_room_and_the_rest_is_due(
    store: Store, number: int
) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    accepted = await store.accept(odd_drafts(account, number), Room(number - 1, NOW + LEASE))
    assert len(accepted.claims) == number - 1
    assert len(await store.settle([settled(each) for each in accepted.claims[1:]], NOW)) == number - 2
    await store.release([lease_of(accepted.claims[0])], NOW)
    assert len(await claim(store, MANY)) == 2
    assert Counter(each.status for each in await deliveries_of(store, account)) == {
        "delivered": number - 2,
        "in_flight": 2,
    }
    assert await forgotten(store, NOW) == []


@pytest.mark.parametrize("number", [3, MANY])
async def test_keys_and_lines_hold_in_a_batch_of_any_size(store: Store, number: int) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, EndpointChange(ordering="endpoint"), NOW)
    first = await accept_one(store, draft(account, key="key 1"))
    drafts = [draft(account, key=f"key {position}") for position in range(number)]
    drafts.append(draft(account, key="key 2", fingerprint=b"another"))
    answers = await accept(store, *drafts)
    assert answers[1] == Accepted(first.event_id, 1, duplicate=True)
    assert isinstance(answers[-1], Conflict)
    assert isinstance(await store.event(drafts[0].event.id), Event)
    assert await store.event(drafts[1].event.id) is None
    assert len(await deliveries_of(store, account)) == number
    assert [each.event_id for each in await claim(store)] == [first.event_id]


@pytest.mark.parametrize("number", [3, MANY])
async def test_a_batch_that_cannot_be_written_leaves_nothing_behind(store: Store, number: int) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    drafts = [draft(account) for _ in range(number)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await accept(store, *drafts, drafts[0])
    assert await deliveries_of(store, account) == []
    assert await store.event(drafts[1].event.id) is None


@pytest.mark.parametrize("number", [3, MANY])
async def test_an_event_for_many_endpoints_has_a_delivery_for_each(store: Store, number: int) -> None:
    account = await add_account(store)
    endpoints = [await add_endpoint(store, account) for _ in range(number)]
    one = draft(account, key="an import")
    accepted = await store.accept([one], Room(number - 1, NOW + LEASE))
    assert accepted.answers == [Accepted(one.event.id, number)]
    again = await store.accept([draft(account, key="an import")], Room(number, NOW + LEASE))
    assert again.answers == [Accepted(one.event.id, number, duplicate=True)]
    claims = [*accepted.claims, *await claim(store, MANY)]
    assert {each.endpoint_id for each in claims} == {each.id for each in endpoints}
    assert len(claims) == number
    assert await store.settle([settled(each) for each in claims], NOW) == {each.delivery_id for each in claims}


@pytest.mark.parametrize("number", [MANY, 2 * MANY])
async def test_an_event_for_very_many_endpoints_is_written_in_pieces(
    store: Store, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.store.postgres.ROWS_OF_A_PIECE", MANY)
    account = await add_account(store)
    endpoints = [await add_endpoint(store, account) for _ in range(number + 1)]
    one = draft(account)
    accepted = await store.accept([one], Room(1, NOW + LEASE))
    assert accepted.answers == [Accepted(one.event.id, number + 1)]
    claims = [*accepted.claims, *await claim(store, number + 1)]
    assert {each.endpoint_id for each in claims} == {each.id for each in endpoints}
    assert await forgotten(store, NOW) == []


# -- more than is written together ---------------------------------------------------------------------------------


async def test_of_events_with_very_many_deliveries_only_the_first_are_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.store.acceptance.MOST_TOGETHER", 7)
    account = await add_account(store)
    for _ in range(3):
        await add_endpoint(store, account)
    drafts = [draft(account, key=f"key {position}") for position in range(5)]
    left = drafts
    for number in (2, 2, 1):
        accepted = await store.accept(left)
        assert accepted.answers == [Accepted(one.event.id, 3) for one in left[:number]]
        assert accepted.deliveries == 3 * number
        left = left[number:]
        assert [await store.event(one.event.id) for one in left] == [None] * len(left)
    assert len(await deliveries_of(store, account)) == 15


async def test_an_event_with_more_deliveries_than_are_written_together_is_written_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookwright.store.acceptance.MOST_TOGETHER", 2)
    account = await add_account(store)
    for _ in range(3):
        await add_endpoint(store, account)
    drafts = [draft(account) for _ in range(2)]
    assert await accept(store, *drafts) == [Accepted(drafts[0].event.id, 3)]


# -- accounts of many lanes --------------------------------------------------------------------------------------

LANE_INDEXES = (0, 7, 37, 63)


async def accounts_of_many_lanes(store: Store) -> list[Account]:
    accounts = [await add_account(store, lane_index=lane_index) for lane_index in LANE_INDEXES]
    for account in accounts:
        await add_endpoint(store, account)
    return accounts


@pytest.mark.parametrize("number", [4, MANY])
async def test_a_batch_for_accounts_of_many_lanes_keeps_each_event_in_the_lane_of_its_account(
    store: Store, number: int
) -> None:
    accounts = await accounts_of_many_lanes(store)
    drafts = [one for account in accounts for one in odd_drafts(account, number // 4)]

    accepted = await store.accept(drafts, Room(number // 2, NOW + LEASE))

    assert accepted.answers == [Accepted(one.event.id, 1) for one in drafts]
    assert (len(accepted.claims), accepted.deliveries) == (number // 2, len(drafts))
    for one in drafts:
        (delivery,) = await store.deliveries(DeliveryQuery(event_id=one.event.id))
        assert await store.event(one.event.id) == one.event
        assert await store.payload(delivery.id) == one.notices[0].render()
        assert lane_of(delivery.id) == lane_of(one.event.account_id)
    claims = [*accepted.claims, *await claim(store, MANY)]
    assert await store.settle([settled(each) for each in claims], NOW) == {each.delivery_id for each in claims}
    assert len(claims) == len(drafts)
    assert await forgotten(store, NOW) == []


@pytest.mark.parametrize("number", [4, MANY])
async def test_keys_and_lines_hold_for_accounts_of_many_lanes(store: Store, number: int) -> None:
    accounts = await accounts_of_many_lanes(store)
    for account in accounts:
        (endpoint,) = await store.endpoints(EndpointQuery(account_id=account.id))
        await store.change_endpoint(account.id, endpoint.id, EndpointChange(ordering="endpoint"), NOW)
    known = [await accept_one(store, draft(account, key="known")) for account in accounts]
    # The same key of another account is another key.
    drafts = [draft(account, key=f"key {place}") for place in range(number // 4) for account in accounts]
    drafts += [draft(account, key="known") for account in accounts]
    drafts.append(draft(accounts[0], key="key 0", fingerprint=b"another"))

    answers = await accept(store, *drafts)

    assert answers[: len(drafts) - 5] == [Accepted(one.event.id, 1) for one in drafts[:-5]]
    assert answers[-5:-1] == [Accepted(each.event_id, 1, duplicate=True) for each in known]
    assert isinstance(answers[-1], Conflict)
    assert {each.event_id for each in await claim(store, MANY)} == {each.event_id for each in known}
    for account in accounts:
        assert len(await deliveries_of(store, account)) == number // 4 + 1


async def test_one_bad_event_keeps_those_of_other_lanes_out_as_well(store: Store) -> None:
    accounts = await accounts_of_many_lanes(store)
    drafts = [draft(account) for account in accounts]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await accept(store, *drafts, drafts[0])
    assert [await deliveries_of(store, account) for account in accounts] == [[], [], [], []]
