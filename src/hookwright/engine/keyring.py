"""The keys that sign, opened and at hand."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import msgspec

from hookwright.ambient import Clock
from hookwright.core.model import SECOND, Binding, Claim, Instant, SigningKey, SigningSecret
from hookwright.core.signing import encode_secret
from hookwright.store.base import SecretOwner, Store
from hookwright.vault import Vault

REMEMBERED_FOR: Instant = SECOND
MAX_REMEMBERED = 20_000  # as many as deliveries may wait in memory, each for an endpoint with a key of its own

# Look-ups at the same time, each for all who asked meanwhile. One that takes long holds up no other; many would take
# everybody's connections.
LOOK_UPS_AT_ONCE = 4
MOST_IN_A_LOOK_UP = 1_000

Keys = tuple[SigningKey, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Keyring:
    """Signing keys by owner. Remembered for a second: a rotated-out key signs for a day, so that is soon enough."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._remembered: OrderedDict[SecretOwner, tuple[Instant, Keys]] = OrderedDict()
        self._asked: dict[SecretOwner, asyncio.Future[Keys]] = {}
        self._unasked: list[SecretOwner] = []  # whom no look-up has taken yet
        self._looking: set[asyncio.Task[None]] = set()
        self._headers: OrderedDict[tuple[Binding, bytes], Mapping[str, str]] = OrderedDict()

    async def keys_of(self, account_id: int, endpoint_id: int | None = None) -> Keys:
        """Every live key of an account, or of an endpoint that has its own; newest first."""
        owner = (account_id, endpoint_id)
        keys = self._remembered_keys(owner)
        # The look-up is for others too: who gives up waiting must not end it.
        return await asyncio.shield(self._ask(owner)) if keys is None else keys

    def expect(self, owners: Iterable[SecretOwner]) -> None:
        """The keys of these will be asked for soon: look up together those that are not at hand."""
        for owner in set(owners):
            if self._remembered_keys(owner) is None:
                self._ask(owner)

    def custom_headers(self, claim: Claim) -> Mapping[str, str]:
        """The headers that the endpoint's owner wants on every request; opened once."""
        if claim.sealed_headers is None:
            return NO_HEADERS
        # The binding too: it is what the vault holds them to.
        sealed = (Binding("headers", claim.account_id, claim.endpoint_id), claim.sealed_headers)
        headers = self._headers.get(sealed)
        if headers is None:
            headers = msgspec.json.decode(self._vault.open(*sealed), type=dict[str, str])
            _remember(self._headers, sealed, headers)
        return headers

    def _remembered_keys(self, owner: SecretOwner) -> Keys | None:
        remembered = self._remembered.get(owner)
        return remembered[1] if remembered is not None and self._clock.now() < remembered[0] else None

    def _ask(self, owner: SecretOwner) -> asyncio.Future[Keys]:
        asked = self._asked.get(owner)
        if asked is None:
            asked = self._asked[owner] = asyncio.get_running_loop().create_future()
            asked.add_done_callback(_heard)
            self._unasked.append(owner)
            if len(self._looking) < LOOK_UPS_AT_ONCE:
                looking = asyncio.create_task(self._look_up())
                self._looking.add(looking)
                looking.add_done_callback(self._looking.discard)
        return asked

    async def _look_up(self) -> None:
        """Look up whoever was asked for, until there is nobody left."""
        while self._unasked:
            owners, self._unasked = self._unasked[:MOST_IN_A_LOOK_UP], self._unasked[MOST_IN_A_LOOK_UP:]
            now = self._clock.now()
            try:
                secrets = await self._store.signing_secrets_of(owners, now)
            except Exception as error:
                for owner in owners:
                    self._asked.pop(owner).set_exception(error)
                continue
            for owner in owners:
                self._answer(owner, secrets.get(owner, ()), now)

    def _answer(self, owner: SecretOwner, secrets: Sequence[SigningSecret], now: Instant) -> None:
        asked = self._asked.pop(owner)
        try:
            opened = [self._vault.open(secret.binding, secret.sealed) for secret in secrets]
        except Exception as error:  # sealed by a key that is gone, say: theirs, and nobody else's
            asked.set_exception(error)
            return
        keys = tuple(SigningKey(encode_secret(key), key) for key in opened)
        _remember(self._remembered, owner, (now + REMEMBERED_FOR, keys))
        asked.set_result(keys)


def _heard(asked: asyncio.Future[Keys]) -> None:
    # Perhaps nobody waits for it. Whoever needs the keys later looks them up again, and is told then.
    if not asked.cancelled():
        asked.exception()


def _remember(remembered: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Keep this, and forget the oldest where there are too many."""
    remembered[key] = value
    remembered.move_to_end(key)
    if len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)
