"""Every page that names something by id: what is another account's looks like what never was."""

import pytest
from starlette.routing import Route

from console.conftest import TARGET, PersonWith, browser, console_on
from console.deliveries import attempt, delivery_of
from hookwright.ambient import MovableClock
from hookwright.console.app import ROUTES
from hookwright.console.errors import SIGN_IN
from hookwright.core.model import Account, Subscription
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.keys import create_key
from hookwright.operations.replays import ReplayRequest, begin_replay
from hookwright.operations.services import Services

# What an id in each path names: of another account, and of nobody. A new page has to be told of here.
NAMED = {
    "/console/deliveries/{id}": ("{delivery}", "{nothing}"),
    "/console/deliveries/{id}/payload": ("{delivery}/payload", "{nothing}/payload"),
    "/console/deliveries/{id}/replay": ("{delivery}/replay", "{nothing}/replay"),
    "/console/deliveries/{id}/cancel": ("{delivery}/cancel", "{nothing}/cancel"),
    "/console/accounts/{account_id}/replays/{id}": ("{account}/replays/{replay}", "{account}/replays/{nothing}"),
    "/console/accounts/{account_id}/replays/{id}/cancel": (
        "{account}/replays/{replay}/cancel",
        "{account}/replays/{nothing}/cancel",
    ),
    "/console/accounts/{id}": ("{account}", "{nothing}"),
    "/console/accounts/{id}/delete": ("{account}/delete", "{nothing}/delete"),
    "/console/accounts/{id}/sites": ("{account}/sites", "{nothing}/sites"),
    "/console/accounts/{id}/sites/{site_id}/delete": (
        "{account}/sites/{nothing}/delete",
        "{nothing}/sites/{nothing}/delete",
    ),
    "/console/accounts/{id}/secrets": ("{account}/secrets", "{nothing}/secrets"),
    "/console/accounts/{id}/secrets/rotate": ("{account}/secrets/rotate", "{nothing}/secrets/rotate"),
    "/console/accounts/{id}/portal-links": ("{account}/portal-links", "{nothing}/portal-links"),
    "/console/keys/{id}/rotate": ("{key}/rotate", "{nothing}/rotate"),
    "/console/keys/{id}/delete": ("{key}/delete", "{nothing}/delete"),
}
NAMED |= {
    f"/console/endpoints/{{id}}{what}": (f"{{endpoint}}{what}", f"{{nothing}}{what}")
    for what in (
        "", "/sample", "/status", "/recover", "/delete", "/edit", "/secrets", "/secrets/reveal", "/secrets/rotate"
    )
}  # fmt: skip

# Everybody may have these.
OF_NOBODY = {"/console/static/{digest}/{name}", "/console/sign-in"}

# Every account has these.
OF_EVERYBODY = {f"/console/event-types/{{name}}{what}" for what in ("", "/edit", "/delete")}
# Nobody with a key of one account gets so far that an id matters.
OF_THE_PLATFORM = {"/console/apps/{id}/delete"}


def test_every_page_that_names_something_is_known_here() -> None:
    named = {route.path for route in ROUTES if "{" in route.path}
    assert named - OF_NOBODY - OF_EVERYBODY - OF_THE_PLATFORM == set(NAMED)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.path in NAMED], ids=lambda route: route.path)
async def test_what_is_anothers_looks_like_what_never_was(
    route: Route,
    services: Services,
    account: Account,
    other_account: Account,
    person_with: PersonWith,
    clock: MovableClock,
) -> None:
    path, methods = route.path, route.methods or set()
    endpoint = await create_endpoint(services, account.id, "kit", TARGET, [Subscription("subscriber.tag_add")])
    delivery = await delivery_of(services, account)
    await attempt(services, clock)
    replay = await begin_replay(services, account.id, ReplayRequest())
    key = (await create_key(services, "kit", account.id, "Zapier", ())).key
    stranger = await person_with("admin", of=other_account)
    answers = []
    for named in NAMED[path]:
        end = named.format(
            delivery=delivery.id,
            nothing=64 * 999,
            account=account.id,
            replay=replay.id,
            endpoint=endpoint.id,
            key=key.id,
        )
        address = f"{path.partition('{')[0]}{end}"
        if "GET" in methods:
            answers.append(await stranger.get(address, status=404))
        else:
            response = await stranger.send(address)
            assert response.status_code == 404
            answers.append(response.text)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.path not in OF_NOBODY], ids=lambda each: each.path
)
async def test_no_page_is_for_those_who_have_not_signed_in(route: Route, services: Services) -> None:
    path, methods = route.path, route.methods or set()
    async with browser(console_on(services)) as anyone:
        method = "GET" if "GET" in methods else "POST"
        response = await anyone.request(method, path.replace("{account_id}", "64").replace("{id}", "64"))
        assert response.status_code == 303
        assert response.headers["location"].startswith(SIGN_IN)
