"""Every place in which JSON does not fit a type; msgspec, which decodes what fits in one pass, names the first."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct, structs

from hookwright.core.errors import Problem

MOST = 100  # of one value: whoever mends these will see the others then


def problem_of(error: msgspec.ValidationError, root: str = "") -> Problem:
    """What msgspec found wrong, as a Problem: it names the place as `$.contact.id`, we as `/contact/id`."""
    message, _, path = str(error).partition(" - at `$")
    # `[...]` stands for a member of a mapping, whose name msgspec does not tell.
    steps = path.rstrip("`").replace("[...]", "").replace("[", ".").replace("]", "").split(".")[1:]
    pointer = root + "".join(f"/{step}" for step in steps)
    if message.startswith("Object missing required field `"):
        pointer = f"{pointer}/{message.split('`')[1]}"
        return Problem(pointer, "is required", "blank")
    return Problem(pointer, message[:1].lower() + message[1:])


def problems_of(error: msgspec.ValidationError, content: bytes, wanted: Any, root: str = "") -> list[Problem]:
    """Everything wrong with JSON of which msgspec, decoding it leniently as what is wanted, found the first place."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # msgspec did not come that far
        return [problem_of(error, root)]
    return misfits(value, wanted, root)[:MOST] or [problem_of(error, root)]


def misfits(value: object, wanted: Any, root: str) -> list[Problem]:
    """Where a value does not fit a type, member by member and item by item."""
    wanted = _without_null_and_constraints(wanted)
    if isinstance(value, dict) and _is_struct(wanted):
        return _misfits_of_members(value, wanted, root)
    if isinstance(value, list) and _holds_structs(wanted):
        item = get_args(wanted)[0]
        return [each for place, one in enumerate(value) for each in misfits(one, item, f"{root}/{place}")]
    if wanted is Raw:  # takes anything
        return []
    try:
        msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        return [problem_of(error, root)]
    return []


def _misfits_of_members(value: dict[str, object], wanted: type[Struct], root: str) -> list[Problem]:
    problems: list[Problem] = []
    fields = structs.fields(wanted)
    for field in fields:
        pointer = f"{root}/{field.encode_name}"
        if field.encode_name in value:
            problems += misfits(value[field.encode_name], field.type, pointer)
        elif field.required:
            problems.append(Problem(pointer, "is required", "blank"))
    if wanted.__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        problems += [Problem(f"{root}/{name}", "is unknown") for name in value if name not in known]
    return problems


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
