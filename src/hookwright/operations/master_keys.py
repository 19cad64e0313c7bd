"""Master keys: whether those at hand open what is kept, and sealing everything anew with the first of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import NamedTuple, get_args

from hookwright.ambient import Clock
from hookwright.core.model import SealedKind
from hookwright.operations.services import Services
from hookwright.store.base import Resealed, SealedCount, SealedValue, Store
from hookwright.vault import WITHOUT_KEY_ID, Vault, key_id_in

# Rows that one transaction seals anew: some hundredths of a second, beside traffic.
BATCH = 100
# A row that somebody holds at that moment is met again on the next round.
MOST_ROUNDS = 5

KINDS: tuple[SealedKind, ...] = get_args(SealedKind)


class KeyUse(NamedTuple):
    """How much one master key has sealed. `key_id` is None for what was sealed before there were key ids."""

    key_id: str | None
    seals: bool  # it seals what is new
    configured: bool
    counts: dict[SealedKind, int]


class Reencryption(NamedTuple):
    """What sealing anew came to: how many values now have the first key (or would), and how many did not open."""

    resealed: int = 0
    unopened: int = 0
    left: int = 0  # another process held or changed them in every round


async def master_key_problem(store: Store, vault: Vault, clock: Clock) -> str | None:
    """Why the master keys at hand cannot serve this database, or None; then the first of them is noted there."""
    noted = await store.master_key_ids()
    if missing := [key_id for key_id in noted if key_id not in vault.key_ids]:
        if in_use := _sealed_by(missing, await store.sealed_counts()):
            return _missing_key(in_use, vault)
        for key_id in missing:
            await store.forget_master_key(key_id)
    if not noted and (problem := await _older_problem(store, vault)):
        return problem
    if vault.key_ids[0] not in noted:
        await store.note_master_key(vault.key_ids[0], clock.now())
    return None


async def master_key_uses(services: Services) -> list[KeyUse]:
    """Every master key that is configured or has sealed something, that which seals first."""
    vault = services.vault
    counts: dict[str | None, dict[SealedKind, int]] = {key_id: {} for key_id in vault.key_ids}
    for kind, head, values in await services.store.sealed_counts():
        of_key = counts.setdefault(key_id_in(head), {})
        of_key[kind] = of_key.get(kind, 0) + values
    return [
        KeyUse(key_id, key_id == vault.key_ids[0], key_id in vault.key_ids, found) for key_id, found in counts.items()
    ]


async def reencrypt(
    services: Services, *, dry_run: bool = False, on_progress: Callable[[Reencryption], None] = lambda _: None
) -> Reencryption:
    """Seal with the first master key whatever another has sealed. Servers may run; it may be stopped and run again.

    What does not open, because no key at hand sealed it or it stands in a wrong row, stays as it is and is counted.
    """
    done = Reencryption()
    for _ in range(1 if dry_run else MOST_ROUNDS):
        done = Reencryption(done.resealed)
        async for lane_index, values in _sealed_otherwise(services):
            done = _added(done, await _reseal(services, lane_index, values, dry_run))
            on_progress(done)
        if not done.left:
            break
    if not dry_run:
        await _forget_unused(services)
    return done


async def _reseal(services: Services, lane_index: int, values: Sequence[SealedValue], dry_run: bool) -> Reencryption:
    resealed = [again for value in values if (again := _sealed_anew(services.vault, value)) is not None]
    unopened = len(values) - len(resealed)
    written = len(resealed) if dry_run else await services.store.reseal(lane_index, resealed)
    return Reencryption(written, unopened, len(resealed) - written)


def _sealed_anew(vault: Vault, value: SealedValue) -> Resealed | None:
    try:
        return Resealed(value, vault.seal(value.binding, vault.open(value.binding, value.sealed)))
    except ValueError:
        return None


async def _sealed_otherwise(services: Services) -> AsyncIterator[tuple[int, list[SealedValue]]]:
    """What another key has sealed, a batch of one lane at a time."""
    store, head = services.store, services.vault.head
    for lane_index in range(store.lane_count):
        for kind in KINDS:
            after = -1
            while values := await store.sealed_otherwise(lane_index, kind, head, after, BATCH):
                yield lane_index, values
                after = values[-1].id


def _added(one: Reencryption, other: Reencryption) -> Reencryption:
    return Reencryption(*(a + b for a, b in zip(one, other, strict=True)))


async def _forget_unused(services: Services) -> None:
    used = _sealed_by(await services.store.master_key_ids(), await services.store.sealed_counts())
    for key_id in await services.store.master_key_ids():
        if key_id not in used and key_id != services.vault.key_ids[0]:
            await services.store.forget_master_key(key_id)


def _sealed_by(key_ids: Iterable[str], counts: Iterable[SealedCount]) -> Counter[str]:
    """How many values each of these keys has sealed; nothing for one that has sealed none."""
    wanted = set(key_ids)
    found: Counter[str] = Counter()
    for _, head, values in counts:
        if (key_id := key_id_in(head)) in wanted and key_id is not None:
            found[key_id] += values
    return found


def _missing_key(in_use: Counter[str], vault: Vault) -> str:
    sealed = ", ".join(f"{number} with the master key {key_id}" for key_id, number in in_use.items())
    return (
        f"this database holds secrets that were encrypted with a key that is not configured: {sealed}."
        f" Configured: {', '.join(vault.key_ids)}. Add the missing key behind the first one"
    )


async def _older_problem(store: Store, vault: Vault) -> str | None:
    """What was sealed before keys were noted: one value tells whether the key is the right one."""
    value = await store.one_sealed_as(WITHOUT_KEY_ID)
    if value is None or _sealed_anew(vault, value) is not None:
        return None
    return "this is not the master key that the secrets in this database were encrypted with"
