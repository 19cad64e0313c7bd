"""JSON Schema 2020-12: the schemas that a platform declares for its event types, checked and compiled.

A schema is a program that a stranger's data runs through, so what it may do is bounded: it reaches nothing outside
itself, its patterns are matched in linear time, and its references do not unroll beyond a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, ValidationErrorKind

from hookwright.core.errors import Invalid, Problem
from hookwright.core.nesting import MAX_DEPTH, is_nested_deeper
from hookwright.core.pointers import pointer_to

META_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES = 64 * 1024
MAX_UNROLLED = 10_000
MAX_PROBLEMS = 20

Schema = Mapping[str, Any]

# It stands in the library's messages for the value, which the pointer names already.
_MASK = "\0"


class Validator:
    """A compiled schema."""

    def __init__(self, schema: Schema, root: str = "") -> None:
        """Raises Invalid, with pointers below `root`, for what is no schema or one that goes too far."""
        _check_bounds(schema, root)
        try:
            self._validator = Draft202012Validator(
                dict(schema), offline=True, validate_formats=True, pattern_options=RegexOptions(), mask=_MASK
            )
        except ValidationError as error:
            raise Invalid(Problem(pointer_to(error.instance_path, root), _message(error))) from None
        except ValueError as error:
            raise Invalid(Problem(root, f"is not a schema: {error}")) from None

    def problems(self, value: object, root: str = "") -> list[Problem]:
        """What is wrong with a value, with pointers below `root`: at most 20 problems, and none for a valid one."""
        try:
            if self._validator.is_valid(value):
                return []
            return list(self._found(value, root))
        except ValueError:
            return [Problem(root, "is nested too deeply, or holds a number that is out of range")]

    def _found(self, value: object, root: str) -> Iterator[Problem]:
        count = 0
        for error in self._validator.iter_errors(value):
            for problem in _problems_of(error, root):
                yield problem
                count += 1
                if count == MAX_PROBLEMS:
                    return


def _problems_of(error: ValidationError, root: str) -> list[Problem]:
    place = pointer_to(error.instance_path, root)
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            return [Problem(pointer_to([name], place), "is required", "blank")]
        case (
            ValidationErrorKind.AdditionalProperties(unexpected=names)
            | ValidationErrorKind.UnevaluatedProperties(unexpected=names)
        ):
            return [Problem(pointer_to([name], place), "is not known here", "unknown") for name in names]
    return [Problem(place, _message(error))]


def _message(error: ValidationError) -> str:
    return error.message.replace(f"{_MASK} ", "", 1).replace(_MASK, "the value")


def _check_bounds(schema: Schema, root: str) -> None:
    said = schema.get("$schema", META_SCHEMA)
    if not isinstance(said, str) or said.rstrip("#") != META_SCHEMA:
        raise Invalid(Problem(f"{root}/$schema", f"only {META_SCHEMA} is known"))
    if is_nested_deeper(schema, MAX_DEPTH):
        raise Invalid(Problem(root, f"is nested too deeply (at most {MAX_DEPTH} levels)"))
    if len(msgspec.json.encode(schema)) > MAX_SCHEMA_BYTES:
        raise Invalid(Problem(root, f"is too long (at most {MAX_SCHEMA_BYTES} bytes)", "too_long"))
    for steps, node in _subschemas(schema):
        _check_references(node, steps, root)
    if _Unrolling(schema).size() > MAX_UNROLLED:
        message = f"has too many ways through its references (at most {MAX_UNROLLED} steps when they are unrolled)"
        raise Invalid(Problem(root, message))


def _check_references(node: Schema, steps: tuple[str | int, ...], root: str) -> None:
    if steps and isinstance(node.get("$id"), str):
        raise Invalid(Problem(pointer_to((*steps, "$id"), root), "only the whole schema may have an $id"))
    for keyword in ("$ref", "$dynamicRef"):
        reference = node.get(keyword)
        if isinstance(reference, str) and not reference.startswith("#"):
            message = "must lead to a place in this schema, such as #/$defs/name: nothing is fetched"
            raise Invalid(Problem(pointer_to((*steps, keyword), root), message))


def _subschemas(schema: Schema) -> Iterator[tuple[tuple[str | int, ...], Schema]]:
    """Every object in a schema that could be a schema, with the steps that lead to it; the outermost first."""
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), schema)]
    while waiting:
        steps, node = waiting.pop()
        if isinstance(node, Mapping):
            yield steps, node
        waiting += [((*steps, step), child) for step, child in _children(node)]


def _children(node: object) -> list[tuple[str | int, object]]:
    # Those of `const` and `examples` too: telling data from schemas would only serve data that looks like a schema.
    if isinstance(node, Mapping):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


class _Unrolling:
    """How large a schema is when each reference is replaced by what it leads to.

    Without such a bound, twenty definitions that each offer the next one twice take a million steps to refuse
    anything. A definition that comes back to itself counts once: there the depth of the data is the bound.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._sizes: dict[int, int] = {}
        self._anchors = {
            node[keyword]: node
            for _, node in _subschemas(schema)
            for keyword in ("$anchor", "$dynamicAnchor")
            if isinstance(node.get(keyword), str)
        }

    def size(self) -> int:
        """The number of steps. A chain of references that is too long to follow counts as endless."""
        try:
            return self._size_of(self._schema)
        except RecursionError:
            return MAX_UNROLLED + 1

    def _size_of(self, node: object) -> int:
        if not isinstance(node, Mapping | list):
            return 0
        if id(node) not in self._sizes:
            self._sizes[id(node)] = 1  # while it is being measured: what leads back here
            self._sizes[id(node)] = 1 + sum(self._size_of(child) for child in self._next_of(node))
        return self._sizes[id(node)]

    def _next_of(self, node: Mapping[str, object] | list[object]) -> Iterator[object]:
        yield from (child for _, child in _children(node))
        if isinstance(node, Mapping):
            for keyword in ("$ref", "$dynamicRef"):
                reference = node.get(keyword)
                if isinstance(reference, str):
                    yield self._target(reference)

    def _target(self, reference: str) -> object:
        """What a reference leads to; nothing, for one that leads nowhere, which the compiler says better."""
        fragment = unquote(reference[1:])
        if not fragment.startswith("/"):
            return self._anchors.get(fragment) if fragment else self._schema
        node: object = self._schema
        for step in fragment[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping):
                node = node.get(name)
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node
