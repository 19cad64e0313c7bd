"""Endpoints: the list, one of them, and what people do to them."""

import re

import pytest

from console.conftest import TARGET, Person, PersonWith
from console.deliveries import attempt, delivery_of
from hookwright.ambient import MovableClock
from hookwright.console.endpoint_sheet import DELIVERIES_TOLD_OF
from hookwright.core.model import Account, Endpoint, EndpointChange, Subscription
from hookwright.core.samples import SAMPLES
from hookwright.operations.endpoints import Details, change_endpoint, create_endpoint, open_headers, set_status
from hookwright.operations.own_endpoints import create_own_endpoint, reveal_verifying_keys
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery

LIST = "/console/endpoints"


def path_of(endpoint: Endpoint) -> str:
    return f"{LIST}/{endpoint.id}"


@pytest.fixture
async def own(services: Services, account: Account) -> Endpoint:
    """An endpoint of our own, with a custom header."""
    wanted = [Subscription("contact.*"), Subscription("form.submitted", "512")]
    details = Details(name="Warehouse", headers={"x-api-key": "pa55-word"})
    return (await create_own_endpoint(services, account.id, TARGET, wanted, details)).endpoint


async def again(services: Services, endpoint: Endpoint) -> Endpoint:
    found = await services.store.endpoint(endpoint.account_id, endpoint.id)
    assert found is not None
    return found


async def test_the_list_tells_how_each_endpoint_does(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    assert "not tried" in await admin.get(LIST)
    for status_code in (200, 200, 500):
        await delivery_of(services, account)
        await attempt(services, clock, status="delivered" if status_code == 200 else "dead", status_code=status_code)
        clock.move(seconds=60)
    page = await admin.get(LIST)
    assert "receiver.example.com/tags" in page
    assert "2 of the latest 3 attempts succeeded" in page
    assert len(re.findall('<rect class="lower"', page)) == 2
    assert "66.6 %" in page
    assert "120 ms" in page
    assert "2 min ago" in page
    assert "failing" in page


async def test_the_list_comes_in_pages(admin: Person, services: Services, account: Account) -> None:
    made = [await create_endpoint(services, account.id, "kit", TARGET, [Subscription("a")]) for _ in range(21)]
    first = await admin.get(LIST)
    older = re.search(r'href="(/console/endpoints\?below=\d+)" rel="next"', first)
    assert older is not None
    second = await admin.get(older[1])
    shown = [set(map(int, re.findall(r'href="/console/endpoints/(\d+)"', page))) for page in (first, second)]
    assert [len(each) for each in shown] == [20, 1]
    assert shown[0] | shown[1] == {endpoint.id for endpoint in made}


async def test_endpoints_that_need_attention_are_shown_alone(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, own: Endpoint
) -> None:
    assert "Every endpoint is well" in await admin.get(LIST, show="attention")
    await set_status(services, account.id, endpoint.id, "disabled", "gone")
    page = await admin.get(LIST, show="attention")
    assert path_of(endpoint) in page
    assert path_of(own) not in page


async def test_an_account_sees_its_own_endpoints_alone(
    person_with: PersonWith, account: Account, other_account: Account, endpoint: Endpoint
) -> None:
    assert path_of(endpoint) in await (await person_with("read", of=account)).get(LIST)
    stranger = await person_with("read", of=other_account)
    assert path_of(endpoint) not in await stranger.get(LIST)


async def test_one_endpoint_tells_when_it_will_be_disabled_and_until_when_its_breaker_is_open(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    assert "nothing was tried yet" in await admin.get(path_of(endpoint))
    for _ in range(10):
        await delivery_of(services, account)
        await attempt(services, clock)
    clock.move(seconds=5)
    page = await admin.get(path_of(endpoint))
    assert "0 of 10 attempts of late" in page
    assert "It will be disabled" in page
    assert "in 4 d 23 h" in page
    assert "The breaker is open; the next attempt goes out" in page
    assert "in 25 s" in page


async def test_a_dialect_that_never_disables_says_nothing_of_it(
    admin: Person, services: Services, account: Account, clock: MovableClock
) -> None:
    wanted = [Subscription("subscriber.tag_added")]
    endpoint = await create_endpoint(services, account.id, "kit_endpoints", TARGET, wanted)
    await delivery_of(services, account)
    await attempt(services, clock)
    page = await admin.get(path_of(endpoint))
    assert "Its latest attempts failed" in page
    assert "will be disabled" not in page


async def test_a_sample_goes_to_the_endpoint_and_its_delivery_is_shown(
    admin: Person, services: Services, account: Account, own: Endpoint
) -> None:
    page = await admin.get(path_of(own))
    offered = re.findall(r"<option>([^<]+)</option>", page)
    assert offered == [name for name in SAMPLES if name.startswith("contact.")] + ["form.submitted"]
    response = await admin.send(f"{path_of(own)}/sample", type="contact.unsubscribed")
    (delivery,) = await services.store.deliveries(DeliveryQuery(endpoint_id=own.id))
    assert delivery.event_type == "contact.unsubscribed"
    assert response.headers["location"] == f"/console/deliveries/{delivery.id}?q=endpoint:{own.id}"
    assert (await admin.send(f"{path_of(own)}/sample", type="tag.created")).status_code == 422


async def test_an_endpoint_is_paused_and_activated(admin: Person, services: Services, endpoint: Endpoint) -> None:
    await admin.send(f"{path_of(endpoint)}/status", status="paused")
    assert (await again(services, endpoint)).status == "paused"
    await admin.send(f"{path_of(endpoint)}/status", status="active")
    assert (await again(services, endpoint)).status == "active"
    assert (await admin.send(f"{path_of(endpoint)}/status", status="deleted")).status_code == 404


async def test_what_was_missed_is_replayed_from_its_page(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await delivery_of(services, account)
    await attempt(services, clock, status_code=410, disable_reason="gone")
    assert "Activate and catch up" in await admin.get(path_of(endpoint))
    progress = (await admin.send(f"{path_of(endpoint)}/recover")).headers["location"]
    assert "of 1 are on their way" in await admin.get(progress)
    assert (await again(services, endpoint)).status == "active"


async def test_an_endpoint_is_deleted_only_after_it_was_asked_for_twice(
    admin: Person, services: Services, endpoint: Endpoint
) -> None:
    assert "Delete this endpoint?" in await admin.get(f"{path_of(endpoint)}/delete")
    assert (await again(services, endpoint)).status == "active"
    response = await admin.send(f"{path_of(endpoint)}/delete")
    assert "was+deleted" in response.headers["location"]
    assert await services.store.endpoint(endpoint.account_id, endpoint.id) is None
    await admin.get(path_of(endpoint), status=404)


async def test_secrets_are_shown_only_to_those_who_give_their_key_again(
    admin: Person, services: Services, own: Endpoint
) -> None:
    (key,) = await reveal_verifying_keys(services, own.account_id, own.id)
    assert key.signing_secret is not None
    assert key.signing_secret not in await admin.get(f"{path_of(own)}/secrets")
    refused = await admin.send(f"{path_of(own)}/secrets/reveal", key="hw_nonsense")
    assert refused.status_code == 403
    assert key.signing_secret not in refused.text
    shown = await admin.send(f"{path_of(own)}/secrets/reveal", key=admin.secret)
    assert shown.headers["cache-control"] == "no-store"
    assert key.signing_secret in shown.text


async def test_another_key_that_is_good_as_well_reveals_nothing(
    admin: Person, person_with: PersonWith, own: Endpoint
) -> None:
    other = await person_with("admin")
    refused = await admin.send(f"{path_of(own)}/secrets/reveal", key=other.secret)
    assert refused.status_code == 403
    assert "whsec_" not in refused.text


async def test_a_rotation_shows_the_new_secret_before_the_old(
    admin: Person, services: Services, own: Endpoint
) -> None:
    (old,) = await reveal_verifying_keys(services, own.account_id, own.id)
    assert (await admin.send(f"{path_of(own)}/secrets/rotate", key="?")).status_code == 403
    shown = await admin.send(f"{path_of(own)}/secrets/rotate", key=admin.secret)
    new, still = await reveal_verifying_keys(services, own.account_id, own.id)
    assert still == old
    found = re.findall(r"whsec_[\w+/=]+", shown.text)
    assert found == [new.signing_secret, old.signing_secret]


async def test_a_dialects_endpoint_has_no_secrets_of_its_own_here(admin: Person, endpoint: Endpoint) -> None:
    assert "/secrets" not in await admin.get(path_of(endpoint))
    await admin.get(f"{path_of(endpoint)}/secrets", status=404)


async def test_custom_headers_are_told_by_name_alone(admin: Person, own: Endpoint) -> None:
    for page in (await admin.get(path_of(own)), await admin.get(f"{path_of(own)}/edit")):
        assert "x-api-key" in page
        assert "pa55-word" not in page


async def test_blocked_lines_are_shown_with_what_holds_them_up(
    admin: Person, services: Services, account: Account, own: Endpoint, clock: MovableClock
) -> None:
    await change_endpoint(services, account.id, own.id, EndpointChange(ordering="key"))
    first = await delivery_of(services, account, ordering_key="ada")
    await delivery_of(services, account, ordering_key="ada")
    await attempt(services, clock, status="pending", retry_in_seconds=300)
    page = await admin.get(path_of(own))
    assert "Blocked lines" in page
    assert re.search(
        rf'ada</td><td><a href="/console/deliveries/{first.id}">contact.tag_added</a></td>.*>1</td>', page
    )


async def test_those_who_may_only_look_are_offered_nothing_else(
    person_with: PersonWith, account: Account, own: Endpoint
) -> None:
    reader = await person_with("read", of=account)
    page = await reader.get(path_of(own))
    for offered in ("Pause", "Send a sample", "Secrets", "/edit", "/delete"):
        assert offered not in page
    assert "New endpoint" not in await reader.get(LIST)
    for path in ("edit", "delete", "secrets"):
        await reader.get(f"{path_of(own)}/{path}", status=403)
    for path in ("sample", "status", "recover", "delete", "edit", "secrets/reveal", "secrets/rotate"):
        assert (await reader.send(f"{path_of(own)}/{path}")).status_code == 403


async def test_what_a_receiver_and_its_owner_wrote_is_text(
    admin: Person, services: Services, account: Account
) -> None:
    details = Details(name="<b>bold</b>", description="<script>alert(1)</script>")
    new = await create_own_endpoint(services, account.id, TARGET, [Subscription("*")], details)
    for page in (await admin.get(path_of(new.endpoint)), await admin.get(LIST)):
        assert "<b>bold" not in page
        assert "<script>alert" not in page


# -- the form ------------------------------------------------------------------------------------------------------


async def test_an_endpoint_is_made_by_a_form(admin: Person, services: Services, account: Account) -> None:
    await admin.get(f"{LIST}/new")
    response = await admin.send(
        f"{LIST}/new",
        owner=str(account.id),
        url=TARGET,
        events="contact.*\r\nform.submitted 512\r\n",
        name="Warehouse",
        ordering="key",
        max_in_flight="4",
        rate_per_second="",
        retry_schedule="0, 60 3600",
        signature="v1a",
        header_name=["X-Api-Key", "", ""],
        header_value=["pa55", "", ""],
    )
    assert response.status_code == 303, response.text
    (made,) = await services.store.newest_endpoints(account.id, None, 10)
    made = await again(services, made)
    assert made.subscriptions == (Subscription("contact.*"), Subscription("form.submitted", "512"))
    assert (made.name, made.ordering, made.signature) == ("Warehouse", "key", "v1a")
    assert (made.max_in_flight, made.rate_per_second, made.retry_schedule) == (4, None, (0, 60, 3600))
    assert open_headers(services, made) == {"x-api-key": "pa55"}
    assert response.headers["location"].startswith(path_of(made))


async def test_a_form_that_does_not_fit_comes_back_with_what_was_typed_and_all_that_is_wrong(
    admin: Person, services: Services, account: Account
) -> None:
    typed = {"owner": str(account.id), "url": TARGET, "events": "contact.created\nno.such", "name": "Kept"}
    answer = await admin.send(f"{LIST}/new", **typed)
    assert answer.status_code == 422
    assert "2. unknown event" in answer.text
    assert 'value="Kept"' in answer.text
    assert "contact.created\nno.such</textarea>" in answer.text
    wrong = {**typed, "events": "*", "url": "ftp://x", "retry_schedule": "soon", "max_in_flight": "1 2"}
    answer = await admin.send(f"{LIST}/new", **wrong, header_name="host", header_value="pa55-word")
    assert answer.text.count('class="problem"') == 2
    assert "pa55-word" not in answer.text
    answer = await admin.send(f"{LIST}/new", **typed, header_name="host", header_value="")
    assert "host needs a value" in answer.text
    assert "choose one" in (await admin.send(f"{LIST}/new", url=TARGET, events="*")).text
    assert "does not exist" in (await admin.send(f"{LIST}/new", owner="64000", url=TARGET, events="*")).text
    assert await services.store.newest_endpoints(None, None, 1) == []


async def test_an_account_makes_endpoints_for_itself_alone(
    person_with: PersonWith, services: Services, account: Account, other_account: Account
) -> None:
    person = await person_with("manage", of=account)
    await person.send(f"{LIST}/new", owner=str(other_account.id), url=TARGET, events="*")
    assert len(await services.store.newest_endpoints(account.id, None, 2)) == 1
    assert await services.store.newest_endpoints(other_account.id, None, 2) == []


async def test_an_endpoint_is_changed_and_headers_stay_without_being_shown(
    admin: Person, services: Services, own: Endpoint
) -> None:
    edit = f"{path_of(own)}/edit"
    page = await admin.get(edit)
    assert "contact.*\nform.submitted 512</textarea>" in page
    typed = {"url": TARGET + "/new", "events": "*", "name": "", "keep_header": "x-api-key", "ordering": "endpoint"}
    response = await admin.send(edit, **typed, header_name=["X-More"], header_value=["more"])
    assert response.status_code == 303, response.text
    changed = await again(services, own)
    assert (changed.url, changed.name, changed.ordering) == (TARGET + "/new", "", "endpoint")
    assert changed.subscriptions == (Subscription("*"),)
    assert open_headers(services, changed) == {"x-api-key": "pa55-word", "x-more": "more"}
    await admin.send(edit, url=TARGET, events="*")
    assert open_headers(services, await again(services, own)) == {}


async def test_of_a_dialects_endpoint_only_what_its_api_leaves_to_us_changes(
    admin: Person, services: Services, endpoint: Endpoint
) -> None:
    edit = f"{path_of(endpoint)}/edit"
    assert 'name="url"' not in await admin.get(edit)
    response = await admin.send(edit, url="https://evil.example.com", events="*", rate_per_second="5")
    assert response.status_code == 303
    changed = await again(services, endpoint)
    assert (changed.url, changed.subscriptions) == (endpoint.url, endpoint.subscriptions)
    assert changed.rate_per_second == 5
    assert (await admin.send(edit, rate_per_second="0")).status_code == 422


async def test_the_last_success_is_found_behind_many_failures(
    person_with: PersonWith, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    await delivery_of(services, account)
    await attempt(services, clock, status="delivered", status_code=200)
    for _ in range(DELIVERIES_TOLD_OF):
        clock.move(seconds=660)  # by then the breaker lets the next one through
        await delivery_of(services, account)
        await attempt(services, clock)
    page = await (await person_with("read")).get(path_of(endpoint))
    assert "0 of 200 attempts of late" in page
    assert "36 h ago" in page or "1 d 12 h ago" in page
