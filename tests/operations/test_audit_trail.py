"""Every operation notes what it changes, with the change: on behalf of whom its services act, and no secret."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hookwright.core.audit import ACTIONS, HOOKWRIGHT, Actor
from hookwright.core.errors import NotFound
from hookwright.core.model import (
    HOUR,
    Account,
    Endpoint,
    EndpointChange,
    Key,
    OAuthApp,
    Replay,
    Site,
    Subscription,
)
from hookwright.core.portal import Look
from hookwright.core.secret_shapes import SECRET
from hookwright.operations import accounts, apps, codes, endpoints, event_types, keys, portal_links, replays
from hookwright.operations.own_endpoints import reveal_verifying_keys
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import revoke_previous_secrets
from hookwright.store.base import AuditQuery

GRACE = Actor(way="api", kind="key", id=64, name="Grace")


class Holdings(NamedTuple):
    """Something of everything that can be changed."""

    account: Account
    doomed: Account
    site: Site
    key: Key
    app: OAuthApp
    endpoint: Endpoint
    replay: Replay


Deed = Callable[[Services, Holdings], Awaitable[object]]

URL = "https://receiver.example.com/"
WANTED = [Subscription("subscriber.tag_add")]

# Whatever there is to change, by what is noted of it.
DEEDS: dict[str, Deed] = {
    "account.created": lambda services, its: accounts.create_account(services, "Third"),
    "account.deleted": lambda services, its: accounts.delete_account(services, its.doomed.id),
    "site.created": lambda services, its: accounts.create_site(services, its.account.id, "Languages"),
    "site.deleted": lambda services, its: accounts.delete_site(services, its.account.id, its.site.id),
    "signing_secret.rotated": lambda services, its: accounts.rotate_signing_secret(services, its.doomed.id),
    "signing_secret.revealed": lambda services, its: accounts.reveal_signing_secrets(services, its.account.id),
    "signing_secret.revoked": lambda services, its: revoke_previous_secrets(services, its.doomed.id, None),
    "key.created": lambda services, its: keys.create_key(services, "kit", its.account.id, "Mine", ()),
    "key.rotated": lambda services, its: keys.rotate_key(services, its.key.id),
    "key.deleted": lambda services, its: keys.delete_key(services, its.key.id),
    "app.created": lambda services, its: apps.create_app(services, "App", [URL], confidential=True),
    "app.deleted": lambda services, its: apps.delete_app(services, its.app.id),
    "app.let_in": lambda services, its: codes.issue_code(services, its.app, its.account.id, URL, None, "read"),
    "endpoint.created": lambda services, its: endpoints.create_endpoint(services, its.account.id, "kit", URL, WANTED),
    "endpoint.changed": lambda services, its: endpoints.change_endpoint(
        services, its.account.id, its.endpoint.id, EndpointChange(name="Mine")
    ),
    "endpoint.activated": lambda services, its: endpoints.set_status(
        services, its.account.id, its.endpoint.id, "active"
    ),
    "endpoint.paused": lambda services, its: endpoints.set_status(
        services, its.account.id, its.endpoint.id, "paused"
    ),
    "endpoint.disabled": lambda services, its: endpoints.set_status(
        services, its.account.id, its.endpoint.id, "disabled"
    ),
    "endpoint.deleted": lambda services, its: endpoints.delete_endpoint(
        services, its.account.id, its.endpoint.id, None
    ),
    "event_type.declared": lambda services, its: event_types.declare_event_type(services, "invoice.sent"),
    "event_type.deleted": lambda services, its: event_types.delete_event_type(services, "invoice.paid"),
    "replay.begun": lambda services, its: replays.begin_replay(services, its.account.id, replays.ReplayRequest()),
    "replay.cancelled": lambda services, its: replays.cancel_replay(services, its.account.id, its.replay.id),
    "portal_link.created": lambda services, its: portal_links.create_portal_link(
        services, its.account.id, HOUR, Look(), may_change=False
    ),
}


@pytest.fixture
async def holdings(services: Services, account: Account) -> Holdings:
    return await hold(services, account)


async def hold(services: Services, account: Account) -> Holdings:
    doomed = (await accounts.create_account(services, "Second")).account
    await accounts.rotate_signing_secret(services, doomed.id)
    await event_types.declare_event_type(services, "invoice.paid")
    return Holdings(
        account=account,
        doomed=doomed,
        site=await accounts.create_site(services, account.id, "Compilers"),
        key=(await keys.create_key(services, "kit", account.id, "Zapier", ())).key,
        app=(await apps.create_app(services, "App", [URL], confidential=True)).app,
        endpoint=await endpoints.create_endpoint(services, account.id, "kit", URL, WANTED),
        replay=await replays.begin_replay(services, account.id, replays.ReplayRequest()),
    )


def test_there_is_a_deed_for_every_action() -> None:
    assert set(DEEDS) == set(ACTIONS)


@pytest.mark.parametrize("action", DEEDS)
async def test_a_change_is_noted_once_with_its_actor_and_without_a_secret(
    services: Services, holdings: Holdings, action: str
) -> None:
    await DEEDS[action](services.on_behalf_of(GRACE), holdings)
    (entry,) = await services.store.audit_entries(AuditQuery(actor_id=GRACE.id))
    assert (entry.action, entry.way, entry.actor_kind, entry.actor_name) == (action, "api", "key", "Grace")
    assert not SECRET.search(repr(entry))
    of_platform = {"app.created", "app.deleted", "event_type.declared", "event_type.deleted"}
    assert (entry.account_id is None) == (action in of_platform)


@pytest.mark.parametrize("action", DEEDS)
async def test_a_change_that_cannot_be_noted_is_not_made(
    services: Services, holdings: Holdings, action: str, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "hookwright.sqlite3") as file:
        file.execute("CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'full'); END")
        file.commit()
        before = [*file.iterdump()]
        with pytest.raises(sqlite3.IntegrityError, match="full"):
            await DEEDS[action](services, holdings)
        assert [*file.iterdump()] == before
    file.close()


@pytest.mark.parametrize(
    "deed",
    [
        lambda services, its: accounts.delete_account(services, 64 * 999),
        lambda services, its: accounts.delete_site(services, its.account.id, 64 * 999),
        lambda services, its: keys.delete_key(services, 64 * 999),
        lambda services, its: apps.delete_app(services, 64 * 999),
        lambda services, its: endpoints.set_status(services, its.account.id, 64 * 999, "paused"),
        lambda services, its: endpoints.change_endpoint(services, its.account.id, 64 * 999, EndpointChange()),
        lambda services, its: endpoints.delete_endpoint(services, its.account.id, 64 * 999, None),
        lambda services, its: event_types.delete_event_type(services, "invoice.sent"),
        lambda services, its: reveal_verifying_keys(services, its.account.id, 64 * 999),
        lambda services, its: replays.cancel_replay(services, its.account.id, 64 * 999),
    ],
)
async def test_what_was_not_done_is_not_noted(services: Services, holdings: Holdings, deed: Deed) -> None:
    before = await services.store.audit_entries(AuditQuery())
    with pytest.raises(NotFound):
        await deed(services, holdings)
    assert await services.store.audit_entries(AuditQuery()) == before


async def test_what_was_ended_before_is_not_noted_again(services: Services, holdings: Holdings) -> None:
    for action in ("replay.cancelled", "signing_secret.revoked"):
        await DEEDS[action](services, holdings)
        before = await services.store.audit_entries(AuditQuery())
        await DEEDS[action](services, holdings)
        assert await services.store.audit_entries(AuditQuery()) == before


async def test_what_nobody_asked_for_is_our_own_doing(services: Services, account: Account) -> None:
    (entry,) = await services.store.audit_entries(AuditQuery())
    assert (entry.action, entry.way, entry.actor_name) == ("account.created", "hookwright", HOOKWRIGHT.name)
