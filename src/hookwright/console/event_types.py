"""Event types: the vocabulary, and what each type becomes in every dialect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.json_trees import Branch, tree_of
from hookwright.console.schema_trees import members_of_schema
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_viewers
from hookwright.core.model import OWN_DIALECT, Notice
from hookwright.operations.catalogue import CataloguedType, Origin, catalogue, require_type
from hookwright.operations.samples import notices_of_sample

PATH = f"{PREFIX}/event-types"


class Group(NamedTuple):
    """The types of one origin, in words; `is_spoken`: dialects have words for them."""

    origin: Origin
    title: str
    words: str
    is_spoken: bool = False


GROUPS = (
    Group("declared", "Declared", "what this platform declared beside the vocabulary"),
    Group("built_in", "Vocabulary", "built in; every dialect says them in its own words", is_spoken=True),
    Group("operational", "Operational", "published by Hookwright alone, about an account's endpoints and deliveries"),
)


class Spoken(NamedTuple):
    """What a type becomes in one dialect, by its sample: the dialect's event and the body."""

    event: str
    resources: Sequence[str]
    body: str


class Kind(NamedTuple):
    """A type, and the names of the events that it becomes in each of the dialects."""

    type: CataloguedType
    events: Mapping[str, Sequence[str]]


async def list_types(visit: Visit) -> Response:
    """Every type."""
    kinds = [Kind(each, _events_of(visit, each)) for each in await catalogue(visit.services)]
    groups = [(each, [kind for kind in kinds if kind.type.origin == each.origin]) for each in GROUPS]
    return await visit.page("event_types.html", groups=groups, dialects=foreign_dialects(visit))


async def show_type(visit: Visit) -> Response:
    """One type: its schema, its sample, and what that becomes."""
    type = await require_type(visit.services, visit.request.path_params["name"])
    notices = _notices_of(visit, type)
    return await visit.page(
        "event_type.html",
        type=type,
        schema=_indented(type.schema),
        members=() if type.schema is None else members_of_schema(type.schema),
        sample=_indented(type.sample),
        sample_tree=_tree(type.sample),
        spoken=[(name, list(_spoken(notices, name))) for name in _dialects_of(visit, type)],
    )


def foreign_dialects(visit: Visit) -> list[str]:
    """The dialects that are spoken here, beside our own words."""
    return [name for name in visit.surface.settings.forms if name != OWN_DIALECT]


def _dialects_of(visit: Visit, type: CataloguedType) -> list[str]:
    """The dialects to tell of: of a type that is not built in, our own alone."""
    return [OWN_DIALECT, *(foreign_dialects(visit) if type.origin == "built_in" else ())]


def _notices_of(visit: Visit, type: CataloguedType) -> tuple[Notice, ...]:
    """What the type's sample becomes. Without a sample, an event of it still has our own form."""
    return notices_of_sample(visit.services, type.name, type.sample or {})


def _events_of(visit: Visit, type: CataloguedType) -> dict[str, list[str]]:
    events: dict[str, list[str]] = {}
    for notice in _notices_of(visit, type):
        events.setdefault(notice.dialect, []).append(notice.event)
    return events


def _spoken(notices: Iterable[Notice], dialect: str) -> Iterable[Spoken]:
    for notice in notices:
        if notice.dialect == dialect:
            yield Spoken(notice.event, notice.resources, _indented(msgspec.json.decode(notice.render())) or "")


def _indented(value: Any) -> str | None:
    return None if value is None else json.dumps(value, indent=2, ensure_ascii=False)


def _tree(value: Any) -> Branch | None:
    return None if value is None else tree_of(msgspec.json.encode(value))


ROUTES = (
    Route(PATH, for_viewers(list_types), methods=["GET"]),
    Route(f"{PATH}/{{name}}", for_viewers(show_type), methods=["GET"]),
)
