"""The keys that sign, opened and at hand."""

import asyncio

import msgspec

from hookwright.ambient import Clock
from hookwright.core.model import SECOND, Claim, Instant, SigningKey
from hookwright.core.signing import encode_secret
from hookwright.store.base import Store
from hookwright.vault import Vault

REMEMBERED_FOR: Instant = SECOND
MAX_REMEMBERED = 10_000

Keys = tuple[SigningKey, ...]
Owner = tuple[int, int | None]  # an account, and an endpoint if it has its own secret


class Keyring:
    """Signing keys by owner. Remembered for a second: a rotated-out key signs for a day, so that is soon enough."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._remembered: dict[Owner, tuple[Instant, asyncio.Task[Keys]]] = {}

    async def keys_of(self, account_id: int, endpoint_id: int | None = None) -> Keys:
        """Every live key of an account, or of an endpoint that has its own; newest first."""
        owner = (account_id, endpoint_id)
        now = self._clock.now()
        until, looking = self._remembered.get(owner, (0, None))
        if looking is None or now >= until or _failed(looking):
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            # One look-up for all who ask at the same time: a hundred deliveries of an account start together.
            looking = asyncio.create_task(self._look_up(owner, now))
            self._remembered[owner] = (now + REMEMBERED_FOR, looking)
        # Shielded: a delivery that is given back must not take the look-up from the others.
        return looking.result() if looking.done() else await asyncio.shield(looking)

    def custom_headers(self, claim: Claim) -> dict[str, str]:
        """The headers that the endpoint's owner wants on every request."""
        if claim.sealed_headers is None:
            return {}
        opened = self._vault.open(claim.account_id, claim.sealed_headers)
        return msgspec.json.decode(opened, type=dict[str, str])

    async def _look_up(self, owner: Owner, now: Instant) -> Keys:
        account_id, endpoint_id = owner
        secrets = await self._store.signing_secrets(account_id, endpoint_id, now)
        keys = [self._vault.open(account_id, secret.sealed) for secret in secrets]
        return tuple(SigningKey(encode_secret(key), key) for key in keys)


def _failed(looking: "asyncio.Task[Keys]") -> bool:
    return looking.done() and (looking.cancelled() or looking.exception() is not None)
