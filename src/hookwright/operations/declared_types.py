"""The event types that the platform declared, at hand for publishing: read from the store at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from hookwright.core.errors import Problem
from hookwright.core.model import DeclaredType, Instant
from hookwright.json_schema import Validator
from hookwright.operations.recent import REMEMBERED_FOR
from hookwright.store.base import Store

ByName = Mapping[str, DeclaredType]


class DeclaredTypes:
    """What was declared, and the compiled schemas.

    Another process's declaration is seen within a second; one of this process is seen at once, since it calls
    `forget`.
    """

    def __init__(self) -> None:
        self._looking: asyncio.Task[ByName] | None = None
        self._until: Instant = 0
        self._validators: dict[str, Validator] = {}

    async def by_name(self, store: Store, now: Instant) -> ByName:
        """Every declared type. Raises Unavailable."""
        looking = self._looking
        if looking is None or now >= self._until or _failed(looking):
            # One look-up for all who publish at the same time. What `forget` finds under way is not remembered: it
            # may have read what was there before the change.
            looking = asyncio.create_task(_read(store))
            self._looking, self._until = looking, now + REMEMBERED_FOR
        # Shielded: a publisher that hangs up must not take the look-up from the others.
        return looking.result() if looking.done() else await asyncio.shield(looking)

    def forget(self) -> None:
        """A type was declared or deleted."""
        self._looking = None
        self._validators.clear()

    def problems(self, declared: DeclaredType, data: object, root: str) -> list[Problem]:
        """What is wrong with data by its type's schema, with pointers below `root`."""
        if not isinstance(data, dict):
            return [Problem(root, "must be an object")]
        return [] if declared.schema is None else self._validator(declared.schema).problems(data, root)

    def _validator(self, schema: str) -> Validator:
        if schema not in self._validators:
            self._validators[schema] = Validator(msgspec.json.decode(schema))
        return self._validators[schema]


async def _read(store: Store) -> ByName:
    return {declared.name: declared for declared in await store.event_types()}


def _failed(looking: asyncio.Task[ByName]) -> bool:
    return looking.done() and (looking.cancelled() or looking.exception() is not None)
