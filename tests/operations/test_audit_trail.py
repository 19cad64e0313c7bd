"""Every operation that changes something notes it, on behalf of whom its services act, and notes no secret."""

from collections.abc import Awaitable, Callable

import pytest

from hookwright.core.audit import ACTIONS, HOOKWRIGHT, Actor
from hookwright.core.errors import NotFound
from hookwright.core.model import HOUR, Account, EndpointChange, Subscription
from hookwright.core.portal import Look
from hookwright.core.secret_shapes import SECRET
from hookwright.operations import accounts, apps, codes, endpoints, event_types, keys, portal_links, replays
from hookwright.operations.own_endpoints import reveal_verifying_keys
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import revoke_previous_secrets
from hookwright.store.base import AuditQuery

GRACE = Actor(way="api", kind="key", id=64, name="Grace")

Deed = Callable[[Services, Account], Awaitable[object]]


async def everything(services: Services, account: Account) -> None:
    """Whatever there is to change."""
    made = (await accounts.create_account(services, "Third")).account
    site = await accounts.create_site(services, account.id, "Compilers")
    await accounts.delete_site(services, account.id, site.id)
    await accounts.rotate_signing_secret(services, account.id)
    await accounts.reveal_signing_secrets(services, account.id)
    await revoke_previous_secrets(services, account.id, None)
    key = (await keys.create_key(services, "kit", account.id, "Zapier", ())).key
    await keys.rotate_key(services, key.id)
    await keys.delete_key(services, key.id)
    app = (await apps.create_app(services, "App", ["https://app.example.com/"], confidential=True)).app
    await codes.issue_code(services, app, account.id, "https://app.example.com/", None, "read")
    await apps.delete_app(services, app.id)
    wanted = [Subscription("subscriber.tag_add")]
    url = "https://receiver.example.com/"
    endpoint = await endpoints.create_endpoint(services, account.id, "kit", url, wanted)
    await endpoints.change_endpoint(services, account.id, endpoint.id, EndpointChange(name="Mine"))
    for status in ("paused", "disabled", "active"):
        await endpoints.set_status(services, account.id, endpoint.id, status)
    await endpoints.delete_endpoint(services, account.id, endpoint.id, None)
    replay = await replays.begin_replay(services, account.id, replays.ReplayRequest())
    await replays.cancel_replay(services, account.id, replay.id)
    await event_types.declare_event_type(services, "invoice.paid")
    await event_types.delete_event_type(services, "invoice.paid")
    await portal_links.create_portal_link(services, account.id, HOUR, Look(), may_change=False)
    await accounts.delete_account(services, made.id)


async def test_every_action_is_noted_with_its_actor_and_without_a_secret(
    services: Services, account: Account
) -> None:
    await everything(services.on_behalf_of(GRACE), account)
    entries = await services.store.audit_entries(AuditQuery(actor_id=64, limit=1_000))
    assert {entry.action for entry in entries} == set(ACTIONS)
    assert {(entry.way, entry.actor_kind, entry.actor_name) for entry in entries} == {("api", "key", "Grace")}
    assert not [entry for entry in entries if SECRET.search(repr(entry))]


async def test_what_belongs_to_an_account_is_noted_in_it(services: Services, account: Account) -> None:
    await everything(services.on_behalf_of(GRACE), account)
    of_platform = {"app.created", "app.deleted", "event_type.declared", "event_type.deleted"}
    for entry in await services.store.audit_entries(AuditQuery(actor_id=64, limit=1_000)):
        assert (entry.account_id is None) == (entry.action in of_platform), entry


@pytest.mark.parametrize(
    "deed",
    [
        lambda services, account: accounts.delete_site(services, account.id, 64 * 999),
        lambda services, account: keys.delete_key(services, 64 * 999),
        lambda services, account: apps.delete_app(services, 64 * 999),
        lambda services, account: endpoints.delete_endpoint(services, account.id, 64 * 999, None),
        lambda services, account: reveal_verifying_keys(services, account.id, 64 * 999),
        lambda services, account: replays.cancel_replay(services, account.id, 64 * 999),
    ],
)
async def test_what_was_not_done_is_not_noted(services: Services, account: Account, deed: Deed) -> None:
    before = await services.store.audit_entries(AuditQuery())
    with pytest.raises(NotFound):
        await deed(services, account)
    assert await services.store.audit_entries(AuditQuery()) == before


async def test_what_nobody_asked_for_is_our_own_doing(services: Services, account: Account) -> None:
    (entry,) = await services.store.audit_entries(AuditQuery())
    assert (entry.action, entry.way, entry.actor_name) == ("account.created", "hookwright", HOOKWRIGHT.name)
