"""Deliveries of our own form, from publish to a receiver that verifies them, on both databases."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from engine.harness import Engine, running_engine
from hookwright.ambient import Dice, MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.model import Subscription
from hookwright.dialects.standard import STANDARD
from hookwright.engine.keyring import Keyring
from hookwright.engine.sender import Sender
from hookwright.engine.worker import Worker, WorkerSettings
from hookwright.operations.endpoints import Details
from hookwright.operations.event_types import declare_event_type
from hookwright.operations.own_endpoints import OwnEndpoint, create_own_endpoint, rotate_verifying_key
from hookwright.store.base import Store
from hookwright.testing.receiver import Received


@pytest.fixture
def clock() -> MovableClock:
    """The machine's time, since the reference verifier compares the timestamp with it."""
    return MovableClock(int(datetime.now(UTC).timestamp()) * 1_000_000)


@pytest.fixture
async def engine(store: Store, clock: MovableClock) -> AsyncIterator[Engine]:
    """The engine with our own form."""
    async with running_engine(store, clock) as engine:
        engine.services = replace(engine.services, translations={STANDARD.name: STANDARD.translate})
        sender = Sender(clock, TargetPolicy(allow_private=True))
        keyring = Keyring(store, engine.services.vault, clock)
        engine.worker = Worker(store, sender, keyring, STANDARD.forms, clock, Dice(seed=2), WorkerSettings())
        yield engine
        await sender.close()


async def subscribe(engine: Engine, *wanted: Subscription, **details: Any) -> OwnEndpoint:
    url = engine.receiver.url + "/own"
    return await create_own_endpoint(engine.services, engine.account.id, url, wanted, Details(**details))


async def receive(engine: Engine) -> Received:
    """The only request that came of what is due."""
    engine.receiver.requests.clear()
    assert await engine.worker.tick() == 1
    [request] = engine.receiver.requests
    return request


def verify_v1a(key: str | None, request: Received, signature: str) -> None:
    """By the specification: `v1a,` and base64 of an Ed25519 signature over `id.timestamp.body`."""
    assert key is not None
    version, _, encoded = signature.partition(",")
    assert version == "v1a"
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    public = Ed25519PublicKey.from_public_bytes(b64decode(key.removeprefix("whpk_")))
    public.verify(b64decode(encoded), content)


async def test_a_delivery_is_verified_by_the_reference_library(engine: Engine) -> None:
    new = await subscribe(engine, Subscription("contact.*"), headers={"X-Tenant": "ada", "authorization": "Bearer x"})
    data = b'{"contact": {"id": 12345678901234567, "email": "ada@example.com", "more": 1.10}}'
    accepted = await engine.publish(data=msgspec.Raw(data), occurred_at="2026-01-31T19:20:00.5+01:00")
    request = await receive(engine)
    body = Webhook(new.key.signing_secret or "").verify(request.body, request.headers)
    assert body["type"] == "contact.created"
    assert body["timestamp"] == "2026-01-31T18:20:00.500000Z"
    assert list(body) == ["type", "timestamp", "data"]
    assert request.body.endswith(b'"data":' + data + b"}"), "the data is what was published, to the byte"
    assert request.headers["webhook-id"] == accepted.event_id
    assert request.headers["content-type"] == "application/json"
    assert (request.headers["x-tenant"], request.headers["authorization"]) == ("ada", "Bearer x")
    assert (await engine.delivery()).status == "delivered"


async def test_old_and_new_secret_both_sign_after_a_rotation(engine: Engine) -> None:
    new = await subscribe(engine, Subscription("*"))
    rotated = await rotate_verifying_key(engine.services, engine.account.id, new.endpoint.id)
    await engine.publish()
    request = await receive(engine)
    assert len(request.headers["webhook-signature"].split()) == 2
    for key in (new.key, rotated):
        Webhook(key.signing_secret or "").verify(request.body, request.headers)


async def test_a_v1a_delivery_is_verified_with_the_public_key(engine: Engine) -> None:
    new = await subscribe(engine, Subscription("*"), signature="v1a")
    await engine.publish()
    request = await receive(engine)
    verify_v1a(new.key.verification_key, request, request.headers["webhook-signature"])
    changed = replace(request, body=request.body + b" ")
    with pytest.raises(InvalidSignature):
        verify_v1a(new.key.verification_key, changed, request.headers["webhook-signature"])


async def test_old_and_new_v1a_key_both_sign_after_a_rotation(engine: Engine, clock: MovableClock) -> None:
    new = await subscribe(engine, Subscription("*"), signature="v1a")
    clock.move(seconds=1)
    rotated = await rotate_verifying_key(engine.services, engine.account.id, new.endpoint.id)
    await engine.publish()
    request = await receive(engine)
    signatures = request.headers["webhook-signature"].split()
    for key, signature in zip((rotated, new.key), signatures, strict=True):
        verify_v1a(key.verification_key, request, signature)


async def test_a_declared_event_is_delivered_to_who_wants_its_family(engine: Engine) -> None:
    await declare_event_type(engine.services, "invoice.paid", schema={"required": ["total"]})
    await subscribe(engine, Subscription("invoice.*"))
    await subscribe(engine, Subscription("contact.*"))
    await engine.publish(type="invoice.paid", data={"total": 5, "lines": [1.5]})
    request = await receive(engine)
    assert request.json()["type"] == "invoice.paid"
    assert request.json()["data"] == {"total": 5, "lines": [1.5]}


async def test_a_resource_narrows_a_family(engine: Engine) -> None:
    await subscribe(engine, Subscription("contact.*", "123"))
    contact = {"id": 123, "email": "ada@example.com"}
    other = await engine.publish(type="contact.tag_added", data={"contact": contact, "tag": {"id": 7}})
    wanted = await engine.publish(type="contact.tag_added", data={"contact": contact, "tag": {"id": "123"}})
    assert (other.deliveries, wanted.deliveries) == (0, 1)
    request = await receive(engine)
    assert request.json()["data"]["tag"] == {"id": "123"}


async def test_a_retry_is_the_same_message(engine: Engine, clock: MovableClock) -> None:
    await subscribe(engine, Subscription("*"), retry_schedule=(0, 60))
    engine.receiver.fail_next(1)
    await engine.publish()
    first = await receive(engine)
    clock.move(seconds=120)
    second = await receive(engine)
    assert second.body == first.body
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.headers["webhook-signature"] != first.headers["webhook-signature"]
