"""From a hook made over HTTP to the body that its receiver gets."""

import json

import httpx

from hookwright.ambient import MovableClock, new_event_id
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Account, Claim, Draft, Event, Parcel, SigningKey, Site
from hookwright.core.vocabulary import typed_data
from hookwright.dialects.kajabi import KAJABI
from hookwright.operations.accounts import create_site
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery

from .conftest import hook


async def publish(services: Services, account: Account, site: Site, type: str, data: object) -> Event:
    now = services.clock.now()
    event = Event(
        id=new_event_id(now, account.id % LANE_COUNT),
        account_id=account.id,
        site_id=site.id,
        type=type,
        occurred_at=now,
        accepted_at=now,
        data=json.dumps(data).encode(),
    )
    notices = tuple(KAJABI.translate(event, typed_data(type, event.data)))
    await services.intake.accept([Draft(event=event, fingerprint=b"", notices=notices)])
    return event


async def test_a_hook_gets_the_events_of_its_site_and_its_resource(
    owner: httpx.AsyncClient, services: Services, account: Account, site: Site
) -> None:
    other = await create_site(services, account.id, "Other")
    made = {
        name: (await owner.post("/v1/hooks", json=document)).json()["data"]["id"]
        for name, document in {
            "any tag": hook("tag_added", site_id=site.id),
            "this tag": hook("tag_added", site_id=site.id, resource_id="3"),
            "another tag": hook("tag_added", site_id=site.id, resource_id=4),
            "another event": hook("tag_removed", site_id=site.id),
            "another site": hook("tag_added", site_id=other.id),
        }.items()
    }
    data = {"contact": {"id": 7, "email": "ada@example.com"}, "tag": {"id": 3, "name": "VIP"}}
    event = await publish(services, account, site, "contact.tag_added", data)
    deliveries = await services.store.deliveries(DeliveryQuery(account_id=account.id))
    assert {str(delivery.endpoint_id) for delivery in deliveries} == {made["any tag"], made["this tag"]}
    for delivery in deliveries:
        body = json.loads(await services.store.payload(delivery.id) or b"")
        assert (body["id"], body["event"]) == (event.id, "tag_added")
        assert body["payload"][1] == {
            "id": "3",
            "type": "contact_tags",
            "attributes": {"name": "VIP"},
            "relationships": {"site": {"data": {"id": str(site.id), "type": "sites"}}},
        }


async def test_a_deleted_hook_gets_nothing(
    owner: httpx.AsyncClient, services: Services, account: Account, site: Site
) -> None:
    created = (await owner.post("/v1/hooks", json=hook("tag_added"))).json()["data"]
    await owner.delete(f"/v1/hooks/{created['id']}")
    data = {"contact": {"id": 7, "email": "ada@example.com"}, "tag": {"id": 3}}
    await publish(services, account, site, "contact.tag_added", data)
    assert await services.store.deliveries(DeliveryQuery(account_id=account.id)) == []


def test_a_delivery_is_json_signed_by_standard_webhooks(clock: MovableClock) -> None:
    claim = Claim(
        delivery_id=1,
        fence=1,
        account_id=1,
        event_id="e",
        event_type="contact.tag_added",
        occurred_at=0,
        created_at=0,
        endpoint_id=1,
        dialect="kajabi",
        dialect_event="tag_added",
        ordinal=0,
        url="https://example.com/webhook",
        body=b"{}",
        attempt=1,
        round_attempt=1,
        retry_schedule=None,
    )
    parcel = Parcel(claims=(claim,), body=claim.body)
    headers = KAJABI.forms["kajabi"].headers(parcel, (SigningKey("whsec_", bytes(32)),), clock.now())
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "e"
    assert headers["webhook-signature"].startswith("v1,")
