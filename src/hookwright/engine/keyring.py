"""The keys that sign, opened and at hand."""

from hookwright.ambient import Clock
from hookwright.core.model import SECOND, Instant
from hookwright.store.base import Store
from hookwright.vault import Vault

REMEMBERED_FOR: Instant = SECOND
MAX_REMEMBERED = 10_000


class Keyring:
    """Signing keys by account. Remembered for a second: a rotated-out key signs for a day, so that is soon enough."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._remembered: dict[int, tuple[Instant, tuple[bytes, ...]]] = {}

    async def keys_of(self, account_id: int) -> tuple[bytes, ...]:
        """Every live key of an account, newest first."""
        now = self._clock.now()
        until, keys = self._remembered.get(account_id, (0, ()))
        if now >= until:
            secrets = await self._store.signing_secrets(account_id, None, now)
            keys = tuple(self._vault.open(account_id, secret.sealed) for secret in secrets)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[account_id] = (now + REMEMBERED_FOR, keys)
        return keys
