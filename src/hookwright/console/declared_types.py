"""Declare an event type, change or delete a declared one: for administrators, since every account sees it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.event_types import PATH
from hookwright.console.forms import Refusals, by_field
from hookwright.console.pages import with_query
from hookwright.console.visits import Endpoint, Handler, Visit, for_viewers, see_other
from hookwright.core.errors import Conflict, Forbidden, Invalid, Problem
from hookwright.core.model import DeclaredType
from hookwright.operations.event_types import (
    MAX_DESCRIPTION_LENGTH,
    declare_event_type,
    declared_types,
    delete_event_type,
    require_declared_type,
)

FIELDS = ("name", "description", "schema", "sample")


class Typed(NamedTuple):
    """What stands in each field."""

    name: str = ""
    description: str = ""
    schema: str = ""
    sample: str = ""


def for_those_who_declare(handler: Handler) -> Endpoint:
    """A route for administrators of the platform. Raises Forbidden to everybody else."""

    @functools.wraps(handler)
    async def answer(visit: Visit) -> Response:
        if not (visit.viewer.may_administer and visit.viewer.is_administrator):
            raise Forbidden("Only an administrator of the platform changes event types.")
        return await handler(visit)

    return for_viewers(answer)


async def ask_for_new(visit: Visit) -> Response:
    """An empty form."""
    return await _page(visit, Typed(), None)


async def declare(visit: Visit) -> Response:
    """Declare a type that is not there yet."""
    typed = _typed_in(visit)
    if typed.name in await declared_types(visit.services):
        return await _page(visit, typed, None, [Problem("/name", "is declared already")])
    return await _declare(visit, typed, None)


async def ask_for_change(visit: Visit) -> Response:
    """A form with what was declared."""
    declared = await require_declared_type(visit.services, visit.request.path_params["name"])
    typed = Typed(declared.name, declared.description, _indented(declared.schema), _indented(declared.sample))
    return await _page(visit, typed, declared)


async def change(visit: Visit) -> Response:
    """Declare a type anew, wholly."""
    declared = await require_declared_type(visit.services, visit.request.path_params["name"])
    return await _declare(visit, _typed_in(visit)._replace(name=declared.name), declared)


async def ask_before_deletion(visit: Visit) -> Response:
    """What becomes of a type's events, before it is deleted."""
    declared = await require_declared_type(visit.services, visit.request.path_params["name"])
    return await visit.page("event_type_delete.html", declared=declared)


async def delete(visit: Visit) -> Response:
    """Delete a declared type, and show the others."""
    declared = await require_declared_type(visit.services, visit.request.path_params["name"])
    await delete_event_type(visit.services, declared.name)
    return see_other(with_query(PATH, told=f"{declared.name} was deleted"))


async def _declare(visit: Visit, typed: Typed, declared: DeclaredType | None) -> Response:
    try:
        schema, sample = _read(typed)
        await declare_event_type(visit.services, typed.name, typed.description, schema, sample)
    except Invalid as refusal:
        return await _page(visit, typed, declared, refusal.problems)
    except Conflict as refusal:
        return await _page(visit, typed, declared, [Problem("/name", str(refusal))])
    return see_other(with_query(f"{PATH}/{typed.name}", told="declared" if declared is None else "changed"))


def _typed_in(visit: Visit) -> Typed:
    fields = (visit.field(name).replace("\r\n", "\n").strip() for name in FIELDS)
    return Typed(*fields)


def _read(typed: Typed) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The schema and the sample. Raises Invalid with the name of the field as pointer."""
    refusals = Refusals()
    refusals.check("description", typed.description, MAX_DESCRIPTION_LENGTH)
    schema, sample = (
        _object(name, text, refusals) for name, text in (("schema", typed.schema), ("sample", typed.sample))
    )
    refusals.raise_any()
    return schema, sample


def _object(field: str, text: str, refusals: Refusals) -> Mapping[str, Any] | None:
    if not text:
        return None
    try:
        value = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError) as error:
        refusals.add(field, f"is not JSON: {error}")
        return None
    if isinstance(value, dict):
        return value
    refusals.add(field, "must be a JSON object")
    return None


def _indented(text: str | None) -> str:
    return "" if text is None else msgspec.json.format(text, indent=2)


async def _page(
    visit: Visit, typed: Typed, declared: DeclaredType | None, problems: Sequence[Problem] = ()
) -> Response:
    told = by_field(problems, FIELDS)
    status = 422 if problems else 200
    return await visit.page("event_type_form.html", status=status, typed=typed, declared=declared, told=told)


ROUTES = (
    Route(f"{PATH}/new", for_those_who_declare(ask_for_new), methods=["GET"]),
    Route(f"{PATH}/new", for_those_who_declare(declare), methods=["POST"]),
    Route(f"{PATH}/{{name}}/edit", for_those_who_declare(ask_for_change), methods=["GET"]),
    Route(f"{PATH}/{{name}}/edit", for_those_who_declare(change), methods=["POST"]),
    Route(f"{PATH}/{{name}}/delete", for_those_who_declare(ask_before_deletion), methods=["GET"]),
    Route(f"{PATH}/{{name}}/delete", for_those_who_declare(delete), methods=["POST"]),
)
