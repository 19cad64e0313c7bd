"""The keys that sign, opened and at hand."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from hookwright.ambient import Clock
from hookwright.core.model import SECOND, Binding, Claim, Instant, SigningKey, SigningSecret
from hookwright.core.signing import encode_secret
from hookwright.engine.batching import Batcher
from hookwright.store.base import Store
from hookwright.vault import Vault

REMEMBERED_FOR: Instant = SECOND
MAX_REMEMBERED = 10_000

# Look-ups at the same time, each for one account. One after another, accounts would wait for each other (measured:
# for many seconds, and for what was forgotten again by then); all at once, they would take everybody's connections.
LOOK_UPS_AT_ONCE = 4

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
        self._looking: dict[int, Batcher[Owner, Keys]] = {}  # by account
        self._at_once = asyncio.Semaphore(LOOK_UPS_AT_ONCE)
        self._headers: dict[tuple[Binding, bytes], Mapping[str, str]] = {}

    async def keys_of(self, account_id: int, endpoint_id: int | None = None) -> Keys:
        """Every live key of an account, or of an endpoint that has its own; newest first."""
        owner = (account_id, endpoint_id)
        keys = self._remembered_keys(owner)
        return await self._looking_for(account_id).submit(owner) if keys is None else keys

    def custom_headers(self, claim: Claim) -> Mapping[str, str]:
        """The headers that the endpoint's owner wants on every request; opened once."""
        if claim.sealed_headers is None:
            return NO_HEADERS
        # The binding too: it is what the vault holds them to.
        sealed = (Binding("headers", claim.account_id, claim.endpoint_id), claim.sealed_headers)
        headers = self._headers.get(sealed)
        if headers is None:
            headers = msgspec.json.decode(self._vault.open(*sealed), type=dict[str, str])
            _make_room(self._headers)
            self._headers[sealed] = headers
        return headers

    def _remembered_keys(self, owner: Owner) -> Keys | None:
        remembered = self._remembered.get(owner)
        return remembered[1] if remembered is not None and self._clock.now() < remembered[0] else None

    def _looking_for(self, account_id: int) -> Batcher[Owner, Keys]:
        # One look-up for all who ask at the same time: a hundred deliveries start together.
        looking = self._looking.get(account_id)
        if looking is None:
            _make_room(self._looking)
            looking = self._looking[account_id] = Batcher(self._look_up)
        return looking

    async def _look_up(self, owners: Sequence[Owner]) -> list[Keys]:
        """The keys of each; one question for all endpoints of an account, which often are sent to together."""
        async with self._at_once:
            now = self._clock.now()
            found = await self._secrets_of(set(owners), now)
        keys: dict[Owner, Keys] = {}
        for owner, secrets in found.items():
            opened = [self._vault.open(secret.binding, secret.sealed) for secret in secrets]
            keys[owner] = tuple(SigningKey(encode_secret(key), key) for key in opened)
        for owner in keys:
            _make_room(self._remembered)
            self._remembered[owner] = (now + REMEMBERED_FOR, keys[owner])
        return [keys[owner] for owner in owners]

    async def _secrets_of(self, owners: Iterable[Owner], now: Instant) -> dict[Owner, Sequence[SigningSecret]]:
        found: dict[Owner, Sequence[SigningSecret]] = {}
        endpoints: dict[int, list[int]] = {}
        for account_id, endpoint_id in owners:
            if endpoint_id is None:
                found[account_id, None] = await self._store.signing_secrets(account_id, None, now)
            else:
                endpoints.setdefault(account_id, []).append(endpoint_id)
        for account_id, ids in endpoints.items():
            secrets = await self._store.signing_secrets_of(account_id, ids, now)
            found |= {(account_id, id): secrets.get(id, ()) for id in ids}
        return found


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= MAX_REMEMBERED:
        remembered.clear()
