"""The catalogue: every event type there is, with what it means, its schema and a sample."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.descriptions import DESCRIPTIONS, OPERATIONAL_DESCRIPTIONS
from hookwright.core.model import DeclaredType
from hookwright.core.samples import OPERATIONAL_SAMPLES, SAMPLES
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.operations.event_types import declared_types, require_declared_type
from hookwright.operations.services import Services

Origin = Literal["built_in", "operational", "declared"]


class CataloguedType(Struct, frozen=True, kw_only=True):
    """An event type that can be subscribed to. Operational ones are published by Hookwright alone.

    Only a declared type may lack a schema (a JSON Schema) or a sample.
    """

    name: str
    description: str
    origin: Origin
    schema: Mapping[str, Any] | None
    sample: Mapping[str, Any] | None


async def catalogue(services: Services) -> list[CataloguedType]:
    """Every type: the built-in ones, those that only we publish, the declared ones by name. Raises Unavailable."""
    declared = await declared_types(services)
    return [*_built_in().values(), *map(catalogued, declared.values())]


async def require_type(services: Services, name: str) -> CataloguedType:
    """One type. Raises NotFound."""
    built_in = _built_in().get(name)
    return built_in if built_in is not None else catalogued(await require_declared_type(services, name))


@cache
def _built_in() -> dict[str, CataloguedType]:
    return {
        **_made("built_in", EVENT_TYPES, DESCRIPTIONS, SAMPLES),
        **_made("operational", OPERATIONAL_TYPES, OPERATIONAL_DESCRIPTIONS, OPERATIONAL_SAMPLES),
    }


def _made(
    origin: Origin,
    types: Mapping[str, Any],
    descriptions: Mapping[str, str],
    samples: Mapping[str, Mapping[str, Any]],
) -> dict[str, CataloguedType]:
    return {
        name: CataloguedType(
            name=name,
            description=descriptions[name],
            origin=origin,
            schema=msgspec.json.schema(data),
            sample=samples[name],
        )
        for name, data in types.items()
    }


def catalogued(declared: DeclaredType) -> CataloguedType:
    """A declared type as the catalogue has it."""
    return CataloguedType(
        name=declared.name,
        description=declared.description,
        origin="declared",
        schema=_value(declared.schema),
        sample=_value(declared.sample),
    )


def _value(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
