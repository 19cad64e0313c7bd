"""Accepting events: fan-out and idempotency, in one transaction."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Conflict
from hookwright.core.model import Accepted, EndpointStatus, Event, Notice, Subscription
from hookwright.store.base import DeliveryQuery, Store
from hookwright.store.matching_steps import Books
from store.given import (
    ANY_TAG,
    LANE_INDEX,
    NOW,
    accept,
    accept_one,
    add_account,
    add_endpoint,
    add_site,
    claim,
    claim_one,
    count,
    deliveries_of,
    draft,
    notice,
)


async def receivers(store: Store, accepted: Accepted) -> set[int]:
    """The endpoints that an event goes to."""
    return {delivery.endpoint_id for delivery in await store.deliveries(DeliveryQuery(event_id=accepted.event_id))}


# -- fan-out -----------------------------------------------------------------------------------------------------


async def test_an_accepted_event_is_kept_to_the_byte(store: Store) -> None:
    account = await add_account(store)
    data = '{ "contact": {"id": 1e0, "name": "Zoë \\u0000 \\ud83d"},\n"contact": 2 }'.encode()
    one = draft(account, data=data, key="k")
    event = replace(one.event, site_id=17, type="custom.thing")

    assert await accept(store, replace(one, event=event)) == [Accepted(event.id, 0)]

    assert await store.event(event.id) == event


async def test_an_event_is_found_however_its_id_is_written(store: Store) -> None:
    account = await add_account(store)
    accepted = await accept_one(store, draft(account))

    for spelling in (accepted.event_id.upper(), accepted.event_id.replace("-", "")):
        found = await store.event(spelling)
        assert isinstance(found, Event)
        assert found.id == accepted.event_id
    assert await store.event("no id at all") is None
    assert await store.event(draft(account).event.id) is None


async def test_each_endpoint_that_matches_gets_a_delivery_that_is_due_at_once(store: Store) -> None:
    account = await add_account(store)
    endpoints = {(await add_endpoint(store, account)).id for _ in range(3)}

    accepted = await accept_one(store, draft(account))

    assert accepted == Accepted(accepted.event_id, 3)
    deliveries = await deliveries_of(store, account)
    assert {delivery.endpoint_id for delivery in deliveries} == endpoints
    for delivery in deliveries:
        assert (delivery.account_id, delivery.event_id) == (account.id, accepted.event_id)
        assert (delivery.event_type, delivery.dialect_event) == ("contact.tag_added", "tag_add")
        assert (delivery.dialect, delivery.ordinal) == ("kit", 1)
        assert (delivery.status, delivery.attempts, delivery.round_start) == ("pending", 0, 0)
        assert (delivery.due_at, delivery.created_at, delivery.finished_at) == (NOW, NOW, None)
        assert (delivery.last_status_code, delivery.last_error) == (None, None)
        assert await store.payload(delivery.id) == b'{"tag":1}'


async def test_a_draft_for_one_endpoint_goes_to_no_other(store: Store) -> None:
    account = await add_account(store)
    one, other = await add_endpoint(store, account), await add_endpoint(store, account)
    indifferent = await add_endpoint(store, account, Subscription("form_submit"))

    for endpoint, expected in ((one, {one.id}), (other, {other.id}), (indifferent, set())):
        accepted = await accept_one(store, replace(draft(account), only_endpoint_id=endpoint.id))
        assert await receivers(store, accepted) == expected
        assert accepted.deliveries == len(expected)
    both = replace(draft(account, key="k"), only_endpoint_id=one.id), draft(account)
    assert [each.deliveries for each in await accept(store, *both) if isinstance(each, Accepted)] == [1, 2]


async def test_an_event_that_nobody_wants_is_kept_without_deliveries(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, Subscription("purchase_create"))
    lonely = draft(account)

    assert await accept_one(store, lonely) == Accepted(lonely.event.id, 0)

    assert await store.event(lonely.event.id) == lonely.event
    assert await claim(store) == []


async def test_an_event_without_notices_is_kept(store: Store) -> None:
    account = await add_account(store)
    silent = replace(draft(account), notices=())

    assert await accept_one(store, silent) == Accepted(silent.event.id, 0)

    assert await store.event(silent.event.id) == silent.event


async def test_an_endpoint_of_another_account_or_dialect_does_not_match(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    await add_endpoint(store, other)
    await add_endpoint(store, account, dialect="kajabi")

    assert (await accept_one(store, draft(account))).deliveries == 0


async def test_a_subscription_to_any_resource_matches_with_and_without_resources(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, ANY_TAG)

    assert (await accept_one(store, draft(account, notice()))).deliveries == 1
    assert (await accept_one(store, draft(account, notice("1", "2")))).deliveries == 1


async def test_a_subscription_to_a_resource_matches_where_the_notice_has_it(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account, Subscription("tag_add", "2"))

    assert await receivers(store, await accept_one(store, draft(account, notice("1", "2")))) == {endpoint.id}
    assert await receivers(store, await accept_one(store, draft(account, notice("1", "22")))) == set()
    assert await receivers(store, await accept_one(store, draft(account, notice()))) == set()


async def test_a_resource_may_hold_anything(store: Store) -> None:
    account = await add_account(store)
    link = "https://example.com/ä?q='%_\\\"&x=1"
    endpoint = await add_endpoint(store, account, Subscription("tag_add", link))

    assert await receivers(store, await accept_one(store, draft(account, notice(link)))) == {endpoint.id}
    assert await receivers(store, await accept_one(store, draft(account, notice(link.upper(), "a\0b")))) == set()


async def test_a_notice_of_a_site_matches_endpoints_of_that_site_only(store: Store) -> None:
    account = await add_account(store)
    site, other = await add_site(store, account), await add_site(store, account)
    of_site = await add_endpoint(store, account, site=site)
    of_other, of_none = await add_endpoint(store, account, site=other), await add_endpoint(store, account)

    one = await accept_one(store, draft(account, notice(site_id=site.id)))
    every = await accept_one(store, draft(account, notice()))

    assert await receivers(store, one) == {of_site.id}
    assert await receivers(store, every) == {of_site.id, of_other.id, of_none.id}


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_an_endpoint_that_is_not_active_gets_a_delivery_that_waits_for_it(
    store: Store, status: EndpointStatus
) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.set_endpoint_status(account.id, endpoint.id, status, None, NOW)

    assert (await accept_one(store, draft(account))).deliveries == 1

    assert await claim(store) == []
    (delivery,) = await deliveries_of(store, account)
    assert (delivery.status, delivery.due_at) == ("pending", None)


async def test_accounts_whose_subscriptions_do_not_fit_in_memory_together_are_all_matched(
    store: Store,
) -> None:
    store._books = Books(most=1)  # type: ignore[attr-defined] # how every store of ours remembers them
    accounts = [await add_account(store) for _ in range(3)]
    for account in accounts:
        await add_endpoint(store, account)
    for _ in range(2):
        answers = await accept(store, *(draft(account) for account in accounts))
        assert [each.deliveries for each in answers if isinstance(each, Accepted)] == [1, 1, 1]


async def test_what_is_remembered_of_subscriptions_is_read_anew_once_they_change(store: Store) -> None:
    account = await add_account(store)
    first = await add_endpoint(store, account)
    assert (await accept_one(store, draft(account))).deliveries == 1
    second = await add_endpoint(store, account)
    assert (await accept_one(store, draft(account))).deliveries == 2
    await store.delete_endpoint(account.id, first.id, NOW)
    accepted = await accept_one(store, draft(account))
    [delivery] = await store.deliveries(DeliveryQuery(event_id=accepted.event_id))
    assert delivery.endpoint_id == second.id


async def test_a_deleted_endpoint_does_not_match(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await store.delete_endpoint(account.id, endpoint.id, NOW)

    assert (await accept_one(store, draft(account))).deliveries == 0


async def test_an_endpoint_that_wants_a_notice_twice_gets_it_once(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, ANY_TAG, Subscription("tag_add", "1"), Subscription("tag_add", "2"))

    assert (await accept_one(store, draft(account, notice("1", "2", "1")))).deliveries == 1
    assert await count(store, "deliveries") == 1


async def test_an_endpoint_gets_each_notice_that_it_wants_with_its_own_payload(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account, Subscription("purchase"), Subscription("product", "8"))
    purchase = draft(
        account,
        notice(event="purchase", ordinal=1, render=lambda: b"purchase"),
        notice("7", event="product", ordinal=2, render=lambda: b"seven"),
        notice("8", event="product", ordinal=3, render=lambda: b"eight"),
    )

    assert (await accept_one(store, purchase)).deliveries == 2

    claims = await claim(store)
    assert [each.endpoint_id for each in claims] == [endpoint.id] * 2
    assert {(each.ordinal, each.body) for each in claims} == {(1, b"purchase"), (3, b"eight")}
    assert len({each.message_id for each in claims}) == 2


async def test_a_notice_is_rendered_only_if_it_matches_and_then_once(store: Store) -> None:
    account = await add_account(store)
    for _ in range(3):
        await add_endpoint(store, account, Subscription("wanted"))
    rendered: list[str] = []

    def render(name: str) -> Callable[[], bytes]:
        return lambda: rendered.append(name) or name.encode()  # type: ignore[func-returns-value]

    wanted = notice(event="wanted", ordinal=1, render=render("wanted"))
    unwanted = notice(event="unwanted", ordinal=2, render=render("unwanted"))
    await accept_one(store, draft(account, wanted, unwanted))

    assert rendered == ["wanted"]
    assert await count(store, "payloads") == 1


async def test_a_payload_may_be_any_bytes(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    octets = bytes(range(256)) * 1000

    await accept_one(store, draft(account, notice(render=lambda: octets)))

    assert (await claim_one(store)).body == octets


async def test_a_batch_of_many_events_answers_in_order(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)
    await add_endpoint(store, account)
    batch = [draft(account if number % 3 else other) for number in range(300)]

    answers = await accept(store, *batch)

    assert answers == [Accepted(one.event.id, 1 if number % 3 else 0) for number, one in enumerate(batch)]
    assert len(await deliveries_of(store, account)) == 200
    assert await count(store, "events") == 300


async def test_events_of_two_lanes_go_to_their_own_endpoints(store: Store) -> None:
    one, other = await add_account(store), await add_account(store, lane_index=LANE_INDEX + 1)
    to_one, to_other = await add_endpoint(store, one), await add_endpoint(store, other)

    assert await receivers(store, await accept_one(store, draft(one))) == {to_one.id}
    assert await receivers(store, await accept_one(store, draft(other))) == {to_other.id}


# -- all or nothing ----------------------------------------------------------------------------------------------


class Broken(Exception):
    """A rendering that fails."""


def broken_notice() -> Notice:
    def fail() -> bytes:
        raise Broken

    return notice(event="broken", ordinal=2, render=fail)


@pytest.mark.parametrize("key", [None, "key"])
async def test_nothing_is_visible_of_a_batch_that_fails(store: Store, key: str | None) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, ANY_TAG, Subscription("broken"))
    good, bad = draft(account, key=key), draft(account, notice(), broken_notice(), key="other" if key else None)

    with pytest.raises(Broken):
        await accept(store, good, bad)

    for table in ("events", "payloads", "deliveries", "idempotency_keys"):
        assert await count(store, table) == 0
    assert await claim(store) == []


async def test_a_batch_that_failed_can_be_accepted_afterwards(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, ANY_TAG, Subscription("broken"))
    one = draft(account, key="key")
    with pytest.raises(Broken):
        await accept(store, one, draft(account, broken_notice()))

    assert await accept(store, one) == [Accepted(one.event.id, 1)]


# -- idempotency -------------------------------------------------------------------------------------------------


async def test_a_known_key_is_answered_with_the_first_event(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    first = await accept_one(store, draft(account, key="order-1"))
    await add_endpoint(store, account)

    repeated = draft(account, key="order-1")
    answer = await accept_one(store, repeated)

    assert answer == Accepted(first.event_id, 1, duplicate=True)
    assert await store.event(repeated.event.id) is None
    assert await count(store, "deliveries") == 1


async def test_a_duplicate_is_never_rendered(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account, ANY_TAG, Subscription("broken"))
    await accept_one(store, draft(account, key="order-1"))

    assert (await accept_one(store, draft(account, broken_notice(), key="order-1"))).duplicate


async def test_a_known_key_with_another_event_is_a_conflict(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept_one(store, draft(account, key="order-1"))

    (answer,) = await accept(store, draft(account, key="order-1", fingerprint=b"two"))

    assert isinstance(answer, Conflict)
    assert await count(store, "events") == await count(store, "deliveries") == 1


async def test_a_conflict_does_not_touch_the_rest_of_its_batch(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    first = await accept_one(store, draft(account, key="order-1"))
    plain, keyed = draft(account), draft(account, key="order-2")

    answers = await accept(
        store,
        plain,
        draft(account, key="order-1", fingerprint=b"two"),
        draft(account, key="order-1"),
        keyed,
    )

    assert answers[0] == Accepted(plain.event.id, 1)
    assert isinstance(answers[1], Conflict)
    assert answers[2] == Accepted(first.event_id, 1, duplicate=True)
    assert answers[3] == Accepted(keyed.event.id, 1)
    assert await count(store, "events") == await count(store, "deliveries") == 3


async def test_the_same_key_twice_in_one_batch_is_one_event(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    first = draft(account, key="order-1")

    answers = await accept(
        store, first, draft(account, key="order-1"), draft(account, key="order-1", fingerprint=b"two")
    )

    assert answers[:2] == [Accepted(first.event.id, 1), Accepted(first.event.id, 1, duplicate=True)]
    assert isinstance(answers[2], Conflict)
    assert await count(store, "events") == await count(store, "deliveries") == 1


async def test_keys_of_two_accounts_are_apart(store: Store) -> None:
    account, other = await add_account(store), await add_account(store)

    answers = await accept(store, draft(account, key="order-1"), draft(other, key="order-1", fingerprint=b"two"))

    assert [isinstance(answer, Accepted) and not answer.duplicate for answer in answers] == [True, True]


async def test_keys_are_told_apart_to_the_letter(store: Store) -> None:
    account = await add_account(store)
    keys = ["key", "KEY", "key ", "kéy", "ke\u0301y", "🔑"]

    answers = await accept(store, *(draft(account, key=key) for key in keys))

    assert [isinstance(answer, Accepted) and not answer.duplicate for answer in answers] == [True] * len(keys)


async def test_of_many_publishes_of_one_key_at_once_exactly_one_is_accepted(store: Store, second: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    for number in range(5):
        drafts = [draft(account, key=f"order-{number}") for _ in range(8)]

        answers = await asyncio.gather(
            *(accept_one(which, one) for which, one in zip((store, second) * 4, drafts, strict=True))
        )

        assert sorted(answer.duplicate for answer in answers) == [False] + [True] * 7
        assert {(answer.event_id, answer.deliveries) for answer in answers} == {(answers[0].event_id, 1)}
    assert await count(store, "events") == await count(store, "deliveries") == 5


async def test_batches_with_the_same_keys_in_another_order_do_not_stop_each_other(
    store: Store, second: Store
) -> None:
    account = await add_account(store)
    keys = [f"order-{number}" for number in range(40)]

    answers = await asyncio.gather(
        *(
            accept(which, *(draft(account, key=key) for key in order))
            for which in (store, second)
            for order in (keys, keys[::-1])
        )
    )

    new = [answer for some in answers for answer in some if isinstance(answer, Accepted) and not answer.duplicate]
    assert len(new) == len(keys)
    assert await count(store, "events") == len(keys)
