"""Ten signing secrets of one owner may be live at once, all of them sign, and there is no eleventh."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from api.conftest import CallerWith
from api.requests import get, pointers, publish
from engine.harness import make_worker
from hookwright.ambient import MovableClock
from hookwright.core.model import Account, Subscription
from hookwright.dialects.kit import KIT
from hookwright.dialects.standard import STANDARD
from hookwright.engine.worker import Worker
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.services import Services
from hookwright.testing.receiver import Received, Receiver

MOST = 10


@pytest.fixture
async def owner(caller_with: CallerWith, account: Account) -> httpx.AsyncClient:
    """An administrator of one account."""
    return await caller_with("admin", of=account)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def worker(services: Services, clock: MovableClock) -> Worker:
    return make_worker(services, clock, forms={**STANDARD.forms, **KIT.forms})


async def rotate_until_refused(owner: httpx.AsyncClient, path: str) -> list[str]:
    """Rotate until as many as possible are live; their `whsec_` texts, newest first."""
    [secret] = (await get(owner, path))["signing_secrets"]
    secrets = [secret]
    while (answer := await owner.post(f"/api/v1{path}/rotate")).status_code == 200:
        secrets.insert(0, answer.json()["signing_secret"])
        assert len(secrets) <= MOST
    assert (answer.status_code, pointers(answer)) == (409, [])
    return secrets


async def receive(worker: Worker, receiver: Receiver) -> Received:
    """The only request that came of what is due."""
    assert await worker.tick() == 1
    [request] = receiver.requests
    return request


def signatures(request: Received, secrets: list[str]) -> list[str]:
    """What the reference library signs the request with, secret by secret."""
    message_id, sent_at = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
    text = request.body.decode()
    return [Webhook(each).sign(message_id, datetime.fromtimestamp(sent_at, UTC), text) for each in secrets]


async def test_ten_secrets_of_an_account_are_live_and_sign(
    owner: httpx.AsyncClient, services: Services, account: Account, worker: Worker, receiver: Receiver
) -> None:
    await create_endpoint(services, account.id, "kit", receiver.url, [Subscription("subscriber.tag_add")])
    path = f"/accounts/{account.id}/signing-secrets"
    secrets = await rotate_until_refused(owner, path)
    assert len(secrets) == MOST
    assert (await get(owner, path))["signing_secrets"] == secrets

    await publish(owner, account)
    request = await receive(worker, receiver)
    assert request.headers["webhook-signature"].split() == signatures(request, secrets)


async def test_ten_secrets_of_an_endpoint_of_our_own_are_live_and_sign(
    owner: httpx.AsyncClient, account: Account, worker: Worker, receiver: Receiver
) -> None:
    wanted = {"url": receiver.url, "events": ["contact.*"]}
    made = (await owner.post("/api/v1/endpoints", json=wanted)).json()
    path = f"/endpoints/{made['id']}/signing-secrets"
    secrets = await rotate_until_refused(owner, path)
    assert len(secrets) == MOST
    assert secrets[-1] == made["signing_secret"]

    await publish(owner, account)
    request = await receive(worker, receiver)
    assert request.headers["webhook-signature"].split() == signatures(request, secrets)


async def test_a_day_after_the_last_rotation_there_is_room_again(
    owner: httpx.AsyncClient, account: Account, clock: MovableClock
) -> None:
    path = f"/accounts/{account.id}/signing-secrets"
    secrets = await rotate_until_refused(owner, path)
    clock.move(days=1)
    assert (await get(owner, path))["signing_secrets"] == secrets[:1]
    assert (await owner.post(f"/api/v1{path}/rotate")).status_code == 200
