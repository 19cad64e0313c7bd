"""Sample events for one endpoint, of every dialect."""

import json
from typing import Any

import httpx
import pytest

from api.conftest import TARGET, CallerWith
from api.requests import get, pointers
from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.model import Account, Endpoint, Subscription
from hookwright.core.samples import SAMPLES
from hookwright.operations.accounts import create_site
from hookwright.operations.endpoints import create_endpoint, set_status
from hookwright.operations.services import Services


@pytest.fixture
async def tenant(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    return await caller_with("manage", of=account)


async def endpoint_for(services: Services, account: Account, dialect: str, *wanted: Subscription) -> Endpoint:
    """An endpoint of a dialect; a Kajabi hook on a new site."""
    site = await create_site(services, account.id, "Ada's site") if dialect == "kajabi" else None
    return await create_endpoint(services, account.id, dialect, TARGET, wanted, site.id if site else None)


async def send(client: httpx.AsyncClient, endpoint: Endpoint, type: str | None = None) -> dict[str, Any]:
    """Send a sample; the delivery in full."""
    path = f"/api/v1/endpoints/{endpoint.id}/test"
    response = await (client.post(path) if type is None else client.post(path, json={"type": type}))
    assert response.status_code == 202, response.text
    shown = await get(client, f"/deliveries/{response.json()['id']}")
    assert response.json().items() <= {**shown, "endpoint": {"id": endpoint.id}}.items()
    delivery: dict[str, Any] = shown
    return delivery


async def test_a_sample_goes_to_one_endpoint_only(
    tenant: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint
) -> None:
    await endpoint_for(services, account, "kit", Subscription("subscriber.tag_add"))
    delivery = await send(tenant, endpoint, "contact.tag_added")
    assert (delivery["endpoint"]["id"], delivery["status"]) == (endpoint.id, "pending")
    assert [each["id"] for each in (await get(tenant, "/deliveries"))["data"]] == [delivery["id"]]
    event = await get(tenant, f"/events/{delivery['event']['id']}")
    assert (event["type"], event["data"]) == ("contact.tag_added", SAMPLES["contact.tag_added"])


@pytest.mark.parametrize(
    ("dialect", "event", "type"),
    [
        ("kajabi", "purchase", "purchase.created"),
        ("kajabi", "order_created", "order.created"),
        ("kit", "subscriber.subscriber_bounce", "contact.bounced"),
        ("kit", "purchase.purchase_create", "purchase.created"),
        ("kit_endpoints", "post.published", "post.published"),
        ("hookwright", "sequence.completed", "sequence.completed"),
        ("hookwright", "form.*", "form.submitted"),
        ("hookwright", "*", "contact.created"),
        ("hookwright", "order.*", "order.created"),
        *(("hookwright", name, name) for name in OPERATIONAL_TYPES),
    ],
)
async def test_without_a_type_it_is_the_first_that_the_endpoint_subscribes_to(
    tenant: httpx.AsyncClient, services: Services, account: Account, dialect: str, event: str, type: str
) -> None:
    delivery = await send(tenant, await endpoint_for(services, account, dialect, Subscription(event)))
    assert (delivery["event"]["type"], delivery["dialect"]) == (type, dialect)
    assert json.loads(delivery["payload"])


@pytest.mark.parametrize(
    ("dialect", "wanted", "type", "section"),
    [
        ("kajabi", "tag_added", "contact.tag_added", "tag"),
        ("kajabi", "form_submission", "form.submitted", "form"),
        ("kajabi", "purchase", "purchase.created", "offer"),
        ("kit", "subscriber.course_complete", "sequence.completed", "sequence"),
        ("kit", "custom_field.field_value_updated", "contact.custom_field_updated", "custom_field"),
        ("hookwright", "contact.*", "contact.tag_added", "tag"),
        ("hookwright", "broadcast.sent", "broadcast.sent", "broadcast"),
    ],
)
async def test_the_sample_is_about_the_resource_that_is_subscribed_to(
    tenant: httpx.AsyncClient,
    services: Services,
    account: Account,
    dialect: str,
    wanted: str,
    type: str,
    section: str,
) -> None:
    delivery = await send(tenant, await endpoint_for(services, account, dialect, Subscription(wanted, "99001")))
    assert delivery["event"]["type"] == type
    event = await get(tenant, f"/events/{delivery['event']['id']}")
    assert event["data"][section]["id"] == 99001


async def test_a_sample_of_a_click_or_a_product_is_about_it_too(
    tenant: httpx.AsyncClient, services: Services, account: Account
) -> None:
    url = "https://courses.example.com/elsewhere"
    click = await endpoint_for(services, account, "kit", Subscription("subscriber.link_click", url))
    event = await get(tenant, f"/events/{(await send(tenant, click))['event']['id']}")
    assert event["data"]["link"]["url"] == url
    product = await endpoint_for(services, account, "kit", Subscription("subscriber.product_purchase", "8"))
    event = await get(tenant, f"/events/{(await send(tenant, product, 'purchase.created'))['event']['id']}")
    assert event["data"]["products"][0]["id"] == 8


async def test_a_declared_type_has_the_sample_that_was_declared(
    tenant: httpx.AsyncClient, admin: httpx.AsyncClient, services: Services, account: Account
) -> None:
    await admin.put("/api/v1/event-types/invoice.paid", json={"sample": {"invoice": {"id": 9001}}})
    await admin.put("/api/v1/event-types/invoice.sent", json={})
    await admin.put("/api/v1/event-types/invoice.lost", json={"sample": {"tag": 5, "items": [None], "link": "no"}})
    both = (Subscription("invoice.paid"), Subscription("tag.created", "5"))
    wanting = await endpoint_for(services, account, "hookwright", *both)
    paid = await send(tenant, wanting, "invoice.paid")
    assert json.loads(paid["payload"])["data"] == {"invoice": {"id": 9001}}
    lost = await tenant.post(f"/api/v1/endpoints/{wanting.id}/test", json={"type": "invoice.lost"})
    assert (lost.status_code, pointers(lost)) == (422, ["/type"])
    refused = await tenant.post(f"/api/v1/endpoints/{wanting.id}/test", json={"type": "invoice.sent"})
    assert (refused.status_code, pointers(refused)) == (422, ["/type"])
    assert "declared without a sample" in refused.json()["detail"]


@pytest.mark.parametrize("type", ["form.submitted", "delivery.dead"])
async def test_a_type_that_the_endpoint_does_not_want_is_answered_with_what_it_wants(
    tenant: httpx.AsyncClient, endpoint: Endpoint, type: str
) -> None:
    refused = await tenant.post(f"/api/v1/endpoints/{endpoint.id}/test", json={"type": type})
    assert (refused.status_code, pointers(refused)) == (422, ["/type"])
    (error,) = refused.json()["errors"]
    assert error["message"] == f"{type} becomes nothing that this kit endpoint wants: subscriber.tag_add"


@pytest.mark.parametrize("resource", ["no number", "9" * 30, "9" * 2000, "٣"])
async def test_a_resource_that_no_event_can_have_is_refused(
    tenant: httpx.AsyncClient, services: Services, account: Account, resource: str
) -> None:
    stuck = await endpoint_for(services, account, "hookwright", Subscription("contact.tag_added", resource))
    refused = await tenant.post(f"/api/v1/endpoints/{stuck.id}/test")
    assert (refused.status_code, pointers(refused)) == (422, ["/type"])
    assert f"contact.tag_added of {resource}" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [({"type": "contact.exploded"}, "/type"), ({"type": 5}, "/type"), ({"kind": "x"}, "/kind"), ([], "")],
)
async def test_what_makes_no_sense_is_refused(
    tenant: httpx.AsyncClient, endpoint: Endpoint, asked: Any, pointer: str
) -> None:
    refused = await tenant.post(f"/api/v1/endpoints/{endpoint.id}/test", json=asked)
    assert (refused.status_code, pointers(refused)) == (422, [pointer])
    assert (await get(tenant, "/deliveries"))["data"] == []


async def test_an_endpoint_that_is_not_active_gets_the_sample_once_it_is(
    tenant: httpx.AsyncClient, services: Services, account: Account, endpoint: Endpoint
) -> None:
    await set_status(services, account.id, endpoint.id, "paused")
    assert (await send(tenant, endpoint))["status"] == "pending"


async def test_another_accounts_endpoint_is_a_404(
    caller_with: CallerWith, admin: httpx.AsyncClient, account: Account, other_account: Account, endpoint: Endpoint
) -> None:
    path = f"/api/v1/endpoints/{endpoint.id}/test"
    stranger = await caller_with("manage", of=other_account)
    assert (await stranger.post(path)).status_code == 404
    assert (await stranger.post(path, params={"account": account.id})).status_code == 404
    assert pointers(await admin.post(path)) == ["/account"]
    assert (await admin.post(path, params={"account": account.id})).status_code == 202
    reader = await caller_with("read", of=account)
    assert (await reader.post(path)).status_code == 403
