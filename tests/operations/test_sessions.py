"""Sessions: whoever signed in can be asked whether they are still the one who sits there."""

import pytest

from hookwright.core.errors import Forbidden
from hookwright.operations.keys import create_key, rotate_key
from hookwright.operations.services import Services
from hookwright.operations.sessions import begin_session, confirm_session


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
