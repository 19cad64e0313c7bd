"""Publishing: what is refused and where, what the same key means, which endpoints an event reaches."""

import asyncio
from typing import Any

import msgspec
import pytest

from hookwright.ambient import MovableClock
from hookwright.core.errors import Conflict, Invalid
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Accepted, Account, Subscription
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.operations.accounts import create_account, create_site
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery

CONTACT = {"id": 1, "email": "ada@example.com"}
TAGGED = {"contact": CONTACT, "tag": {"id": 123, "name": "VIP"}}


def request(account: int, **changes: Any) -> Publish:
    body = {"type": "contact.tag_added", "account": account, "data": TAGGED} | changes
    return msgspec.json.decode(msgspec.json.encode(body), type=Publish)


async def publish_one(services: Services, account: Account, **changes: Any) -> Accepted | Conflict:
    [answer] = await publish(services, [request(account.id, **changes)])
    return answer


async def accepted(services: Services, account: Account, **changes: Any) -> Accepted:
    answer = await publish_one(services, account, **changes)
    assert isinstance(answer, Accepted)
    return answer


async def kit_endpoint(services: Services, account: Account, event: str, resource: str = "") -> int:
    url = "http://127.0.0.1:9/"
    return (await create_endpoint(services, account.id, "kit", url, [Subscription(event, resource)])).id


async def test_an_event_names_its_accounts_lane(services: Services, account: Account) -> None:
    answer = await accepted(services, account)
    assert int(answer.event_id.replace("-", ""), 16) % LANE_COUNT == account.id % LANE_COUNT
    event = await services.store.event(answer.event_id)
    assert event is not None
    assert msgspec.json.decode(event.data) == TAGGED


async def test_an_event_that_nobody_wants_is_accepted_all_the_same(services: Services, account: Account) -> None:
    answer = await accepted(services, account)
    assert (answer.deliveries, answer.duplicate) == (0, False)


async def test_a_purchase_reaches_the_purchase_and_the_product_it_holds(services: Services, account: Account) -> None:
    wanted = {
        await kit_endpoint(services, account, "purchase.purchase_create"),
        await kit_endpoint(services, account, "subscriber.product_purchase", "7"),
    }
    await kit_endpoint(services, account, "subscriber.product_purchase", "8")
    answer = await accepted(
        services,
        account,
        type="purchase.created",
        data={"contact": CONTACT, "purchase": {"id": 5}, "products": [{"id": 7}, {"id": 9}]},
    )
    assert answer.deliveries == 2
    deliveries = await services.store.deliveries(DeliveryQuery(account_id=account.id))
    assert {delivery.endpoint_id for delivery in deliveries} == wanted
    assert len({delivery.ordinal for delivery in deliveries}) == 2, "two notices have two message ids"


async def test_the_same_key_and_body_answer_the_first_result(services: Services, account: Account) -> None:
    await kit_endpoint(services, account, "subscriber.tag_add", "123")
    first = await accepted(services, account, idempotency_key="k1")
    again = await accepted(services, account, idempotency_key="k1")
    assert again == Accepted(first.event_id, 1, duplicate=True)
    assert len(await services.store.deliveries(DeliveryQuery(account_id=account.id))) == 1


async def test_the_order_of_members_does_not_make_another_body(services: Services, account: Account) -> None:
    first = await accepted(services, account, idempotency_key="k1")
    again = await accepted(services, account, idempotency_key="k1", data=dict(reversed(TAGGED.items())))
    assert again.event_id == first.event_id


async def test_the_same_key_with_another_body_is_a_conflict(services: Services, account: Account) -> None:
    await accepted(services, account, idempotency_key="k1")
    answer = await publish_one(services, account, idempotency_key="k1", data=TAGGED | {"tag": {"id": 9}})
    assert isinstance(answer, Conflict)


async def test_two_accounts_may_use_the_same_key(services: Services, account: Account) -> None:
    other = (await create_account(services, "Other")).account
    first = await accepted(services, account, idempotency_key="k1")
    second = await accepted(services, other, idempotency_key="k1")
    assert first.event_id != second.event_id
    assert not second.duplicate


async def test_a_key_that_is_published_many_times_at_once_makes_one_event(
    services: Services, account: Account
) -> None:
    answers = await asyncio.gather(*(accepted(services, account, idempotency_key="k") for _ in range(20)))
    assert len({answer.event_id for answer in answers}) == 1
    assert sorted(answer.duplicate for answer in answers) == [False] + [True] * 19


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": "contact.exploded"}, "/type"),
        ({"account": 1_000_000}, "/account"),
        ({"account": -1}, "/account"),
        ({"account": 2**60}, "/account"),
        ({"site": 99}, "/site"),
        ({"idempotency_key": ""}, "/idempotency_key"),
        ({"idempotency_key": "x" * 256}, "/idempotency_key"),
        ({"idempotency_key": "a\0b"}, "/idempotency_key"),
        ({"data": {"tag": {"id": 1}}}, "/data/contact"),
        ({"data": []}, "/data"),
        ({"data": None}, "/data"),
        ({"data": {"contact": CONTACT}}, "/data/tag"),
        ({"data": {"contact": {"email": "a@b.example"}, "tag": {"id": 1}}}, "/data/contact/id"),
        ({"data": {"contact": {"id": "abc", "email": "a@b.example"}, "tag": {"id": 1}}}, "/data/contact/id"),
        ({"data": {"contact": CONTACT | {"created_at": "yesterday"}, "tag": {"id": 1}}}, "/data/contact/created_at"),
    ],
)
async def test_what_cannot_be_accepted_is_refused_with_a_pointer(
    services: Services, account: Account, changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await publish(services, [request(**({"account": account.id} | changes))])
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]
    assert await services.store.deliveries(DeliveryQuery(account_id=account.id)) == []


async def test_of_a_batch_with_one_wrong_event_none_is_accepted(services: Services, account: Account) -> None:
    await kit_endpoint(services, account, "subscriber.tag_add", "123")
    requests = [request(account.id), request(account.id, type="nope"), request(account.id, data={})]
    with pytest.raises(Invalid) as refusal:
        await publish(services, requests, "/events")
    pointers = [problem.pointer for problem in refusal.value.problems]
    assert pointers == ["/events/1/type", "/events/2/data/contact", "/events/2/data/tag"]
    assert await services.store.deliveries(DeliveryQuery(account_id=account.id)) == []


async def test_numeric_ids_may_come_as_strings(services: Services, account: Account) -> None:
    await kit_endpoint(services, account, "subscriber.tag_add", "123")
    data = {"contact": {"id": "1", "email": "ada@example.com"}, "tag": {"id": "123"}}
    assert (await accepted(services, account, data=data)).deliveries == 1


async def test_the_only_site_need_not_be_named(services: Services, account: Account) -> None:
    site = await create_site(services, account.id, "Courses")
    event = await services.store.event((await accepted(services, account)).event_id)
    assert event is not None
    assert event.site_id == site.id


async def test_with_several_sites_an_event_that_a_site_could_miss_must_name_one(
    services: Services, account: Account
) -> None:
    sites = [await create_site(services, account.id, title) for title in ("One", "Two")]
    with pytest.raises(Invalid) as refusal:
        await publish_one(services, account)
    assert refusal.value.problems[0].pointer == "/site"
    assert (await accepted(services, account, site=sites[1].id)).event_id
    # Kit has no sites, so an event that only Kit prints needs none.
    assert (await accepted(services, account, type="contact.activated", data={"contact": CONTACT})).event_id


async def test_a_site_of_another_account_is_unknown(services: Services, account: Account) -> None:
    other = (await create_account(services, "Other")).account
    site = await create_site(services, other.id, "Theirs")
    with pytest.raises(Invalid):
        await publish_one(services, account, site=site.id)


async def test_the_time_of_the_event_may_be_given(services: Services, account: Account, clock: MovableClock) -> None:
    answer = await accepted(services, account, occurred_at="2026-01-31T23:59:59.5+01:00")
    event = await services.store.event(answer.event_id)
    assert event is not None
    assert event.occurred_at == 1_769_900_399_500_000
    assert event.accepted_at == clock.now()


async def test_a_link_with_a_nul_is_accepted_and_matches_nobody(services: Services, account: Account) -> None:
    data = {"contact": CONTACT, "link": {"url": "https://example.com/\0"}}
    assert (await accepted(services, account, type="link.clicked", data=data)).deliveries == 0


def test_every_event_type_is_a_noun_and_a_verb() -> None:
    for name in EVENT_TYPES:
        noun, _, verb = name.partition(".")
        assert noun.isidentifier()
        assert verb.isidentifier()
