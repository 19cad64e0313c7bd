"""Who looks: an administrator sees every account and may pick one; an account sees its own."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.requests import Request

from hookwright.console.security import ALLOWED_IMAGES
from hookwright.console.surface import Surface, surface_of
from hookwright.core.audit import Actor
from hookwright.core.errors import Forbidden, NotFound, Unauthorized
from hookwright.core.lanes import id_in
from hookwright.core.model import Key
from hookwright.core.portal import Look, PortalLink
from hookwright.core.sessions import Ending, Session, ending_of
from hookwright.operations.audit import actor_with
from hookwright.operations.keys import ADMIN, MANAGE
from hookwright.operations.portal_links import recognise_link
from hookwright.operations.sessions import recognise

# `__Host-`: only over TLS (or to loopback), for this host alone, for every path, and set by nobody else.
SESSION_COOKIE = "__Host-hookwright"
# Not `__Host-`: it is for the pages of the portal alone.
PORTAL_COOKIE = "__Secure-hookwright-portal"
ACCOUNT_COOKIE = "hookwright_account"

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Viewer(Struct, frozen=True, kw_only=True):
    """Who looks at a page, and what they may do.

    `own_account_id` is the only account that the viewer reaches; None is an administrator. `picked_account_id` is the
    one that an administrator looks at for the moment. `form_token` is what every form of theirs carries.
    """

    name: str
    own_account_id: int | None
    picked_account_id: int | None = None
    may_change: bool
    may_administer: bool
    form_token: str
    session: Session | None = None  # None where nobody signs in
    ending: Ending | None = None  # None where it does not end
    actor: Actor
    look: Look | None = None  # of the portal; None in the console

    @property
    def account_id(self) -> int | None:
        """Whose things to show: one account's, or (None) everyone's."""
        return self.own_account_id if self.own_account_id is not None else self.picked_account_id

    @property
    def is_administrator(self) -> bool:
        """Whether every account is theirs to see."""
        return self.own_account_id is None

    @property
    def counted_as(self) -> object:
        """Whose its streams are, in however many windows: a session's, a portal link's, or this machine's."""
        return ("session", self.session.id) if self.session is not None else (self.actor.kind, self.actor.id)

    def require_reach(self, account_id: int) -> None:
        """Raises NotFound for what belongs to another account: it looks like what does not exist."""
        if self.own_account_id not in (None, account_id):
            raise NotFound("There is nothing here.")

    def require_change(self) -> None:
        """Raises Forbidden for a viewer who may only look."""
        if not self.may_change and self.look is not None:
            raise Forbidden("Your link is for looking only. Ask whoever gave it to you for one that may also change.")
        if not self.may_change:
            raise Forbidden("Your key may only read. Sign in with one that has the scope manage.")

    def require_administration(self) -> None:
        """Raises Forbidden for a viewer who does not administer."""
        if not self.may_administer:
            raise Forbidden("This is for administrators. Sign in with a key that has the scope admin.")

    def require_platform(self) -> None:
        """Raises Forbidden for a viewer who administers one account alone, or none."""
        self.require_administration()
        if not self.is_administrator:
            raise Forbidden("This is for the platform's administrators. Your key is of one account.")


async def viewer_of(request: Request, *, is_there: bool = True) -> Viewer:
    """Who looks. Raises Unauthorized when nobody has signed in, Forbidden where only this machine may look."""
    surface = surface_of(request)
    if surface.is_portal:
        return await _viewer_with_link(request, surface)
    if not surface.settings.sign_in:
        return _viewer_of_this_machine(request, surface)
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        raise Unauthorized("nobody is signed in")
    session, key, _ = await recognise(surface.services, token, is_there=is_there)
    return _viewer_with(key, session, token, _picked_account(request))


def form_token_of(session_token: str) -> str:
    """What the forms of a session carry, and what no other site can know."""
    return hmac.new(session_token.encode(), b"form", hashlib.sha256).hexdigest()


def _viewer_with(key: Key, session: Session, token: str, picked: int | None) -> Viewer:
    return Viewer(
        name=key.name,
        own_account_id=key.account_id,
        picked_account_id=picked if key.account_id is None else None,
        may_change=bool({MANAGE, ADMIN} & set(key.scopes)),
        may_administer=ADMIN in key.scopes,
        form_token=form_token_of(token),
        session=session,
        ending=ending_of(session, key),
        actor=actor_with(key, "console"),
    )


async def _viewer_with_link(request: Request, surface: Surface) -> Viewer:
    token = request.cookies.get(PORTAL_COOKIE)
    if token is None:
        raise Unauthorized("nobody has opened a portal link")
    link: PortalLink = await recognise_link(surface.services, token)
    # For the pages' head, and for the policy that says where their pictures may come from.
    request.state.look = link.look
    request.scope[ALLOWED_IMAGES].append(link.look.logo_origin)
    return Viewer(
        name=link.look.name,
        own_account_id=link.account_id,
        may_change=link.may_change,
        may_administer=False,
        form_token=form_token_of(token),
        ending=Ending(at=link.expires_at, may_stay=False),
        actor=Actor(way="portal", kind="link", id=link.id, name=link.look.name),
        look=link.look,
    )


def _viewer_of_this_machine(request: Request, surface: Surface) -> Viewer:
    """Raises Forbidden to other machines, and to a page of the web that had its name point here (DNS rebinding)."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    if host not in LOCAL_NAMES or not _is_local(request):
        raise Forbidden("This console is open to the machine that it runs on, and to no other.")
    return Viewer(
        name="this machine",
        own_account_id=None,
        picked_account_id=_picked_account(request),
        may_change=True,
        may_administer=True,
        form_token=form_token_of(surface.open_token),
        actor=Actor(way="console", kind="machine", name="this machine"),
    )


def _is_local(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _picked_account(request: Request) -> int | None:
    return id_in(request.cookies.get(ACCOUNT_COOKIE, ""))
