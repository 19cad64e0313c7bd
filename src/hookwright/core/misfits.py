"""Every place in which JSON does not fit a type; msgspec, which decodes what fits in one pass, names the first.

What does not fit comes from strangers, at any size: it is looked at as it is asked for, and never read into memory
as a whole.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct, structs

from hookwright.core.errors import Problem

MOST = 100  # of one value: whoever mends these will see the others then
MOST_ITEMS = 1_000  # of one list: what is wrong further down is not looked for

_NOTHING = Raw()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def problem_of(error: msgspec.ValidationError, root: str = "") -> Problem:
    """What msgspec found wrong, as a Problem: it names the place as `$.contact.id`, we as `/contact/id`."""
    message, _, path = str(error).partition(" - at `$")
    # `[...]` stands for a member of a mapping, whose name msgspec does not tell.
    steps = path.rstrip("`").replace("[...]", "").replace("[", ".").replace("]", "").split(".")[1:]
    pointer = root + "".join(f"/{step}" for step in steps)
    if message.startswith("Object missing required field `"):
        return Problem(f"{pointer}/{_name_in(message)}", "is required", "blank")
    return Problem(pointer, message[:1].lower() + message[1:])


def problems_of(error: msgspec.ValidationError, content: bytes, wanted: Any, root: str = "") -> list[Problem]:
    """What is wrong with JSON of which msgspec, decoding it leniently as what is wanted, found the first place."""
    return list(islice(misfits(content, wanted, root), MOST)) or [problem_of(error, root)]


def misfits(content: bytes | Raw, wanted: Any, root: str) -> Iterator[Problem]:
    """Where JSON does not fit a type, member by member and item by item, as they are asked for."""
    try:
        msgspec.json.decode(content, type=wanted, strict=False)
    except msgspec.ValidationError as error:
        within = _misfits_within(content, wanted, root)
        first = next(within, None)
        yield first or problem_of(error, root)
        yield from within
    except _UNREADABLE:  # no misfit, and refused as a whole
        return


def first_items(content: bytes | Raw, most: int) -> list[Raw]:
    """The first items of a JSON array; what comes after them is skipped. Raises what msgspec does."""
    items = msgspec.json.decode(content, type=_beginning_of_a_list(most))
    return [item for item in structs.astuple(items) if item is not _NOTHING]


def _misfits_within(content: bytes | Raw, wanted: Any, root: str) -> Iterator[Problem]:
    """The misfits of the parts of a value that has parts; none where it is not even of the right kind."""
    wanted = _without_null_and_constraints(wanted)
    try:
        if _is_struct(wanted):
            yield from _misfits_of_members(content, wanted, root)
        elif _holds_structs(wanted):
            item = get_args(wanted)[0]
            for place, one in enumerate(first_items(content, MOST_ITEMS)):
                yield from misfits(one, item, f"{root}/{place}")
    except _UNREADABLE:
        return


def _misfits_of_members(content: bytes | Raw, wanted: type[Struct], root: str) -> Iterator[Problem]:
    known = _with_raw_members(wanted, forbid_unknown_fields=False)
    members = structs.asdict(msgspec.json.decode(content, type=known))
    for field in structs.fields(wanted):
        pointer = f"{root}/{field.encode_name}"
        if members[field.name] is not _NOTHING:
            yield from misfits(members[field.name], field.type, pointer)
        elif field.required:
            yield Problem(pointer, "is required", "blank")
    if wanted.__struct_config__.forbid_unknown_fields:
        yield from _first_unknown(content, wanted, root)


def _first_unknown(content: bytes | Raw, wanted: type[Struct], root: str) -> Iterator[Problem]:
    try:
        msgspec.json.decode(content, type=_with_raw_members(wanted, forbid_unknown_fields=True))
    except msgspec.ValidationError as error:  # "Object contains unknown field `more`"
        yield Problem(f"{root}/{_name_in(str(error))}", "is unknown")


@cache
def _with_raw_members(wanted: type[Struct], *, forbid_unknown_fields: bool) -> type[Struct]:
    """A type that takes anything for each member of another one, or nothing, and skips what that does not know."""
    members = [(field.name, Raw, _NOTHING) for field in structs.fields(wanted)]
    names = {field.name: field.encode_name for field in structs.fields(wanted)}
    return msgspec.defstruct(wanted.__name__, members, rename=names, forbid_unknown_fields=forbid_unknown_fields)


@cache
def _beginning_of_a_list(most: int) -> type[Struct]:
    """A type that takes so many items of an array, or fewer. A list would take them all."""
    places = [(f"place_{number}", Raw, _NOTHING) for number in range(most)]
    return msgspec.defstruct("Beginning", places, array_like=True)


def _name_in(message: str) -> str:
    return message.split("`")[1]


def _without_null_and_constraints(wanted: Any) -> Any:
    """The struct, or the list of structs, that a type is beside; any other type as it is."""
    inner = get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted
    if get_origin(inner) in (Union, UnionType):
        others = [each for each in get_args(inner) if each is not NoneType]
        inner = others[0] if len(others) == 1 else inner
    return inner if _is_struct(inner) or _holds_structs(inner) else wanted


def _holds_structs(wanted: Any) -> bool:
    return get_origin(wanted) in (list, tuple) and _is_struct(get_args(wanted)[0])


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Struct)
