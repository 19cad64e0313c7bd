"""What is accepted where there is room to send is claimed in the same transaction, unless something holds it back."""

import pytest
from msgspec.structs import replace

from hookwright.core.model import Account, Claim, Draft, EndpointChange, EndpointStatus
from hookwright.store.base import Acceptance, Room, Store
from store.given import (
    LEASE,
    NOW,
    add_account,
    add_endpoint,
    again,
    claim,
    deliveries_of,
    draft,
    first_delivery,
    lease_of,
    notice,
    settled,
)

ROOM = Room(10, NOW + LEASE)


async def accept_with_room(store: Store, account: Account, *drafts: Draft, room: Room = ROOM) -> Acceptance:
    return await store.accept(drafts, room)


async def test_a_claim_at_birth_is_the_claim_that_a_look_would_have_found(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, schedule=(0, 60))
    one = draft(account, notice(render=lambda: b'{"born":1}'))
    accepted = await accept_with_room(store, account, one)
    (born,) = accepted.claims
    assert await claim(store) == []
    await store.release([lease_of(born)], NOW)
    (found,) = await claim(store)
    assert replace(found, fence=born.fence) == born
    assert (born.fence, found.fence, born.body) == (1, 2, b'{"born":1}')


async def test_no_more_is_claimed_at_birth_than_there_is_room_for(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    accepted = await accept_with_room(store, account, *(draft(account) for _ in range(5)), room=Room(2, NOW + LEASE))
    assert (len(accepted.claims), accepted.deliveries) == (2, 5)
    assert len(await claim(store)) == 3


async def test_no_more_is_claimed_at_birth_once_the_bodies_are_large_enough(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    drafts = [draft(account, notice(render=lambda: b"x" * 400)) for _ in range(5)]
    accepted = await accept_with_room(store, account, *drafts, room=ROOM._replace(body_bytes=1000))
    assert (len(accepted.claims), accepted.deliveries) == (3, 5)


async def test_what_may_expire_before_its_lease_ends_is_not_claimed_at_birth(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for expires_at, claimed in ((NOW + LEASE, 0), (NOW + LEASE + 1, 1)):
        one = draft(account)
        one = replace(one, event=replace(one.event, expires_at=expires_at))
        assert len((await accept_with_room(store, account, one)).claims) == claimed


async def test_without_room_nothing_is_claimed_at_birth(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    accepted = await store.accept([draft(account)])
    assert accepted.claims == []
    assert len(await claim(store)) == 1


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_an_endpoint_that_does_not_receive_gets_nothing_at_birth(store: Store, status: EndpointStatus) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)
    accepted = await accept_with_room(store, account, draft(account))
    assert (accepted.claims, accepted.deliveries) == ([], 1)
    assert await claim(store) == []


@pytest.mark.parametrize(
    "change",
    [EndpointChange(max_in_flight=1), EndpointChange(rate_per_second=1), EndpointChange(ordering="endpoint")],
)
async def test_what_a_brake_or_a_line_holds_is_left_to_a_look(store: Store, change: EndpointChange) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.change_endpoint(account.id, endpoint.id, change, NOW)
    accepted = await accept_with_room(store, account, draft(account), draft(account))
    assert (accepted.claims, accepted.deliveries) == ([], 2)
    assert len(await claim(store)) == 1


async def test_a_repeated_event_is_claimed_once(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    first, repeated = draft(account, key="a"), draft(account, key="a")
    accepted = await accept_with_room(store, account, first, repeated, draft(account))
    assert [each.event_id for each in accepted.claims].count(first.event.id) == 1
    assert len(accepted.claims) == 2
    assert (await accept_with_room(store, account, draft(account, key="a"))).claims == []


async def settle_and_look(store: Store, account: Account, born: Claim) -> None:
    assert await store.settle([settled(born)], NOW) == {born.delivery_id}
    (delivery,) = await deliveries_of(store, account)
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


async def test_a_claim_at_birth_settles_like_any_other(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    (born,) = (await accept_with_room(store, account, draft(account))).claims
    await settle_and_look(store, account, born)


async def test_the_lease_of_a_claim_at_birth_ends_like_any_other(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    (born,) = (await accept_with_room(store, account, draft(account))).claims
    assert await store.rescue(NOW + LEASE - 1) == 0
    assert await store.rescue(NOW + LEASE) == 1
    (found,) = await claim(store, now=NOW + LEASE)
    assert found.delivery_id == born.delivery_id
    assert await store.settle([settled(born)], NOW) == set()


async def test_a_change_of_subscriptions_counts_for_the_next_event_from_any_process(
    store: Store, second: Store
) -> None:
    account = await add_account(store)
    assert (await accept_with_room(store, account, draft(account))).deliveries == 0
    endpoint = await add_endpoint(second, account)
    assert (await accept_with_room(store, account, draft(account))).deliveries == 1
    await second.delete_endpoint(account.id, endpoint.id, NOW)
    assert (await accept_with_room(store, account, draft(account))).deliveries == 0


async def test_a_delivery_of_another_test_is_not_touched(store: Store) -> None:
    delivery = await first_delivery(store)
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept_with_room(store, account, draft(account))
    assert (await again(store, delivery)).status == "pending"
