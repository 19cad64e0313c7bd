"""A JSON Schema as what people ask of it: which members there are, what they hold, which of them must be there.

It tells the plain part of a schema. What else there is (conditions, patterns, limits) is in the text beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MOST_DEPTH = 4
MOST_MEMBERS = 300

ANYTHING = "anything"


class Member(NamedTuple):
    """A member of an object: its name, what it holds in words, and the members of that."""

    name: str
    words: str
    is_required: bool
    members: tuple[Member, ...]


def members_of_schema(schema: Mapping[str, Any]) -> tuple[Member, ...]:
    """The members of the objects that a schema describes; nothing where it names none, or too many."""
    reader = _Reader(schema)
    members = reader.members(schema, 0)
    return members if reader.seen <= MOST_MEMBERS else ()


class _Reader:
    """Reads one schema. It may refer to itself, so depth and number have bounds."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self.seen = 0

    def members(self, schema: Any, depth: int) -> tuple[Member, ...]:
        if depth == MOST_DEPTH:
            return ()
        for each in self._alternatives(schema, 0):
            properties = each.get("properties")
            if isinstance(properties, dict):
                return tuple(self._each_member(properties, each.get("required"), depth))
            if "items" in each:
                return self.members(each["items"], depth + 1)
        return ()

    def _each_member(self, properties: Mapping[str, Any], required: Any, depth: int) -> Iterator[Member]:
        for name, value in properties.items():
            self.seen += 1
            if self.seen > MOST_MEMBERS:
                return
            is_required = isinstance(required, list) and name in required
            yield Member(name, self._words(value, 0), is_required, self.members(value, depth + 1))

    def _words(self, schema: Any, depth: int) -> str:
        """`string or null`, `list of object`; `anything` where a schema says nothing plain."""
        words = [self._words_of_one(each, depth) for each in self._alternatives(schema, 0)]
        return " or ".join(dict.fromkeys(words)) or ANYTHING

    def _words_of_one(self, schema: Mapping[str, Any], depth: int) -> str:
        if isinstance(choices := schema.get("enum"), list):
            return " or ".join(map(str, choices))
        if "const" in schema:
            return str(schema["const"])
        types = schema.get("type", ANYTHING)
        if types == "array":
            return f"list of {self._words(schema.get('items'), depth + 1) if depth < MOST_DEPTH else ANYTHING}"
        name = " or ".join(map(str, types)) if isinstance(types, list) else str(types)
        return f"{name} ({schema['format']})" if isinstance(schema.get("format"), str) else name

    def _alternatives(self, schema: Any, depth: int) -> Iterator[Mapping[str, Any]]:
        """The schemas that a value may fit, with what they refer to in their place."""
        if not isinstance(schema, dict) or depth > MOST_DEPTH:
            return
        choices = schema.get("anyOf", schema.get("oneOf"))
        if isinstance(reference := schema.get("$ref"), str):
            yield from self._alternatives(self._referred(reference), depth + 1)
        elif isinstance(choices, list):
            for choice in choices:
                yield from self._alternatives(choice, depth + 1)
        else:
            yield schema

    def _referred(self, reference: str) -> Any:
        """What a reference within the schema leads to (RFC 6901); None for any other."""
        start, *steps = reference.split("/")
        found: Any = self._root if start == "#" else None
        for step in steps:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found
