"""Samples by name: of an event type, or of what a dialect calls an event (`kit:subscriber.tag_add`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from hookwright.ambient import new_event_id
from hookwright.core.errors import Invalid, Problem
from hookwright.core.event_names import meant_by, one_of
from hookwright.core.model import Event, Notice
from hookwright.core.samples import SAMPLES, Sample
from hookwright.core.vocabulary import EVENT_TYPES, typed_data
from hookwright.operations.event_types import declared_types, unknown_type
from hookwright.operations.publish import notices_of
from hookwright.operations.services import Services

# Any will do: it only has notices made that need a site.
_SOME_SITE = 1


class NamedSample(NamedTuple):
    """An event type that may be published, sample data for it, and the dialect's notice if one was named."""

    type: str
    data: dict[str, Any]
    notice: Notice | None = None


async def sample_named(services: Services, name: str) -> NamedSample:
    """The sample of a type that anyone may publish, or of the first type that becomes `dialect:event`.

    Raises Invalid below `/type`, with the names that there are.
    """
    if ":" in name:
        return _sample_in_dialect(services, name)
    declared = await declared_types(services)
    if name in SAMPLES:
        return NamedSample(name, dict(SAMPLES[name]))
    if name not in declared:
        known = (*EVENT_TYPES, *declared)
        raise Invalid(unknown_type(known, "/type", meant_by(name, known)))
    sample = declared[name].sample
    if sample is None:
        raise Invalid(Problem("/type", f"{name} was declared without a sample"))
    return NamedSample(name, msgspec.json.decode(sample))


def notices_in(services: Services, dialect: str) -> dict[str, Notice]:
    """What a dialect calls the events that it knows, each with a notice as an example."""
    notices: dict[str, Notice] = {}
    for type, data in SAMPLES.items():
        for notice in _notices_of_sample(services, type, data):
            if notice.dialect == dialect:
                notices.setdefault(notice.event, notice)
    return notices


def _sample_in_dialect(services: Services, name: str) -> NamedSample:
    names: dict[str, None] = {}
    for type, data in SAMPLES.items():
        for notice in _notices_of_sample(services, type, data):
            own_name = f"{notice.dialect}:{notice.event}"
            if own_name == name:
                return NamedSample(type, dict(data), notice)
            names[own_name] = None
    dialect = name.partition(":")[0]
    known = [each for each in names if each.startswith(f"{dialect}:")] or list(names)
    told = one_of(known, meant_by(name, known))
    raise Invalid(Problem("/type", f"no event is called {name}; {told}", "unknown"))


def _notices_of_sample(services: Services, type: str, data: Sample) -> Iterator[Notice]:
    now = services.clock.now()
    encoded = msgspec.json.encode(data)
    event = Event(
        id=new_event_id(now, 0),
        account_id=1,
        site_id=_SOME_SITE,
        type=type,
        occurred_at=now,
        accepted_at=now,
        data=encoded,
    )
    yield from notices_of(services.translations, event, typed_data(type, encoded))
