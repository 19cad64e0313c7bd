"""Event types: the built-in vocabulary, and what the platform declares beside it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from hookwright.core.announcements import OPERATIONAL_TYPES, is_operational
from hookwright.core.errors import Conflict, Invalid, NotFound, Problem
from hookwright.core.event_names import is_name, meant_by, one_of
from hookwright.core.model import DeclaredType
from hookwright.core.nesting import MAX_DEPTH, is_nested_deeper
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.json_schema import Validator
from hookwright.operations.audit import new_entry
from hookwright.operations.services import Services

MAX_DESCRIPTION_LENGTH = 2_000
MAX_DECLARED_TYPES = 1_000


class Declaration(NamedTuple):
    """An event type as it is declared now; `is_new` if it was not there before."""

    declared: DeclaredType
    is_new: bool


async def declared_types(services: Services) -> Mapping[str, DeclaredType]:
    """What the platform declared, by name; up to a second old. Raises Unavailable."""
    return await services.declared_types.by_name(services.store, services.clock.now())


async def known_types(services: Services) -> list[str]:
    """Every type that can be subscribed to: the built-in ones, the declared ones, and those that only we publish."""
    return [*EVENT_TYPES, *await declared_types(services), *OPERATIONAL_TYPES]


async def require_known_type(services: Services, name: str, pointer: str) -> None:
    """Raises Invalid for a name that no event has."""
    known = await known_types(services)
    if name not in known:
        raise Invalid(unknown_type(known, pointer, meant_by(name, known)))


def unknown_type(known: Iterable[str], pointer: str, meant: str | None) -> Problem:
    """A name that is not among the known ones, in words that name them, the one first that was probably meant."""
    return Problem(pointer, f"unknown event type; {one_of(known, meant)}", "unknown")


async def require_declared_type(services: Services, name: str) -> DeclaredType:
    """A type that the platform declared. Raises NotFound."""
    declared = (await declared_types(services)).get(name)
    if declared is None:
        raise NotFound(f"the event type {name} does not exist")
    return declared


async def declare_event_type(
    services: Services,
    name: str,
    description: str = "",
    schema: Mapping[str, Any] | None = None,
    sample: Mapping[str, Any] | None = None,
) -> Declaration:
    """Declare an event type, or declare it anew, wholly: from now on its schema is enforced at publish.

    Raises Conflict for a built-in name, and Invalid below `/schema` for what is no JSON Schema 2020-12 or one that
    reaches outside itself, below `/sample` for a sample that does not fit it.
    """
    _check_name(name)
    _check_schema_and_sample(schema, sample)
    existing = {declared.name: declared for declared in await services.store.event_types()}
    if name not in existing and len(existing) >= MAX_DECLARED_TYPES:
        raise Conflict(f"{MAX_DECLARED_TYPES} event types are declared already")
    now = services.clock.now()
    declared = DeclaredType(
        name=name,
        description=description,
        schema=_json_text(schema),
        sample=_json_text(sample),
        created_at=existing[name].created_at if name in existing else now,
        updated_at=now,
    )
    await services.store.put_event_type(declared, await new_entry(services, "event_type.declared", name, None))
    services.declared_types.forget()
    return Declaration(declared, is_new=name not in existing)


async def delete_event_type(services: Services, name: str) -> None:
    """Publishing it is refused from now on; what was published stays. Raises NotFound, Conflict (a built-in name)."""
    _refuse_built_in(name)
    if not is_name(name):
        raise NotFound("there is no event type of that name")
    found = await services.store.delete_event_type(name, await new_entry(services, "event_type.deleted", name, None))
    services.declared_types.forget()
    if not found:
        raise NotFound(f"the event type {name} does not exist")


def _check_name(name: str) -> None:
    _refuse_built_in(name)
    if not is_name(name):
        raise Invalid(Problem("/name", "must be a noun and a verb in lower case, such as invoice.paid"))


def _refuse_built_in(name: str) -> None:
    if name in EVENT_TYPES or is_operational(name):
        raise Conflict(f"{name} is a built-in event type")


def _check_schema_and_sample(schema: Mapping[str, Any] | None, sample: Mapping[str, Any] | None) -> None:
    if is_nested_deeper(sample, MAX_DEPTH):
        raise Invalid(Problem("/sample", f"is nested too deeply (at most {MAX_DEPTH} levels)"))
    if schema is None:
        return
    validator = Validator(schema, "/schema")
    if sample is not None and (problems := validator.problems(sample, "/sample")):
        raise Invalid(*problems)


def _json_text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
