"""docs/event-types.md, written from the vocabulary: `make docs`, or `python -m hookwright.event_types_page FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import inspect

from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.descriptions import DESCRIPTIONS, OPERATIONAL_DESCRIPTIONS
from hookwright.core.model import OWN_DIALECT, Event, Notice
from hookwright.core.samples import OPERATIONAL_SAMPLES, SAMPLES
from hookwright.core.vocabulary import EVENT_TYPES, Data, typed_data
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kit import KIT
from hookwright.dialects.standard import STANDARD
from hookwright.operations.publish import notices_of

INTRODUCTION = """<!-- Written by `make docs` from src/hookwright/core: vocabulary, descriptions and samples. -->

# Event types

What can be published ([how](api.md#publish)), the data that each type carries, and what it becomes in the words of
each dialect. Of the data only ids and a contact's email are required; what the [objects](#objects) do not list is
kept, and goes to Hookwright's own endpoints as it came. Amounts are in minor units of their currency (cents for USD,
yen for JPY). Ids may be integers or numeric strings, times are ISO 8601.

Hookwright's own endpoints get every type under its own name. A platform may [declare more](api.md#event-types).
`GET /api/v1/event-types` serves this list with JSON Schemas, and what was declared.

Kajabi's hooks and Kit's webhooks may be narrowed to a resource: a tag, a form, a link. Below, its id stands behind
the name of the event.

"""

OPERATIONAL = """## Operational events

Hookwright publishes them to tell an account of its own endpoints and deliveries. They can be subscribed to, not
published; the dialects have no words for them.

"""

OBJECTS = """## Objects

What a member is if it is left out stands in the last column.

"""

DIALECT_NAMES: Mapping[str, str] = {
    OWN_DIALECT: "Hookwright",
    "kajabi": "Kajabi hook",
    "kit": "Kit webhook",
    "kit_endpoints": "Kit webhook endpoint",
}
_SAMPLE_TIME = 1_769_883_600_000_000  # 2026-01-31T18:20:00Z, when the samples' story ends
_SAMPLE_EVENT_ID = "019c15f0-2a31-7c8e-9b1d-5f1e3c7a8840"
_SAMPLE_SITE = 320
_TRANSLATIONS = {each.name: each.translate for each in (STANDARD, KAJABI, KIT)}


def event_types_page() -> str:
    """The whole page: a table of all types, each type with its sample and its bodies, the objects."""
    return "".join(
        [
            INTRODUCTION,
            _overview(),
            "## The types\n\n",
            *map(_section, EVENT_TYPES),
            OPERATIONAL,
            *map(_operational_section, OPERATIONAL_TYPES),
            OBJECTS,
            *map(_object, _objects()),
        ]
    ).rstrip("\n").replace("\n\n\n", "\n\n") + "\n"  # fmt: skip


def _overview() -> str:
    foreign = [name for name in DIALECT_NAMES if name != OWN_DIALECT]
    head = _table_row(["event type", *(DIALECT_NAMES[name] for name in foreign)])
    rows = "".join(_overview_row(each, foreign) for each in EVENT_TYPES)
    return f"{head}{_table_row(['---'] * (1 + len(foreign)))}{rows}\n"


def _overview_row(type: str, dialects: Iterable[str]) -> str:
    notices = notices_of_sample(type)
    cells = (", ".join(f"`{each.event}`" for each in notices if each.dialect == dialect) for dialect in dialects)
    return _table_row([f"[`{type}`](#{_anchor(type)})", *cells])


def _section(type: str) -> str:
    bodies = "".join(_body(notice) for notice in notices_of_sample(type) if notice.dialect != OWN_DIALECT)
    data = _members_in_words(_struct(EVENT_TYPES[type]))
    return f"### {type}\n\n{DESCRIPTIONS[type]} Its data: {data}.\n\n{_json(SAMPLES[type])}\n{bodies}"


def _operational_section(type: str) -> str:
    return f"### {type}\n\n{OPERATIONAL_DESCRIPTIONS[type]}\n\n{_json(OPERATIONAL_SAMPLES[type])}\n"


def _members_in_words(data: inspect.StructType) -> str:
    return ", ".join(
        f"`{member.name}` ({_type(member.type)}{'' if member.required else ', may be left out'})"
        for member in data.fields
    )


def _body(notice: Notice) -> str:
    """What a subscriber of a dialect gets, folded."""
    about = f" of {', '.join(notice.resources)}" if notice.resources else ""
    title = f"{DIALECT_NAMES[notice.dialect]}: <code>{notice.event}</code>{about}"
    body = _json(msgspec.json.decode(notice.render()))
    return f'<details markdown="1"><summary>{title}</summary>\n\n{body}\n</details>\n\n'


def notices_of_sample(type: str) -> tuple[Notice, ...]:
    """What a type's sample becomes in every dialect, Hookwright's own included."""
    data = msgspec.json.encode(SAMPLES[type])
    event = Event(
        id=_SAMPLE_EVENT_ID,
        account_id=64,
        site_id=_SAMPLE_SITE,
        type=type,
        occurred_at=_SAMPLE_TIME,
        accepted_at=_SAMPLE_TIME,
        data=data,
    )
    return notices_of(_TRANSLATIONS, event, typed_data(type, data))


def _object(kind: inspect.StructType) -> str:
    described = f"{kind.cls.__doc__}\n\n" if kind.cls.__doc__ else ""
    head = _table_row(["member", "type", "if it is left out"])
    rows = "".join(_table_row([f"`{each.name}`", _type(each.type), _presence(each)]) for each in kind.fields)
    return f"### {kind.cls.__name__}\n\n{described}{head}{_table_row(['---'] * 3)}{rows}\n"


def _presence(member: inspect.Field) -> str:
    if member.required:
        return "**required**"
    default = member.default if member.default is not msgspec.NODEFAULT else member.default_factory()
    return f"`{msgspec.json.encode(default).decode()}`"


def _type(kind: inspect.Type) -> str:
    """A type of the vocabulary in a word or two."""
    if isinstance(kind, inspect.UnionType):
        return " or ".join(map(_type, kind.types))
    if isinstance(kind, inspect.StructType):
        return f"[{kind.cls.__name__}](#{_anchor(kind.cls.__name__)})"
    if isinstance(kind, inspect.VarTupleType):
        return f"list of {_type(kind.item_type)}"
    return _WORDS[type(kind)]


# Another type of member needs a line here; without one the page is not written.
_WORDS: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "integer",
    inspect.BoolType: "true or false",
    inspect.DateTimeType: "time",
    inspect.DictType: "object",
    inspect.NoneType: "null",
}


def _objects() -> Iterator[inspect.StructType]:
    """Every object that the data of some type holds, each once, in the order in which they are met."""
    waiting = [member.type for data in EVENT_TYPES.values() for member in _struct(data).fields]
    seen = set()
    while waiting:
        kind = waiting.pop(0)
        if isinstance(kind, inspect.UnionType):
            waiting = [*kind.types, *waiting]
        elif isinstance(kind, inspect.VarTupleType):
            waiting.insert(0, kind.item_type)
        elif isinstance(kind, inspect.StructType) and kind.cls not in seen:
            seen.add(kind.cls)
            yield kind
            waiting = [*(member.type for member in kind.fields), *waiting]


def _struct(data: type[Data]) -> inspect.StructType:
    described = inspect.type_info(data)
    assert isinstance(described, inspect.StructType)
    return described


def _table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _json(value: object) -> str:
    return f"```json\n{msgspec.json.format(msgspec.json.encode(value), indent=2).decode()}\n```\n"


def _anchor(heading: str) -> str:
    """How Markdown readers name a heading of ours: lower case, without punctuation."""
    return "".join(each for each in heading.lower() if each.isalnum() or each in "_-")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(event_types_page())
