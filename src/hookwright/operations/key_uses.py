"""When keys were last used: noted once a minute, so that no request writes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookwright.operations.services import Services


class KeyUses:
    """The keys that have let somebody in since uses were last noted."""

    def __init__(self) -> None:
        self._key_ids: set[int] = set()

    def add(self, key_id: int) -> None:
        """This key has let somebody in, itself or by a token that was granted with it."""
        self._key_ids.add(key_id)

    def take(self) -> list[int]:
        """Each key that was used, once; from now on they count anew."""
        taken, self._key_ids = sorted(self._key_ids), set()
        return taken


async def note_key_uses(services: Services) -> int:
    """Write down that keys were used; answers how many. Raises Unavailable; the uses are not forgotten then."""
    key_ids = services.key_uses.take()
    try:
        await services.store.note_key_uses(key_ids, services.clock.now())
    except BaseException:
        for key_id in key_ids:
            services.key_uses.add(key_id)
        raise
    return len(key_ids)
