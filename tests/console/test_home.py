"""Home: figures, charts with a table beside them, and the endpoints that need attention."""

import re

from console.conftest import TARGET, Person, PersonWith
from console.deliveries import attempt, delivery_of
from hookwright.ambient import MovableClock
from hookwright.core.attention import attention_of
from hookwright.core.model import DAY, Account, Endpoint, Subscription
from hookwright.core.tallies import HOUR_SLOT, MINUTE_SLOT, WHOLE_PLATFORM, Tally, slot_of
from hookwright.operations.endpoints import Details, create_signed_endpoint, set_status
from hookwright.operations.services import Services

HOME = "/console"


async def count(services: Services, account_id: int, slot_seconds: int, ago: int = 0) -> None:
    began_at = slot_of(services.clock.now() - ago, slot_seconds)
    tally = Tally(
        account_id=account_id, slot_seconds=slot_seconds, began_at=began_at, published=1234, delivered=56, failed=7
    )
    await services.store.add_tallies([tally])


async def test_what_was_counted_is_told_in_figures_and_drawn(admin: Person, services: Services) -> None:
    await count(services, WHOLE_PLATFORM, MINUTE_SLOT)
    page = await admin.get(HOME)
    assert "1,234" in page
    assert "attempts that succeeded; 7 failed" in page
    assert len(re.findall('<rect class="lower"', page)) == 2
    assert len(re.findall('<th scope="row">', page)) == 60


async def test_each_range_has_its_own_slots(admin: Person, services: Services) -> None:
    await count(services, WHOLE_PLATFORM, HOUR_SLOT, ago=3 * DAY)
    for name, bars, is_counted in (("1h", 60, False), ("24h", 24, False), ("7d", 56, True), ("?", 60, False)):
        page = await admin.get(HOME, range=name)
        assert len(re.findall('<th scope="row">', page)) == bars, name
        assert ("1,234" in page) == is_counted, name


async def test_an_account_sees_its_own_figures(
    person_with: PersonWith, services: Services, account: Account, other_account: Account
) -> None:
    await count(services, account.id, MINUTE_SLOT)
    assert "1,234" in await (await person_with("read", of=account)).get(HOME)
    assert "1,234" not in await (await person_with("read", of=other_account)).get(HOME)


async def test_what_fails_and_what_waits_is_told(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    assert "nothing waits to be sent" in await admin.get(HOME)
    await delivery_of(services, account)
    clock.move(seconds=65)
    assert "1 min 5 s" in await admin.get(HOME)
    await attempt(services, clock)
    page = await admin.get(HOME)
    assert re.search(r"status%3Afailed\">1</a>", page)


async def test_an_endpoint_that_fails_is_shown_with_the_reason_and_where_to_look(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    assert "Every endpoint is well" in await admin.get(HOME)
    await delivery_of(services, account)
    await attempt(services, clock, status_code=None, error="connect_refused", detail="the connection was refused")
    page = await admin.get(HOME)
    assert "receiver.example.com refused the connection" in page
    assert f"status%3Afailed+endpoint%3A{endpoint.id}" in page
    assert "it may be disabled in 5 d" in page or "may be disabled in" in page


async def test_an_endpoint_whose_kind_is_never_disabled_is_not_said_to_be_soon(
    admin: Person, services: Services, account: Account, clock: MovableClock
) -> None:
    wanted = [Subscription("subscriber.tag_added")]
    made = await create_signed_endpoint(services, account.id, "kit_endpoints", TARGET, wanted, Details())
    await delivery_of(services, account)
    await attempt(services, clock, status_code=500)
    page = await admin.get(HOME)
    assert f"/console/endpoints/{made.endpoint.id}" in page
    assert "may be disabled" not in page
    assert "will be disabled" not in await admin.get(f"/console/endpoints/{made.endpoint.id}")


async def test_a_disabled_endpoint_is_activated_and_catches_up_with_one_button(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await delivery_of(services, account)
    await attempt(services, clock, status_code=410, disable_reason="gone")
    page = await admin.get(HOME)
    assert "said that it is gone for good (410)" in page
    assert "Activate and catch up" in page
    recover = f"/console/endpoints/{endpoint.id}/recover"
    assert recover in page
    progress = (await admin.send(recover)).headers["location"]
    assert "of 1 are on their way" in await admin.get(progress)
    found = await services.store.endpoint(account.id, endpoint.id)
    assert found is not None
    assert found.status == "active"


async def test_an_account_does_not_see_the_troubles_of_another(
    person_with: PersonWith, services: Services, endpoint: Endpoint, account: Account, other_account: Account
) -> None:
    await set_status(services, account.id, endpoint.id, "disabled", "gone")
    stranger = await person_with("admin", of=other_account)
    assert "There are no endpoints yet." in await stranger.get(HOME)
    recover = f"/console/endpoints/{endpoint.id}/recover"
    assert (await stranger.send(recover)).status_code == 404


async def test_a_well_endpoint_needs_nothing(endpoint: Endpoint, clock: MovableClock) -> None:
    assert attention_of(endpoint, clock.now(), may_disable=True) is None
