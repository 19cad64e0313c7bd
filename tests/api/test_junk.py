"""Whatever is sent, it is our answer that comes back and never a fault of ours."""

from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.conftest import TARGET
from api.requests import event
from hookwright.ambient import new_event_id
from hookwright.core.model import Account, Event, Subscription
from hookwright.core.samples import SAMPLES
from hookwright.core.vocabulary import EVENT_TYPES, typed_data
from hookwright.operations.accounts import create_site
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.services import Services

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
ids = st.integers(0, 2**54).map(str) | texts.filter(bool)
members = st.dictionaries(
    st.sampled_from(["name", "title", "subdomain", "kind", "account", "scopes", "attributes", "status", "type"])
    | st.sampled_from(["retry_schedule", "site", "occurred_at", "idempotency_key", "data", "events", "url"])
    | st.sampled_from(["description", "headers", "signature", "schema", "sample", "statuses", "rate_per_second"])
    | st.sampled_from(["max_in_flight", "since", "created_from", "created_to", "finished_from", "dry_run"]),
    values
    | st.sampled_from(["hookwright", "kajabi", "active", "2026-01-31T00:00:00Z", *EVENT_TYPES])
    | st.lists(st.sampled_from(["read", "owner"]), max_size=2),
    max_size=6,
)
parameters = st.dictionaries(
    st.sampled_from(["account", "endpoint", "event", "status", "event_type", "created_from", "created_to", "limit"])
    | st.sampled_from(["cursor", "dialect"]),
    texts | st.integers().map(str) | st.datetimes().map(str),
    max_size=4,
)

PATHS = (
    "events",
    "events/batch",
    "events/{}",
    "event-types",
    "event-types/{}",
    "deliveries",
    "deliveries/{}",
    "deliveries/{}/replay",
    "replays",
    "replays/{}",
    "replays/{}/cancel",
    "endpoints",
    "endpoints/{}",
    "endpoints/{}/test",
    "endpoints/{}/recover",
    "endpoints/{}/signing-secrets",
    "endpoints/{}/signing-secrets/rotate",
    "accounts",
    "accounts/{}",
    "accounts/{}/signing-secrets",
    "accounts/{}/signing-secrets/rotate",
    "accounts/{}/sites",
    "accounts/{}/sites/{}",
    "keys",
    "keys/{}",
    "keys/{}/rotate",
)


@many
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=st.sampled_from(PATHS),
    id=ids,
    query=parameters,
    body=members | values,
)
async def test_no_route_fails_on_junk(
    admin: httpx.AsyncClient, method: str, path: str, id: str, query: dict[str, str], body: Any
) -> None:
    place = path.replace("{}", quote(id, safe=""))
    response = await admin.request(method, f"/api/v1/{place}", params=query, json=body)
    assert response.status_code < 500, response.text


@many
@given(body=st.binary(max_size=200), path=st.sampled_from(["events", "events/batch", "accounts", "keys"]))
async def test_no_route_fails_on_bytes(admin: httpx.AsyncClient, body: bytes, path: str) -> None:
    response = await admin.post(f"/api/v1/{path}", content=body)
    assert 400 <= response.status_code < 500, response.text


@pytest.fixture
async def eager_account(services: Services, account: Account) -> Account:
    """An account with an endpoint for every notice of every sample, so that each one is rendered."""
    site = await create_site(services, account.id, "Ada's site")
    wanted = set()
    for type, sample in SAMPLES.items():
        fact = Event(
            id=new_event_id(0, 0),
            account_id=account.id,
            site_id=site.id,
            type=type,
            occurred_at=0,
            accepted_at=0,
            data=msgspec.json.encode(sample),
        )
        data = typed_data(type, fact.data)
        for translate in services.translations.values():
            wanted |= {(notice.dialect, notice.event, notice.site_id) for notice in translate(fact, data)}
    for dialect, name, site_id in wanted:
        await create_endpoint(services, account.id, dialect, TARGET, [Subscription(name)], site_id)
    return account


@many
@given(data=st.data())
async def test_no_event_data_fails_to_be_published(
    admin: httpx.AsyncClient, eager_account: Account, data: st.DataObject
) -> None:
    """Samples with a member replaced, so that junk gets as far as what the dialects print."""
    type = data.draw(st.sampled_from(list(EVENT_TYPES)))
    body = event(eager_account, type)
    section = data.draw(st.sampled_from(list(body["data"])))
    changed: Any = body["data"][section]
    if isinstance(changed, dict):
        name = data.draw(st.sampled_from(list(changed)) | texts)
        changed = {**changed, name: data.draw(values | st.datetimes().map(str))}
    body["data"] = {**body["data"], section: changed}
    response = await admin.post("/api/v1/events", json=body)
    assert response.status_code in (202, 400, 422), response.text
