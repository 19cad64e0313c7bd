"""Endpoints: kept, listed, paused, deleted."""

import asyncio

import pytest
from msgspec.structs import replace

from hookwright.core.model import (
    ANY_RESOURCE,
    HOUR,
    SECOND,
    EndpointChange,
    EndpointStatus,
    OAuthApp,
    Subscription,
)
from hookwright.store.base import EndpointQuery, Store
from hookwright.store.records import Records
from store.given import (
    NOW,
    accept_one,
    add_account,
    add_app,
    add_delivery,
    add_endpoint,
    add_site,
    again,
    claim,
    claim_one,
    count,
    deliver,
    deliveries_of,
    draft,
    first_delivery,
    settled,
)


async def test_an_endpoint_comes_back_as_it_was_kept(store: Store) -> None:
    account = await add_account(store)
    site = await add_site(store, account)
    wanted = (Subscription("purchase_create"), Subscription("tag_add", "1"), Subscription("tag_add", "2"))
    endpoint = await add_endpoint(store, account, *wanted, site=site, schedule=(0, 5, 300))

    assert await store.endpoint(account.id, endpoint.id) == endpoint


async def test_an_endpoint_without_a_schedule_of_its_own_has_none(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)

    kept = await store.endpoint(account.id, endpoint.id)

    assert kept is not None
    assert kept.retry_schedule is None


async def test_an_endpoint_of_another_account_is_not_there(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    endpoint = await add_endpoint(store, account)

    assert await store.endpoint(other.id, endpoint.id) is None
    assert await store.set_endpoint_status(other.id, endpoint.id, "paused", None, NOW) is None
    assert await store.change_endpoint(other.id, endpoint.id, EndpointChange(retry_schedule=(1,)), NOW) is None
    assert not await store.delete_endpoint(other.id, endpoint.id, NOW)
    assert await store.endpoint(account.id, endpoint.id) == endpoint


async def test_an_endpoint_is_kept_with_all_its_subscriptions_or_not_at_all(store: Store) -> None:
    account = await add_account(store)
    nobody = replace(account, id=account.id + 64)

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await add_endpoint(store, nobody)

    assert await count(store, "endpoints") == 0
    assert await count(store, "subscriptions") == 0


async def test_a_subscription_that_is_named_twice_is_one(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account, Subscription("tag_add", "1"), Subscription("tag_add", "1"))

    kept = await store.endpoint(account.id, endpoint.id)

    assert kept is not None
    assert kept.subscriptions == (Subscription("tag_add", "1"),)


async def test_subscriptions_are_in_the_same_order_on_every_database(store: Store) -> None:
    account = await add_account(store)
    events, resources = ("b", "B", "a.b", "a_b", "ab"), ("é", "Z", "z")
    wanted = [Subscription(event, resource) for event in events for resource in resources]
    endpoint = await add_endpoint(store, account, *wanted)

    kept = await store.endpoint(account.id, endpoint.id)

    assert kept is not None
    assert list(kept.subscriptions) == sorted(wanted, key=lambda each: (each.event, each.resource))


async def test_events_accepted_before_an_endpoint_do_not_match_it(store: Store) -> None:
    account = await add_account(store)
    assert (await accept_one(store, draft(account))).deliveries == 0
    await add_endpoint(store, account)

    assert (await accept_one(store, draft(account))).deliveries == 1
    assert await count(store, "deliveries") == 1


# -- status ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_an_endpoint_says_why_and_since_when_it_is_not_active(store: Store, status: EndpointStatus) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)

    changed = await store.set_endpoint_status(account.id, endpoint.id, status, "gone", NOW + SECOND)

    assert changed == replace(
        endpoint,
        status=status,
        status_reason="gone",
        status_changed_at=NOW + SECOND,
        missed_since=NOW + SECOND if status == "disabled" else None,  # what waits for a paused one is not missed
        updated_at=NOW + SECOND,
    )
    assert await store.endpoint(account.id, endpoint.id) == changed


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_what_waited_for_an_endpoint_is_sent_once_it_is_active(store: Store, status: EndpointStatus) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    waiting = [await add_delivery(store, endpoint) for _ in range(3)]
    await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)
    assert await claim(store) == []

    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW + HOUR)

    assert await claim(store, now=NOW + HOUR - 1) == []
    assert {each.delivery_id for each in await claim(store, now=NOW + HOUR)} == {each.id for each in waiting}


async def test_activating_leaves_retries_to_their_schedule_and_finished_deliveries_alone(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    delivered = await add_delivery(store, endpoint)
    await deliver(store, delivered)
    await add_delivery(store, endpoint)
    retry = await claim_one(store)
    await store.settle([settled(retry, "pending", due_at=NOW + HOUR)], NOW)
    finished = await again(store, delivered)

    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW + SECOND)

    assert await again(store, delivered) == finished
    assert await claim(store, now=NOW + HOUR - 1) == []
    assert (await claim_one(store, NOW + HOUR)).delivery_id == retry.delivery_id


async def test_activating_one_endpoint_wakes_no_other(store: Store) -> None:
    account = await add_account(store)
    one, other = await add_endpoint(store, account), await add_endpoint(store, account)
    await accept_one(store, draft(account))
    for endpoint in (one, other):
        await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await claim(store) == []

    await store.set_endpoint_status(account.id, one.id, "active", None, NOW)

    assert [each.endpoint_id for each in await claim(store)] == [one.id]


async def test_an_activation_that_races_a_claim_loses_nothing(store: Store, second: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    for _ in range(15):
        await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
        waiting = await add_delivery(store, endpoint)

        found = await asyncio.gather(
            claim(second),
            store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW),
            claim(second),
        )

        claims = [*found[0], *found[2], *await claim(store)]
        assert [each.delivery_id for each in claims] == [waiting.id]
        await store.settle([settled(claims[0])], NOW)


# -- retry schedule ----------------------------------------------------------------------------------------------


async def test_a_retry_schedule_can_be_set_and_taken_away(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)

    changed = await store.change_endpoint(account.id, endpoint.id, EndpointChange(retry_schedule=(0, 60)), NOW + 1)
    assert changed == replace(endpoint, retry_schedule=(0, 60), updated_at=NOW + 1)
    assert await store.endpoint(account.id, endpoint.id) == changed

    changed = await store.change_endpoint(account.id, endpoint.id, EndpointChange(retry_schedule=None), NOW + 2)
    assert changed == replace(endpoint, retry_schedule=None, updated_at=NOW + 2)


# -- deletion ----------------------------------------------------------------------------------------------------


async def test_a_deleted_endpoint_is_gone_and_nothing_matches_it(store: Store) -> None:
    account = await add_account(store)
    endpoint, other = await add_endpoint(store, account), await add_endpoint(store, account)

    assert await store.delete_endpoint(account.id, endpoint.id, NOW)

    assert await store.endpoint(account.id, endpoint.id) is None
    assert await store.endpoints(EndpointQuery(account_id=account.id)) == [other]
    assert await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW) is None
    assert await store.change_endpoint(account.id, endpoint.id, EndpointChange(retry_schedule=None), NOW) is None
    assert (await accept_one(store, draft(account))).deliveries == 1


async def test_deleting_no_endpoint_is_false(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)

    assert not await store.delete_endpoint(account.id, endpoint.id + 64, NOW)
    assert await store.delete_endpoint(account.id, endpoint.id, NOW)
    assert not await store.delete_endpoint(account.id, endpoint.id, NOW)


async def test_deleting_an_endpoint_cancels_what_was_still_to_be_sent(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    aside = await add_delivery(store, endpoint)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await claim(store) == []
    due = await add_delivery(store, endpoint)

    await store.delete_endpoint(account.id, endpoint.id, NOW + SECOND)

    for cancelled in (await again(store, aside), await again(store, due)):
        assert (cancelled.status, cancelled.due_at, cancelled.finished_at) == ("cancelled", None, NOW + SECOND)


async def test_a_deletion_that_was_cut_off_after_its_first_step_is_finished_by_claims(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    aside = await add_delivery(store, endpoint)
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW)
    assert await claim(store) == []

    assert isinstance(store, Records)
    await store._forget_endpoint(account.id, endpoint.id, NOW, None)

    assert await store.endpoint(account.id, endpoint.id) is None
    assert await claim(store) == []
    assert (await again(store, aside)).status == "cancelled"


async def test_deleting_an_endpoint_leaves_its_finished_deliveries_and_other_endpoints_alone(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    delivered = await add_delivery(store, endpoint)
    await deliver(store, delivered)
    finished = await again(store, delivered)
    other = await add_endpoint(store, account)
    await accept_one(store, draft(account))

    await store.delete_endpoint(account.id, endpoint.id, NOW)

    assert await again(store, delivered) == finished
    assert (await claim_one(store)).endpoint_id == other.id


async def test_a_claim_of_a_deleted_endpoint_can_still_be_settled_as_delivered(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)

    await store.delete_endpoint(delivery.account_id, delivery.endpoint_id, NOW)
    assert await store.settle([settled(claimed)], NOW) == {delivery.id}

    assert (await again(store, delivery)).status == "delivered"


async def test_a_deletion_that_races_publishing_and_claiming_leaves_nothing_pending(
    store: Store, second: Store
) -> None:
    account = await add_account(store)
    for _ in range(10):
        endpoint = await add_endpoint(store, account)
        await accept_one(store, draft(account))

        await asyncio.gather(
            store.delete_endpoint(account.id, endpoint.id, NOW),
            accept_one(second, draft(account)),
            claim(second),
        )
        await store.rescue(NOW + HOUR)
        assert await claim(store, now=NOW + HOUR) == []

    assert {delivery.status for delivery in await deliveries_of(store, account)} == {"cancelled"}


# -- listing -----------------------------------------------------------------------------------------------------


async def test_endpoints_are_listed_newest_first_unless_ascending(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    kept = [await add_endpoint(store, account) for _ in range(4)]
    await add_endpoint(store, other)

    assert await store.endpoints(EndpointQuery(account_id=account.id)) == kept[::-1]
    assert await store.endpoints(EndpointQuery(account_id=account.id, ascending=True)) == kept


async def test_every_filter_of_a_listing_narrows_it_and_its_count(store: Store) -> None:
    account = await add_account(store)
    site = await add_site(store, account)
    kit = await add_endpoint(store, account)
    purchases = await add_endpoint(store, account, Subscription("purchase_create"), Subscription("tag_add", "1"))
    kajabi = await add_endpoint(store, account, Subscription("tag_added", ANY_RESOURCE), site=site, dialect="kajabi")

    async def found(query: EndpointQuery) -> set[int]:
        listed = await store.endpoints(query)
        assert await store.count_endpoints(query) == len(listed)
        return {endpoint.id for endpoint in listed}

    account_id = account.id
    assert await found(EndpointQuery(account_id=account_id)) == {kit.id, purchases.id, kajabi.id}
    assert await found(EndpointQuery(account_id=account_id, dialects=("kajabi",))) == {kajabi.id}
    assert await found(EndpointQuery(account_id=account_id, dialects=("kajabi", "kit"))) == {
        kit.id,
        purchases.id,
        kajabi.id,
    }
    assert await found(EndpointQuery(account_id=account_id, dialects=())) == set()
    assert await found(EndpointQuery(account_id=account_id, event="tag_add")) == {kit.id, purchases.id}
    assert await found(EndpointQuery(account_id=account_id, event="nothing")) == set()
    assert await found(EndpointQuery(account_id=account_id, site_id=site.id)) == {kajabi.id}
    assert await found(EndpointQuery(account_id=account_id, site_id=site.id, event="tag_add")) == set()


async def test_endpoints_can_be_listed_by_the_app_that_made_them_and_by_status(store: Store) -> None:
    account = await add_account(store)
    one, other = await add_app(store, "One"), await add_app(store, "Other")
    mine = [await add_endpoint(store, account, app=app) for app in (None, one, one, other)]
    given: list[EndpointStatus] = ["active", "paused", "disabled", "paused"]
    for endpoint, status in zip(mine, given, strict=True):
        await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)

    async def found(app: OAuthApp | None = None, statuses: tuple[EndpointStatus, ...] | None = None) -> list[int]:
        app_id = None if app is None else app.id
        query = EndpointQuery(account_id=account.id, app_id=app_id, statuses=statuses, ascending=True)
        listed = [endpoint.id for endpoint in await store.endpoints(query)]
        assert await store.count_endpoints(query) == len(listed)
        return [[endpoint.id for endpoint in mine].index(id) for id in listed]

    assert await found() == [0, 1, 2, 3]
    assert await found(one) == [1, 2]
    assert await found(statuses=("paused",)) == [1, 3]
    assert await found(statuses=("paused", "disabled")) == [1, 2, 3]
    assert await found(one, ("disabled", "active")) == [2]
    assert await found(one, ()) == []


async def test_each_endpoint_of_a_list_has_its_own_subscriptions(store: Store) -> None:
    account = await add_account(store)
    wanted = [(Subscription("tag_add", str(number)), Subscription("tag_remove")) for number in range(20)]
    kept = [await add_endpoint(store, account, *each) for each in wanted]
    assert await store.endpoints(EndpointQuery(account_id=account.id, ascending=True)) == kept


async def test_paused_and_disabled_endpoints_are_listed(store: Store) -> None:
    account = await add_account(store)
    for status in ("active", "paused", "disabled"):
        endpoint = await add_endpoint(store, account)
        await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)

    listed = await store.endpoints(EndpointQuery(account_id=account.id, ascending=True))

    assert [endpoint.status for endpoint in listed] == ["active", "paused", "disabled"]


async def test_a_listing_can_be_paged_by_id_both_ways_and_by_offset(store: Store) -> None:
    account = await add_account(store)
    ids = [(await add_endpoint(store, account)).id for _ in range(7)]

    async def page(query: EndpointQuery) -> list[int]:
        assert await store.count_endpoints(query) == 7
        return [endpoint.id for endpoint in await store.endpoints(query)]

    account_id = account.id
    assert await page(EndpointQuery(account_id=account_id, limit=3)) == ids[:3:-1]
    assert await page(EndpointQuery(account_id=account_id, below=ids[4], limit=3)) == [ids[3], ids[2], ids[1]]
    assert await page(EndpointQuery(account_id=account_id, above=ids[2], ascending=True, limit=3)) == ids[3:6]
    assert await page(EndpointQuery(account_id=account_id, above=ids[1], below=ids[4])) == [ids[3], ids[2]]
    assert await page(EndpointQuery(account_id=account_id, ascending=True, offset=5, limit=3)) == ids[5:]
    assert await page(EndpointQuery(account_id=account_id, offset=7)) == []
