"""The keys that sign, opened and at hand."""

import asyncio

from hookwright.ambient import Clock
from hookwright.core.model import SECOND, Instant
from hookwright.store.base import Store
from hookwright.vault import Vault

REMEMBERED_FOR: Instant = SECOND
MAX_REMEMBERED = 10_000

Keys = tuple[bytes, ...]


class Keyring:
    """Signing keys by account. Remembered for a second: a rotated-out key signs for a day, so that is soon enough."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._remembered: dict[int, tuple[Instant, asyncio.Task[Keys]]] = {}

    async def keys_of(self, account_id: int) -> Keys:
        """Every live key of an account, newest first."""
        now = self._clock.now()
        until, looking = self._remembered.get(account_id, (0, None))
        if looking is None or now >= until or _failed(looking):
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            # One look-up for all who ask at the same time: a hundred deliveries of an account start together.
            looking = asyncio.create_task(self._look_up(account_id, now))
            self._remembered[account_id] = (now + REMEMBERED_FOR, looking)
        # Shielded: a delivery that is given back must not take the look-up from the others.
        return looking.result() if looking.done() else await asyncio.shield(looking)

    async def _look_up(self, account_id: int, now: Instant) -> Keys:
        secrets = await self._store.signing_secrets(account_id, None, now)
        return tuple(self._vault.open(account_id, secret.sealed) for secret in secrets)


def _failed(looking: "asyncio.Task[Keys]") -> bool:
    return looking.done() and (looking.cancelled() or looking.exception() is not None)
