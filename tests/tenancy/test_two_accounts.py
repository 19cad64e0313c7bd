"""Two accounts that call their things by the same names."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hookwright.core.model import Delivery
from hookwright.store.base import DeliveryQuery
from tenancy.holdings import Holdings
from tenancy.running import Running, running_on


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_on(f"sqlite:{tmp_path / 'hookwright.sqlite3'}") as running:
        yield running


@pytest.fixture
async def ada(running: Running) -> Holdings:
    return await Holdings.make(running, "quokkada", running.kit_apps[0], 10_000)


@pytest.fixture
async def eve(running: Running, ada: Holdings) -> Holdings:
    return await Holdings.make(running, "wombateve", running.kit_apps[1], 20_000)


async def publish(running: Running, own: Holdings, **more: str) -> httpx.Response:
    key = (await own.new_key("hookwright", "publish"))["secret"]
    body = {**own.event, **more}
    return await running.client.post("/api/v1/events", json=body, headers={"Authorization": f"Bearer {key}"})


async def deliveries_of(running: Running, own: Holdings) -> list[Delivery]:
    return await running.store.deliveries(DeliveryQuery(account_id=own.account_id, limit=1_000))


async def test_an_idempotency_key_is_one_accounts_own(running: Running, ada: Holdings, eve: Holdings) -> None:
    answers = [await publish(running, own, idempotency_key="the same") for own in (ada, eve, ada, eve)]
    assert [answer.status_code for answer in answers] == [202] * 4
    assert [answer.json()["duplicate"] for answer in answers] == [False, False, True, True]
    first, second, *again = [answer.json()["event_id"] for answer in answers]
    assert first != second
    assert again == [first, second]


async def test_an_event_goes_to_endpoints_of_its_account_alone(
    running: Running, ada: Holdings, eve: Holdings
) -> None:
    """Both subscribe in every dialect, to the same tag."""
    before = await deliveries_of(running, ada)
    event_id = (await publish(running, eve)).json()["event_id"]
    assert await deliveries_of(running, ada) == before
    sent = await running.store.deliveries(DeliveryQuery(event_id=event_id, limit=1_000))
    assert {delivery.dialect for delivery in sent} == {"hookwright", "kajabi", "kit", "kit_endpoints"}
    assert {delivery.account_id for delivery in sent} == {eve.account_id}


async def test_what_one_account_ends_goes_on_for_the_other(running: Running, ada: Holdings, eve: Holdings) -> None:
    await running.manage("DELETE", f"/accounts/{eve.account_id}")
    shown = await running.client.get("/v4/webhooks", headers=ada.kit_headers)
    assert str(shown.json()["webhooks"][0]["id"]) == ada.own("webhook")
    assert (await publish(running, ada)).status_code == 202
