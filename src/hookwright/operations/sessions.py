"""Sessions of the console: sign in with a key, be recognised, sign out."""

from typing import NamedTuple

from msgspec.structs import replace

from hookwright.ambient import digest, matches, new_token, token_id
from hookwright.core.errors import Forbidden, Unauthorized
from hookwright.core.model import Key
from hookwright.core.sessions import IDLE_FOR, Session, is_live, is_to_be_noted
from hookwright.operations.keys import ADMIN, MANAGE, READ, authenticate_key
from hookwright.operations.services import Services

TOKEN_PREFIX = "hwses"  # noqa: S105 - the public prefix of every token


class SignedIn(NamedTuple):
    """A session and its token, which only the person's browser keeps."""

    session: Session
    key: Key
    token: str


async def begin_session(services: Services, secret: str) -> SignedIn:
    """Sign in with the secret of a key that may read. Raises Unauthorized, Forbidden."""
    key = await authenticate_key(services, "hookwright", secret)
    if not {READ, MANAGE, ADMIN} & set(key.scopes):
        raise Forbidden("this key can only publish; the console needs one with the scope read, manage or admin")
    now = services.clock.now()
    session_id = await services.store.new_id(key.id)
    token = new_token(TOKEN_PREFIX, session_id)
    session = Session(
        id=session_id, key_id=key.id, key_digest=key.digest, digest=digest(token), created_at=now, seen_at=now
    )
    await services.store.prune_sessions(now - IDLE_FOR)
    await services.store.add_session(session)
    return SignedIn(session, key, token)


async def recognise(services: Services, token: str, *, is_there: bool = True) -> SignedIn:
    """Who a token belongs to; `is_there` says that a person asks, which keeps the session from idling out.

    Raises Unauthorized when the session has ended, or its key has.
    """
    session_id, now = token_id(token, TOKEN_PREFIX), services.clock.now()
    session = await services.store.session(session_id) if session_id is not None else None
    if session is None or not matches(token, session.digest):
        raise Unauthorized("unknown or ended session")
    key = await services.store.key(session.key_id)
    if key is None or not is_live(session, key, now):
        raise Unauthorized("the session has ended")
    if is_there and is_to_be_noted(session, now):
        await services.store.note_session(session.id, now)
        session = replace(session, seen_at=now)
    return SignedIn(session, key, token)


async def confirm_session(services: Services, session: Session, secret: str) -> None:
    """Make sure that whoever signed in is still the one who asks. Raises Forbidden for any other key's secret."""
    try:
        key = await authenticate_key(services, "hookwright", secret)
    except Unauthorized:
        key = None
    if key is None or key.id != session.key_id:
        raise Forbidden("this is not the key that you signed in with")


async def end_session(services: Services, session: Session) -> None:
    """Sign out: the token is worth nothing from now on."""
    await services.store.delete_session(session.id)
