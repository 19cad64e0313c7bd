"""Settling: the attempt, the delivery's next state and what becomes of its endpoint, in one step."""

import pytest
from msgspec.structs import replace

from hookwright.core.answer_headers import AnswerHeader, AnswerHeaders
from hookwright.core.errors import Conflict
from hookwright.core.model import HOUR, SECOND, Attempt, DeliveryStatus, EndpointStatus, Outcome, Settled, Settlement
from hookwright.store.base import DeliveryQuery, Store
from store.given import (
    LEASE,
    NOW,
    accept,
    add_account,
    add_endpoint,
    again,
    claim,
    claim_one,
    deliver,
    draft,
    first_delivery,
    lease_of,
    settled,
)


async def test_an_attempt_is_remembered_as_it_was(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    headers = AnswerHeaders((AnswerHeader("server", r"ng\xff", 7), AnswerHeader("set-cookie", None)), left_out=3)
    outcome = Outcome(
        started_at=NOW + 1,
        duration_us=12_345,
        status_code=503,
        error="timeout",
        detail="né",
        body=b"\x00\xff",
        headers=headers,
    )
    retry = Settlement(status="pending", due_at=NOW + HOUR)

    await store.settle([Settled(claim=claimed, outcome=outcome, settlement=retry)], NOW + SECOND)

    assert await store.attempts(delivery.id) == [
        Attempt(
            number=1,
            started_at=NOW + 1,
            duration_us=12_345,
            status_code=503,
            error="timeout",
            detail="né",
            response_body=b"\x00\xff",
            next_attempt_at=NOW + HOUR,
            response_headers=headers,
        )
    ]


async def test_each_attempt_of_a_batch_has_its_own_headers_or_none(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(3)))
    kept = [AnswerHeaders((AnswerHeader("x-number", "0"),)), None, AnswerHeaders((), left_out=2)]
    outcomes = [Outcome(started_at=NOW, duration_us=1, status_code=500, headers=headers) for headers in kept]
    claims = await claim(store)
    dead = Settlement(status="dead", due_at=None)

    await store.settle(
        [
            Settled(claim=each, outcome=outcome, settlement=dead)
            for each, outcome in zip(claims, outcomes, strict=True)
        ],
        NOW,
    )

    attempts = [(await store.attempts(each.delivery_id))[0] for each in claims]
    assert [each.response_headers for each in attempts] == kept


async def test_a_delivered_delivery_is_finished(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)

    assert await store.settle([settled(claimed)], NOW + SECOND) == {delivery.id}

    assert await again(store, delivery) == replace(
        delivery, status="delivered", due_at=None, attempts=1, finished_at=NOW + SECOND, last_status_code=200
    )
    assert await claim(store, now=NOW + HOUR) == []
    assert await store.rescue(NOW + HOUR) == 0
    (attempt,) = await store.attempts(delivery.id)
    assert attempt.next_attempt_at is None


async def test_a_dead_delivery_is_kept(store: Store) -> None:
    delivery = await first_delivery(store)
    outcome = Outcome(started_at=NOW, duration_us=1, error="dns_failed")
    dead = Settlement(status="dead", due_at=None)

    await store.settle([Settled(claim=await claim_one(store), outcome=outcome, settlement=dead)], NOW)

    assert await again(store, delivery) == replace(
        delivery, status="dead", due_at=None, attempts=1, finished_at=NOW, last_error="dns_failed"
    )
    assert await store.payload(delivery.id) == b'{"tag":1}'


async def test_a_retry_is_due_at_its_time_with_the_next_number(store: Store) -> None:
    delivery = await first_delivery(store)
    first = await claim_one(store)
    await store.settle([settled(first, "pending", due_at=NOW + HOUR)], NOW)
    assert await again(store, delivery) == replace(delivery, due_at=NOW + HOUR, attempts=1, last_status_code=500)
    assert await claim(store, now=NOW + HOUR - 1) == []

    second = await claim_one(store, NOW + HOUR)
    await store.settle([settled(second)], NOW + HOUR)

    assert (second.attempt, second.round_attempt, second.body) == (2, 2, first.body)
    assert second.message_id == first.message_id
    assert [attempt.number for attempt in await store.attempts(delivery.id)] == [1, 2]
    assert (await again(store, delivery)).attempts == 2


async def test_a_batch_is_written_but_for_the_claims_that_were_lost(store: Store) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(5)))
    claims = await claim(store)
    await store.release([lease_of(claims[1]), lease_of(claims[3])], NOW)
    await claim(store)

    batch = [settled(claims[0]), settled(claims[1]), settled(claims[2], "dead"), settled(claims[3], "dead")]
    written = await store.settle([*batch, settled(claims[4], "pending", due_at=NOW + 1)], NOW)

    assert written == {claims[number].delivery_id for number in (0, 2, 4)}
    after = [await store.delivery(each.delivery_id) for each in claims]
    assert [each.status for each in after if each] == ["delivered", "in_flight", "dead", "in_flight", "pending"]
    assert [len(await store.attempts(each.delivery_id)) for each in claims] == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("lost", [None, 0, 170])
async def test_a_large_batch_is_renewed_and_written_but_for_the_claim_that_was_lost(
    store: Store, lost: int | None
) -> None:
    account = await add_account(store)
    await add_endpoint(store, account)
    await accept(store, *(draft(account) for _ in range(171)))
    claims = await claim(store, limit=171)
    if lost is not None:
        await store.release([lease_of(claims[lost])], NOW)
    ours = {each.delivery_id for place, each in enumerate(claims) if place != lost}

    assert await store.renew([lease_of(each) for each in claims], NOW + 2 * LEASE) == ours
    assert await store.settle([settled(each) for each in claims], NOW) == ours

    delivered = await store.deliveries(DeliveryQuery(account_id=account.id, statuses=("delivered",), limit=500))
    assert {each.id for each in delivered} == ours
    assert all([await store.attempts(id) for id in ours])


async def test_settling_nothing_is_nothing(store: Store) -> None:
    assert await store.settle([], NOW) == set()


async def test_a_lost_claim_beside_the_one_that_took_its_place_writes_nothing(store: Store) -> None:
    delivery = await first_delivery(store)
    zombie = await claim_one(store)
    await store.rescue(NOW + LEASE)
    current = await claim_one(store, NOW + LEASE)

    written = await store.settle([settled(zombie, "dead", disable_reason="gone"), settled(current)], NOW + LEASE)

    assert written == {delivery.id}
    assert (await again(store, delivery)).status == "delivered"
    (attempt,) = await store.attempts(delivery.id)
    assert attempt.status_code == 200
    endpoint = await store.endpoint(delivery.account_id, delivery.endpoint_id)
    assert endpoint is not None
    assert endpoint.status == "active"


# -- what becomes of the endpoint --------------------------------------------------------------------------------


async def test_an_endpoint_that_is_to_be_disabled_is_disabled(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)

    await store.settle([settled(claimed, "dead", status_code=410, disable_reason="gone")], NOW + SECOND)

    endpoint = await store.endpoint(delivery.account_id, delivery.endpoint_id)
    assert endpoint is not None
    assert (endpoint.status, endpoint.status_reason) == ("disabled", "gone")
    assert endpoint.status_changed_at == endpoint.updated_at == NOW + SECOND
    assert (await again(store, delivery)).status == "dead"


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_an_endpoint_that_is_not_active_keeps_its_own_reason(store: Store, status: EndpointStatus) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    before = await store.set_endpoint_status(delivery.account_id, delivery.endpoint_id, status, "by Ada", NOW)

    await store.settle([settled(claimed, "dead", disable_reason="gone")], NOW + SECOND)

    after = await store.endpoint(delivery.account_id, delivery.endpoint_id)
    assert after is not None
    assert before is not None
    assert (after.status, after.status_reason, after.status_changed_at) == (
        status,
        "by Ada",
        before.status_changed_at,
    )


async def test_a_disabled_endpoint_keeps_what_is_still_to_be_sent(store: Store) -> None:
    account = await add_account(store)
    endpoint = await add_endpoint(store, account)
    await accept(store, draft(account), draft(account))
    (first,) = await claim(store, 1)

    await store.settle([settled(first, "dead", disable_reason="gone")], NOW)
    assert await claim(store) == []
    await store.set_endpoint_status(account.id, endpoint.id, "active", None, NOW + 1)

    assert (await claim_one(store, NOW + 1)).delivery_id != first.delivery_id


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_a_retry_waits_for_an_endpoint_that_is_not_active_any_more(
    store: Store, status: EndpointStatus
) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    await store.set_endpoint_status(delivery.account_id, delivery.endpoint_id, status, None, NOW)

    assert await store.settle([settled(claimed, "pending", due_at=NOW + SECOND)], NOW) == {delivery.id}
    assert await claim(store, now=NOW + SECOND) == []
    waiting = await again(store, delivery)
    assert (waiting.status, waiting.due_at, waiting.attempts) == ("pending", None, 1)

    await store.set_endpoint_status(delivery.account_id, delivery.endpoint_id, "active", None, NOW + HOUR)
    assert (await claim_one(store, NOW + HOUR)).attempt == 2


async def test_a_retry_of_an_endpoint_that_was_deleted_meanwhile_is_cancelled(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    await store.delete_endpoint(delivery.account_id, delivery.endpoint_id, NOW)

    assert await store.settle([settled(claimed, "pending", due_at=NOW + HOUR)], NOW + SECOND) == {delivery.id}

    assert await again(store, delivery) == replace(
        delivery, status="cancelled", due_at=None, attempts=1, finished_at=NOW + SECOND, last_status_code=500
    )
    (attempt,) = await store.attempts(delivery.id)
    assert attempt.next_attempt_at is None


# -- replay ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["delivered", "dead"])
async def test_a_finished_delivery_can_be_replayed_in_a_new_round(store: Store, status: DeliveryStatus) -> None:
    delivery = await first_delivery(store)
    first = await claim_one(store)
    await store.settle([settled(first, status)], NOW)

    replayed = await store.replay(delivery.id, NOW + HOUR)

    assert replayed == await again(store, delivery)
    assert (replayed.status, replayed.due_at, replayed.finished_at) == ("pending", NOW + HOUR, None)
    assert (replayed.attempts, replayed.round_start) == (1, 1)
    second = await claim_one(store, NOW + HOUR)
    assert (second.attempt, second.round_attempt) == (2, 1)
    assert (second.message_id, second.body) == (first.message_id, first.body)


async def test_a_pending_delivery_can_be_replayed_before_its_time(store: Store) -> None:
    delivery = await first_delivery(store)
    await store.settle([settled(await claim_one(store), "pending", due_at=NOW + HOUR)], NOW)

    await store.replay(delivery.id, NOW + 1)

    assert (await claim_one(store, NOW + 1)).round_attempt == 1


async def test_a_delivery_that_is_being_sent_cannot_be_replayed(store: Store) -> None:
    delivery = await first_delivery(store)
    claimed = await claim_one(store)

    with pytest.raises(Conflict, match="being sent"):
        await store.replay(delivery.id, NOW)

    assert (await again(store, delivery)).status == "in_flight"
    assert await store.settle([settled(claimed)], NOW) == {delivery.id}


async def test_a_delivery_of_a_deleted_endpoint_cannot_be_replayed(store: Store) -> None:
    delivery = await first_delivery(store)
    await deliver(store, delivery)
    await store.delete_endpoint(delivery.account_id, delivery.endpoint_id, NOW)
    before = await again(store, delivery)

    with pytest.raises(Conflict, match="deleted"):
        await store.replay(delivery.id, NOW)

    assert await again(store, delivery) == before


async def test_a_cancelled_delivery_cannot_be_replayed_since_its_endpoint_is_deleted(store: Store) -> None:
    delivery = await first_delivery(store)
    await store.delete_endpoint(delivery.account_id, delivery.endpoint_id, NOW)

    with pytest.raises(Conflict, match="deleted"):
        await store.replay(delivery.id, NOW)

    assert (await again(store, delivery)).status == "cancelled"


async def test_a_replay_to_a_paused_endpoint_waits_for_it(store: Store) -> None:
    delivery = await first_delivery(store)
    await deliver(store, delivery)
    await store.set_endpoint_status(delivery.account_id, delivery.endpoint_id, "paused", None, NOW)

    await store.replay(delivery.id, NOW)
    assert await claim(store) == []
    await store.set_endpoint_status(delivery.account_id, delivery.endpoint_id, "active", None, NOW)

    assert (await claim_one(store)).delivery_id == delivery.id


async def test_replaying_no_delivery_is_none(store: Store) -> None:
    delivery = await first_delivery(store)

    assert await store.replay(delivery.id + 64 * 10_000, NOW) is None


async def test_a_delivery_that_does_not_exist_has_nothing(store: Store) -> None:
    nowhere = (await first_delivery(store)).id + 64 * 10_000

    assert await store.delivery(nowhere) is None
    assert await store.payload(nowhere) is None
    assert await store.attempts(nowhere) == []
