"""What operations work with, put together once by `app.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hookwright.ambient import Clock, Dice
from hookwright.core.addresses import TargetPolicy
from hookwright.core.audit import HOOKWRIGHT, Actor
from hookwright.core.errors import Conflict
from hookwright.core.model import Accepted, Draft, Key, Site, Translate, WireForm
from hookwright.operations.declared_types import DeclaredTypes
from hookwright.operations.key_uses import KeyUses
from hookwright.operations.recent import Recent
from hookwright.store.base import Store
from hookwright.telemetry.traces import NoTraces, Traces
from hookwright.vault import Vault


class Intake(Protocol):
    """Where drafts become durable; `engine.intake` groups what comes in at the same time into one commit."""

    async def accept(self, drafts: Sequence[Draft]) -> list[Accepted | Conflict]:
        """Returns when the events and their deliveries are on disk. Raises Unavailable when they are not.

        Answers in the order of the drafts.
        """
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running Hookwright that a request may touch."""

    store: Store
    clock: Clock
    dice: Dice
    vault: Vault
    intake: Intake
    policy: TargetPolicy
    translations: Mapping[str, Translate]  # by dialect name
    forms: Mapping[str, WireForm] = field(default_factory=dict)  # by the name that endpoints carry
    declared_types: DeclaredTypes = field(default_factory=DeclaredTypes)
    recent_keys: Recent[Key] = field(default_factory=Recent)
    key_uses: KeyUses = field(default_factory=KeyUses)
    recent_sites: Recent[list[Site]] = field(default_factory=Recent)  # by account
    traces: Traces = field(default_factory=NoTraces)
    endpoints_per_account: int | None = None  # the most that one may have
    actor: Actor = HOOKWRIGHT  # on behalf of whom changes are made

    def on_behalf_of(self, actor: Actor) -> "Services":
        """The same parts; what is changed with them is noted as this actor's doing."""
        return replace(self, actor=actor)
