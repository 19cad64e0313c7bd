"""Sessions: whoever signed in can be asked whether they are still the one who sits there."""

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Forbidden, Unauthorized
from hookwright.core.model import SECOND
from hookwright.core.sessions import Session, is_live
from hookwright.operations.keys import create_key, rotate_key
from hookwright.operations.services import Services
from hookwright.operations.sessions import begin_session, confirm_session, recognise


async def test_a_session_is_confirmed_by_its_own_key_alone(services: Services) -> None:
    own = await create_key(services, "hookwright", None, "Grace", ["admin"])
    other = await create_key(services, "hookwright", None, "Ada", ["admin"])
    session = (await begin_session(services, own.secret)).session
    await confirm_session(services, session, own.secret)
    for secret in (other.secret, own.secret[:-1], "", "hw_nonsense"):
        with pytest.raises(Forbidden):
            await confirm_session(services, session, secret)
    await rotate_key(services, own.key.id)
    with pytest.raises(Forbidden):
        await confirm_session(services, session, own.secret)


async def test_a_session_ends_with_the_secret_that_it_was_begun_with_whenever_it_began(services: Services) -> None:
    """A rotation notes its time before it commits: who signs in between the two is let in with the old secret."""
    old = await create_key(services, "hookwright", None, "Grace", ["admin"])
    new = await rotate_key(services, old.key.id)
    assert new.key.rotated_at is not None
    begun = new.key.rotated_at + SECOND
    session = Session(
        id=64, key_id=old.key.id, key_digest=old.key.digest, digest=b"token", created_at=begun, seen_at=begun
    )
    assert is_live(session, old.key, begun)
    assert not is_live(session, new.key, begun)
    assert is_live(replace(session, key_digest=new.key.digest), new.key, begun)


async def test_a_session_is_not_let_in_after_its_key_was_rotated(services: Services) -> None:
    own = await create_key(services, "hookwright", None, "Grace", ["admin"])
    token = (await begin_session(services, own.secret)).token
    await recognise(services, token)
    await rotate_key(services, own.key.id)
    with pytest.raises(Unauthorized):
        await recognise(services, token)
