"""The keys that sign, opened and at hand."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

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

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Keyring:
    """Signing keys by owner. Remembered for a second: a rotated-out key signs for a day, so that is soon enough."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._remembered: dict[Owner, tuple[Instant, Keys]] = {}
        self._looking: dict[Owner, asyncio.Task[Keys]] = {}
        self._headers: dict[tuple[int, bytes], Mapping[str, str]] = {}

    async def keys_of(self, account_id: int, endpoint_id: int | None = None) -> Keys:
        """Every live key of an account, or of an endpoint that has its own; newest first."""
        owner = (account_id, endpoint_id)
        keys = self._remembered_keys(owner)
        return await self._looked_up(owner) if keys is None else keys

    def custom_headers(self, claim: Claim) -> Mapping[str, str]:
        """The headers that the endpoint's owner wants on every request; opened once."""
        if claim.sealed_headers is None:
            return NO_HEADERS
        # The account too: it is what the vault holds them to.
        sealed = (claim.account_id, claim.sealed_headers)
        headers = self._headers.get(sealed)
        if headers is None:
            headers = msgspec.json.decode(self._vault.open(*sealed), type=dict[str, str])
            _make_room(self._headers)
            self._headers[sealed] = headers
        return headers

    def _remembered_keys(self, owner: Owner) -> Keys | None:
        remembered = self._remembered.get(owner)
        return remembered[1] if remembered is not None and self._clock.now() < remembered[0] else None

    async def _looked_up(self, owner: Owner) -> Keys:
        looking = self._looking.get(owner)
        if looking is None:
            # One look-up for all who ask at the same time: a hundred deliveries of an account start together.
            looking = asyncio.create_task(self._look_up(owner, self._clock.now()))
            self._looking[owner] = looking
            looking.add_done_callback(lambda _: self._looking.pop(owner))
        # Shielded: a delivery that is given back must not take the look-up from the others.
        return await asyncio.shield(looking)

    async def _look_up(self, owner: Owner, now: Instant) -> Keys:
        account_id, endpoint_id = owner
        secrets = await self._store.signing_secrets(account_id, endpoint_id, now)
        opened = [self._vault.open(account_id, secret.sealed) for secret in secrets]
        keys = tuple(SigningKey(encode_secret(key), key) for key in opened)
        _make_room(self._remembered)
        self._remembered[owner] = (now + REMEMBERED_FOR, keys)
        return keys


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= MAX_REMEMBERED:
        remembered.clear()
