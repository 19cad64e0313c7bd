"""Listeners in a dialect's words and form."""

import pytest

from hookwright.core.errors import Invalid, NotFound
from hookwright.core.model import Account, Subscription
from hookwright.operations.accounts import create_site
from hookwright.operations.endpoints import require_endpoint
from hookwright.operations.listeners import has_own_secret, open_foreign_listener
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import reveal_secrets
from hookwright.store.base import EndpointQuery

EVERYTHING = [Subscription("*")]


async def test_everything_is_every_event_of_the_dialect(services: Services, account: Account) -> None:
    listener = await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kit")
    assert (listener.dialect, listener.status, listener.site_id) == ("kit", "active", None)
    assert {"subscriber.tag_add", "purchase.purchase_create"} < {each.event for each in listener.subscriptions}
    assert all("." in each.event for each in listener.subscriptions)


async def test_the_listener_of_a_name_is_opened_again(services: Services, account: Account) -> None:
    site = await create_site(services, account.id, "Compilers")
    first = await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kajabi")
    wanted = [Subscription("tag_added", "123")]
    again = await open_foreign_listener(services, account.id, "laptop", wanted, "kajabi", site.id)
    assert (again.id, again.site_id, again.subscriptions) == (first.id, site.id, tuple(wanted))
    as_kit = await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kit")
    assert as_kit.id != first.id


async def test_a_listener_has_what_an_endpoint_of_its_form_has(services: Services, account: Account) -> None:
    listener = await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kit_endpoints")
    assert listener.batch_limit == 100
    assert listener.retry_schedule == (0, 30, 120, 900, 3_600, 14_400, 43_200, 86_400)
    assert has_own_secret(services, listener)
    assert len(await reveal_secrets(services, account.id, listener.id)) == 1
    again = await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kit_endpoints")
    assert again.id == listener.id
    with pytest.raises(NotFound):
        await require_endpoint(services, account.id, listener.id, "kit_endpoints")


async def test_the_dialects_own_api_has_no_listeners(services: Services, account: Account) -> None:
    listener = await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kit")
    with pytest.raises(NotFound):
        await require_endpoint(services, account.id, listener.id, "kit")
    assert (await require_endpoint(services, account.id, listener.id, None)).id == listener.id
    query = EndpointQuery(account_id=account.id, listeners=False)
    assert await services.store.endpoints(query) == []
    assert await services.store.count_endpoints(query) == 0


@pytest.mark.parametrize(
    ("dialect", "events", "told"),
    [
        ("drip", ["*"], "/dialect: must be one of hookwright, kajabi, kit, kit_endpoints"),
        ("", ["*"], "/dialect: "),
        ("kit", ["tag_add"], "/events/0: unknown event; one of subscriber"),
        ("kit", ["*", "subscriber.tag_ad"], "/events/1: unknown event; did you mean subscriber.tag_add? One of "),
        ("kajabi", ["*"], "/site: must be one of the account's sites (it has none)"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    services: Services, account: Account, dialect: str, events: list[str], told: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await open_foreign_listener(services, account.id, "laptop", [*map(Subscription, events)], dialect)
    assert str(refusal.value).startswith(told)


async def test_a_site_is_only_for_a_dialect_with_sites(services: Services, account: Account) -> None:
    with pytest.raises(Invalid, match="/site"):
        await open_foreign_listener(services, account.id, "laptop", EVERYTHING, "kit", 5)
