"""Portal links: which of them a key takes along when it gets another secret."""

import pytest
from msgspec.structs import replace

from hookwright.core.errors import Unauthorized
from hookwright.core.model import HOUR, SECOND, Account
from hookwright.core.portal import Look, link_is_live
from hookwright.operations.audit import actor_with
from hookwright.operations.keys import create_key, rotate_key
from hookwright.operations.portal_links import create_portal_link, recognise_link
from hookwright.operations.services import Services


async def test_a_link_that_was_asked_for_with_a_secret_lets_nobody_in_after_its_rotation(
    services: Services, account: Account
) -> None:
    """The old secret may have been shown before the rotation, and the link made after it."""
    old = await create_key(services, "hookwright", None, "platform", ["admin"])
    asking = services.on_behalf_of(actor_with(old.key, "api"))
    before = await create_portal_link(asking, account.id, HOUR, Look(), may_change=True)
    await recognise_link(services, before.token)
    new = await rotate_key(services, old.key.id)
    after = await create_portal_link(asking, account.id, HOUR, Look(), may_change=True)
    for each in (before, after):
        with pytest.raises(Unauthorized):
            await recognise_link(services, each.token)
    asking = services.on_behalf_of(actor_with(new.key, "api"))
    await recognise_link(
        services, (await create_portal_link(asking, account.id, HOUR, Look(), may_change=True)).token
    )


async def test_a_link_of_an_earlier_version_is_judged_by_the_time_of_the_rotation(
    services: Services, account: Account
) -> None:
    made = await create_key(services, "hookwright", None, "platform", ["admin"])
    asking = services.on_behalf_of(actor_with(made.key, "api"))
    link = replace((await create_portal_link(asking, account.id, HOUR, Look(), may_change=True)).link, key_print=b"")
    for rotated_at, lives in ((None, True), (link.created_at, True), (link.created_at + SECOND, False)):
        key = replace(made.key, rotated_at=rotated_at)
        assert link_is_live(link, account, key, link.created_at + SECOND) is lives
