"""Portal links: signed, expiring, kept nowhere. Whoever has one sees one account in the portal."""

from base64 import b64decode, urlsafe_b64encode
from typing import NamedTuple

import msgspec

from hookwright.core.errors import Invalid, Problem, Unauthorized
from hookwright.core.model import SECOND, Instant
from hookwright.core.portal import LONGEST, SHORTEST, Look, PortalLink, link_is_live, look_problems
from hookwright.operations.accounts import require_account
from hookwright.operations.audit import note
from hookwright.operations.services import Services

PURPOSE = "portal link"
TOKEN_PREFIX = "hwportal"  # noqa: S105 - the public prefix of every token

# A look in full, with room to spare. What is longer is no token of ours, and is not decoded.
MAX_TOKEN_LENGTH = 3_000

_MARK_BYTES = 32


class SignedLink(NamedTuple):
    """A link and its token, which lets in whoever has it."""

    link: PortalLink
    token: str


async def create_portal_link(
    services: Services, account_id: int, lasts_for: Instant, look: Look, *, may_change: bool
) -> SignedLink:
    """A link to an account's portal. Raises NotFound, and Invalid with the name of what is wrong as pointer."""
    await require_account(services, account_id)
    problems = look_problems(look)
    if not SHORTEST <= lasts_for <= LONGEST:
        within = f"{SHORTEST // SECOND} to {LONGEST // SECOND}"
        problems.append(Problem("/expires_in_seconds", f"must be {within}"))
    if problems:
        raise Invalid(*problems)
    now = services.clock.now()
    link = PortalLink(
        id=await services.store.new_id(account_id),
        account_id=account_id,
        expires_at=now + lasts_for,
        created_at=now,
        key_id=services.actor.id if services.actor.kind == "key" else None,
        may_change=may_change,
        look=look,
    )
    await note(services, "portal_link.created", link.id, account_id)
    return SignedLink(link, _token_of(services, link))


async def recognise_link(services: Services, token: str) -> PortalLink:
    """The link that a token is. Raises Unauthorized when it is none of ours, or has ended."""
    link = _link_in(services, token)
    if link is None:
        raise Unauthorized("this is no portal link")
    account = await services.store.account(link.account_id)
    key = None if link.key_id is None else await services.store.key(link.key_id)
    if not link_is_live(link, account, key, services.clock.now()):
        raise Unauthorized("the portal link has ended")
    return link


def _token_of(services: Services, link: PortalLink) -> str:
    body = msgspec.json.encode(link)
    return _token_with(services.vault.sign(PURPOSE, body) + body)


def _token_with(marked: bytes) -> str:
    return f"{TOKEN_PREFIX}_{urlsafe_b64encode(marked).decode().rstrip('=')}"


def _link_in(services: Services, token: str) -> PortalLink | None:
    prefix, _, text = token.partition("_")
    if prefix != TOKEN_PREFIX or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        return None
    try:
        marked = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if token != _token_with(marked):
        # The token goes into a cookie as it came: nothing may stand beside what is signed.
        return None
    mark, body = marked[:_MARK_BYTES], marked[_MARK_BYTES:]
    return msgspec.json.decode(body, type=PortalLink) if services.vault.has_signed(PURPOSE, body, mark) else None
