"""Accounts, for administrators: their sites, signing secrets and keys, and links to their portal."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.confirming import problem_of_key
from hookwright.console.forms import NOTHING_REFUSED, Refused
from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_administrators, see_other
from hookwright.core.errors import HookwrightError, Invalid
from hookwright.core.lanes import id_in
from hookwright.core.model import DAY, HOUR, SECOND, Account, Instant
from hookwright.core.portal import Look, entrance
from hookwright.operations.accounts import (
    create_account,
    create_site,
    delete_account,
    delete_site,
    require_account,
    reveal_signing_secrets,
    rotate_signing_secret,
)
from hookwright.operations.portal_links import create_portal_link
from hookwright.store.base import EndpointQuery

PATH = f"{PREFIX}/accounts"
PAGE_LENGTH = 50
MOST_KEYS = 50

LIFETIMES: tuple[tuple[str, Instant], ...] = (
    ("1 hour", HOUR),
    ("8 hours", 8 * HOUR),
    ("1 day", DAY),
    ("7 days", 7 * DAY),
)


async def list_accounts(visit: Visit) -> Response:
    """Every account that the viewer reaches."""
    return await _list_page(visit)


async def add_account(visit: Visit) -> Response:
    """Create an account, and show the signing secret that its receivers verify with."""
    visit.viewer.require_platform()
    try:
        new = await create_account(visit.services, visit.field("name").strip())
    except Invalid as refusal:
        return await _list_page(visit, Refused.by("account", refusal), status=422)
    told = f"{new.account.name} is created."
    return await _account_page(visit, new.account, told=told, secrets=[new.signing_secret])


async def show_account(visit: Visit) -> Response:
    """One account with all that belongs to it."""
    return await _account_page(visit, await _account_in(visit), told=visit.asked("told")[:100])


async def remove_account(visit: Visit) -> Response:
    """Delete an account, once its name was typed."""
    account = await _account_in(visit)
    if visit.field("name").strip() != account.name.strip():
        refused = Refused("delete", "That is not its name. Nothing was deleted.", frozenset({"name"}))
        return await _account_page(visit, account, refused=refused, status=422)
    await delete_account(visit.services, account.id)
    return see_other(with_query(PATH, told=f"{account.name} is deleted."[:100]))


async def add_site(visit: Visit) -> Response:
    """Create a site of an account."""
    account = await _account_in(visit)
    try:
        site = await create_site(visit.services, account.id, visit.field("title").strip())
    except Invalid as refusal:
        return await _account_page(visit, account, refused=Refused.by("site", refusal), status=422)
    return see_other(with_query(f"{PATH}/{account.id}", told=f"Site {site.id} is created."))


async def remove_site(visit: Visit) -> Response:
    """Delete a site with its endpoints."""
    account, site_id = await _account_in(visit), visit.path_id("site_id")
    await delete_site(visit.services, account.id, site_id)
    return see_other(with_query(f"{PATH}/{account.id}", told=f"Site {site_id} is deleted."))


async def show_secrets(visit: Visit) -> Response:
    """The signing secrets of an account, to who gives their key again: a screen that was left open shows none."""
    account = await _account_in(visit)
    if problem := await problem_of_key(visit):
        return await _account_page(visit, account, refused=_without_key("show", problem), status=403)
    secrets = await reveal_signing_secrets(visit.services, account.id)
    return await _account_page(visit, account, told="Noted in the audit trail.", secrets=secrets)


async def rotate_secret(visit: Visit) -> Response:
    """A new signing secret, shown with the older ones left out, to who gives their key again."""
    account = await _account_in(visit)
    if problem := await problem_of_key(visit):
        return await _account_page(visit, account, refused=_without_key("rotate", problem), status=403)
    try:
        secret = await rotate_signing_secret(visit.services, account.id)
    except HookwrightError as refusal:
        refused = Refused("rotate", f"Not rotated: {refusal}.")
        return await _account_page(visit, account, refused=refused, status=409)
    told = "Rotated. The old secret also signs for 24 hours."
    return await _account_page(visit, account, told=told, secrets=[secret])


async def add_portal_link(visit: Visit) -> Response:
    """A link to an account's portal, shown once."""
    account = await _account_in(visit)
    look = Look(name=visit.field("name").strip(), logo=visit.field("logo").strip(), accent=_accent_in(visit))
    seconds = id_in(visit.field("lasts")) or 0
    try:
        signed = await create_portal_link(
            visit.services, account.id, seconds * SECOND, look, may_change=visit.field("may_change") == "yes"
        )
    except Invalid as refusal:
        return await _account_page(visit, account, refused=Refused.by("link", refusal), status=422)
    base_url = visit.surface.settings.public_url or str(visit.request.base_url)
    return await _account_page(visit, account, portal_url=entrance(base_url, signed.token), portal_link=signed.link)


async def _account_in(visit: Visit) -> Account:
    account_id = visit.path_id()
    visit.viewer.require_reach(account_id)
    return await require_account(visit.services, account_id)


def _without_key(form: str, problem: str) -> Refused:
    return Refused(form, problem, frozenset({"key"}))


def _accent_in(visit: Visit) -> str:
    return visit.field("accent").strip().lower() if visit.field("with_accent") else ""


async def _list_page(visit: Visit, refused: Refused = NOTHING_REFUSED, status: int = 200) -> Response:
    after = id_in(visit.asked("after")) or 0
    own = visit.viewer.own_account_id
    if own is None:
        found = await visit.store.accounts(after, PAGE_LENGTH + 1)
    else:
        found = [await require_account(visit.services, own)]
    shown = found[:PAGE_LENGTH]
    return await visit.page(
        "accounts.html",
        status=status,
        shown=shown,
        more=with_query(PATH, after=shown[-1].id) if len(found) > PAGE_LENGTH else None,
        refused=refused,
        typed=visit.field,
        told=visit.asked("told")[:100],
    )


async def _account_page(visit: Visit, account: Account, status: int = 200, **values: Any) -> Response:
    shown = {"told": "", "refused": NOTHING_REFUSED, "secrets": [], "portal_url": None, "portal_link": None, **values}
    keys = await visit.store.keys(account.id, limit=MOST_KEYS + 1)
    return await visit.page(
        "account.html",
        status=status,
        shown=account,
        sites=await visit.store.sites(account.id),
        keys=keys[:MOST_KEYS],
        has_more_keys=len(keys) > MOST_KEYS,
        endpoints=await visit.store.count_endpoints(EndpointQuery(account_id=account.id)),
        lifetimes=[(name, length // SECOND) for name, length in LIFETIMES],
        typed=visit.field,
        **shown,
    )


ROUTES = (
    Route(PATH, for_administrators(list_accounts), methods=["GET"]),
    Route(PATH, for_administrators(add_account), methods=["POST"]),
    Route(f"{PATH}/{{id}}", for_administrators(show_account), methods=["GET"]),
    Route(f"{PATH}/{{id}}/delete", for_administrators(remove_account), methods=["POST"]),
    Route(f"{PATH}/{{id}}/sites", for_administrators(add_site), methods=["POST"]),
    Route(f"{PATH}/{{id}}/sites/{{site_id}}/delete", for_administrators(remove_site), methods=["POST"]),
    Route(f"{PATH}/{{id}}/secrets", for_administrators(show_secrets), methods=["POST"]),
    Route(f"{PATH}/{{id}}/secrets/rotate", for_administrators(rotate_secret), methods=["POST"]),
    Route(f"{PATH}/{{id}}/portal-links", for_administrators(add_portal_link), methods=["POST"]),
)
