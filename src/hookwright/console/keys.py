"""Keys, for administrators: who may call which API. A secret is shown on one page, when it is made."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.forms import NOTHING_REFUSED, Refused
from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_administrators, see_other
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.lanes import id_in
from hookwright.core.model import DAY, Instant, Key, KeyKind
from hookwright.operations.keys import HOOKWRIGHT_SCOPES, NewKey, client_id_of, create_key, delete_key, rotate_key

PATH = f"{PREFIX}/keys"
PAGE_LENGTH = 50
KINDS: tuple[KeyKind, ...] = ("hookwright", "kajabi", "kit")
LIFETIMES = (("never", 0), ("in 30 days", 30), ("in 90 days", 90), ("in a year", 365))


async def list_keys(visit: Visit) -> Response:
    """The keys of the account that is looked at, or every key."""
    return await _page(visit)


async def add_key(visit: Visit) -> Response:
    """Create a key, and show its secret this once."""
    try:
        new = await _create(visit)
    except Invalid as refusal:
        return await _page(visit, refused=Refused.by("key", refusal), status=422)
    except NotFound as refusal:
        refused = Refused("key", str(refusal), frozenset({"account"}))
        return await _page(visit, refused=refused, status=422)
    return await _page(visit, new=new)


async def renew_key(visit: Visit) -> Response:
    """A new secret for a key, shown this once. Whoever rotates the key of their own session is signed out by it."""
    key = await _key_in(visit)
    return await _page(visit, new=await rotate_key(visit.services, key.id))


async def remove_key(visit: Visit) -> Response:
    """Delete a key with its tokens and sessions."""
    key = await _key_in(visit)
    await delete_key(visit.services, key.id)
    return see_other(with_query(PATH, account=visit.field("account"), told=f"The key {key.name} is deleted."[:100]))


async def _create(visit: Visit) -> NewKey:
    kind = next((each for each in KINDS if each == visit.field("kind")), None)
    if kind is None:
        raise Invalid(Problem("/kind", f"must be one of {', '.join(KINDS)}"))
    scopes = visit.form.get("scope", []) if kind == "hookwright" else ["owner"] if kind == "kajabi" else []
    if kind == "hookwright" and not scopes:
        raise Invalid(Problem("/scopes", "need at least one scope: a key without one opens nothing"))
    days = id_in(visit.field("days")) or 0
    expires_at: Instant | None = visit.now + days * DAY if 0 < days <= 3_650 else None
    account_id = _account_of_new_key(visit)
    return await create_key(visit.services, kind, account_id, visit.field("name").strip(), scopes, None, expires_at)


def _account_of_new_key(visit: Visit) -> int | None:
    # A key of one account must not be able to make one that reaches further.
    own = visit.viewer.own_account_id
    text = visit.field("account").strip()
    if not text:
        return own
    account_id = id_in(text)
    if account_id is None or own not in (None, account_id):
        raise Invalid(Problem("/account", f"is unknown: there is no account {text[:20]}"))
    return account_id


async def _key_in(visit: Visit) -> Key:
    key = await visit.store.key(visit.path_id())
    if key is None or visit.viewer.own_account_id not in (None, key.account_id):
        raise NotFound("There is nothing here.")
    return key


async def _page(
    visit: Visit, new: NewKey | None = None, refused: Refused = NOTHING_REFUSED, status: int = 200
) -> Response:
    viewer = visit.viewer
    asked = id_in(visit.asked("account") or visit.field("account"))
    if asked is not None:
        viewer.require_reach(asked)
    account_id = asked if asked is not None else viewer.account_id
    found = await visit.store.keys(account_id, id_in(visit.asked("after")) or 0, PAGE_LENGTH + 1)
    shown = found[:PAGE_LENGTH]
    more = with_query(PATH, account=asked, after=shown[-1].id) if len(found) > PAGE_LENGTH else None
    return await visit.page(
        "keys.html",
        status=status,
        keys=[(key, client_id_of(key) if key.kind == "kajabi" else "") for key in shown],
        of_account=account_id,
        asked_account=asked,
        more=more,
        new=new,
        new_client_id=client_id_of(new.key) if new is not None and new.key.kind == "kajabi" else "",
        kinds=KINDS,
        scopes=HOOKWRIGHT_SCOPES,
        lifetimes=LIFETIMES,
        refused=refused,
        typed=visit.field,
        typed_scopes=visit.form.get("scope", ()),
        told=visit.asked("told")[:100],
    )


ROUTES = (
    Route(PATH, for_administrators(list_keys), methods=["GET"]),
    Route(PATH, for_administrators(add_key), methods=["POST"]),
    Route(f"{PATH}/{{id}}/rotate", for_administrators(renew_key), methods=["POST"]),
    Route(f"{PATH}/{{id}}/delete", for_administrators(remove_key), methods=["POST"]),
)
