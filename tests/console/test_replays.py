"""Replays from the console: of one, of the selected, of all that match, and who may."""

import pytest

from console.conftest import Person, PersonWith
from console.deliveries import attempt, delivery_of
from hookwright.ambient import MovableClock
from hookwright.core.model import Account, Delivery, Endpoint
from hookwright.operations.services import Services

LIST = "/console/deliveries"
ASK = "/console/replays/new"


@pytest.fixture
async def dead(services: Services, account: Account, endpoint: Endpoint, clock: MovableClock) -> list[Delivery]:
    """Three deliveries that gave up."""
    made = []
    for _ in range(3):
        made.append(await delivery_of(services, account))
        await attempt(services, clock)
    return made


async def status_of(services: Services, delivery: Delivery) -> str:
    found = await services.store.delivery(delivery.id)
    assert found is not None
    return found.status


async def test_one_is_replayed_and_shown(admin: Person, services: Services, dead: list[Delivery]) -> None:
    response = await admin.send(f"{LIST}/{dead[0].id}/replay", q="status:dead")
    assert response.headers["location"] == f"{LIST}/{dead[0].id}?q=status%3Adead&told=replayed"
    assert await status_of(services, dead[0]) == "pending"
    assert "waiting" in await admin.get(f"{LIST}/{dead[0].id}")


async def test_one_that_waits_is_cancelled(admin: Person, services: Services, dead: list[Delivery]) -> None:
    await admin.send(f"{LIST}/{dead[0].id}/replay")
    assert (await admin.send(f"{LIST}/{dead[0].id}/cancel")).status_code == 303
    assert await status_of(services, dead[0]) == "cancelled"
    assert (await admin.send(f"{LIST}/{dead[0].id}/cancel")).status_code == 409


async def test_the_selected_are_replayed_and_the_rest_is_told(
    admin: Person, services: Services, dead: list[Delivery]
) -> None:
    response = await admin.send(f"{LIST}/replay", id=[str(dead[0].id), str(dead[1].id), "64"], q="")
    assert "2+replayed%2C+1+could+not+be" in response.headers["location"]
    assert [await status_of(services, each) for each in dead] == ["pending", "pending", "dead"]
    assert "nothing+selected" in (await admin.send(f"{LIST}/replay")).headers["location"]


async def test_all_that_match_are_counted_before_anything_is_sent(
    admin: Person, services: Services, account: Account, dead: list[Delivery]
) -> None:
    query = f"status:failed account:{account.id} type:contact.*"
    page = await admin.get(ASK, q=query)
    assert '<strong class="big">3</strong>' in page
    assert [await status_of(services, each) for each in dead] == ["dead"] * 3
    response = await admin.send(ASK, q=query, rate="2")
    progress = response.headers["location"]
    assert "0</strong> of 3" in await admin.get(progress)
    (replay,) = await services.store.running_replays()
    assert (replay.rate_per_second, replay.event_type, replay.statuses) == (2, "contact.*", ("dead",))
    await services.store.advance_replay(account.id, replay.id, 2, services.clock.now())
    assert "2</strong> of 3" in await admin.get(progress)
    await admin.send(f"{progress}/cancel")
    assert "cancelled" in await admin.get(progress)


@pytest.mark.parametrize(
    "query", ["order_123 account:{account}", "status:failed", "status:waiting account:{account}", "colour:red"]
)
async def test_a_search_that_no_replay_can_follow_is_refused(
    admin: Person, account: Account, dead: list[Delivery], query: str
) -> None:
    await admin.get(ASK, q=query.format(account=account.id), status=422)


async def test_an_endpoint_says_whose_deliveries_are_meant(
    admin: Person, endpoint: Endpoint, dead: list[Delivery]
) -> None:
    assert '<strong class="big">3</strong>' in await admin.get(ASK, q=f"status:dead endpoint:{endpoint.id}")


async def test_a_key_that_only_reads_replays_nothing(
    person_with: PersonWith, services: Services, account: Account, endpoint: Endpoint, dead: list[Delivery]
) -> None:
    reader = await person_with("read", of=account)
    page = await reader.get(f"{LIST}/{dead[0].id}")
    assert "Replay" not in page
    for path in (
        f"{LIST}/replay",
        f"{LIST}/{dead[0].id}/replay",
        f"{LIST}/{dead[0].id}/cancel",
        ASK,
        f"/console/endpoints/{endpoint.id}/recover",
    ):
        assert (await reader.send(path, id=str(dead[0].id))).status_code == 403, path
    assert [await status_of(services, each) for each in dead] == ["dead"] * 3


async def test_an_account_reaches_no_replay_of_another(
    person_with: PersonWith, services: Services, account: Account, other_account: Account, dead: list[Delivery]
) -> None:
    person = await person_with("admin", of=account)
    admin = await person_with("admin")
    mine = (await admin.send(ASK, q=f"status:dead account:{account.id}")).headers["location"]
    stranger = await person_with("admin", of=other_account)
    assert "of 3" in await person.get(mine)
    await stranger.get(mine, status=404)
    assert (await stranger.send(f"{mine}/cancel")).status_code == 404
    await stranger.get(ASK, q=f"status:dead account:{account.id}", status=422)
    assert '<strong class="big">0</strong>' in await stranger.get(
        ASK, q=f"status:dead endpoint:{dead[0].endpoint_id}"
    )
