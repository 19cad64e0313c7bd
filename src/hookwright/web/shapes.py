"""JSON Schemas put into words and examples for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

# A schema may refer to itself; nobody reads an example deeper than this.
MAX_EXAMPLE_DEPTH = 6

_EXAMPLES_OF_TYPES = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_EXAMPLES_OF_FORMATS = {
    "date-time": "2026-01-31T18:20:00Z",
    "uuid": "0199c0de-0000-7000-8000-000000000000",
    "uri": "https://example.com/",
    "email": "grace@example.com",
}


class Piece(NamedTuple):
    """A part of a type's name; `schema` is the named schema that it refers to, if it does."""

    text: str
    schema: str | None = None


class Field(NamedTuple):
    """A member of an object."""

    name: str
    type: list[Piece]
    required: bool
    description: str


class NamedSchema(NamedTuple):
    """A schema with a name of its own."""

    name: str
    description: str
    type: list[Piece]
    fields: list[Field]


class Shapes:
    """The named schemas of a document, and what to say about any schema that refers to them."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def named(self) -> list[NamedSchema]:
        """Every named schema, by name."""
        return [
            NamedSchema(name, schema.get("description", ""), self.type_of(schema), self.fields_of(schema))
            for name, schema in sorted(self._schemas.items())
        ]

    def type_of(self, schema: Schema) -> list[Piece]:
        """A schema as a short phrase: `list of Contact`, `text or null`, `"active" | "paused"`."""
        if "$ref" in schema:
            name = _name_in(schema["$ref"])
            return [Piece(name, name if name in self._schemas else None)]
        if "const" in schema:
            return [Piece(_quoted(schema["const"]))]
        if "enum" in schema:
            return [Piece(" | ".join(_quoted(each) for each in schema["enum"]))]
        for choice in ("anyOf", "oneOf"):
            if choice in schema and "properties" not in schema:
                return self._one_of(schema[choice])
        return self._plain_type(schema)

    def fields_of(self, schema: Schema) -> list[Field]:
        """The members of an object; none for anything else."""
        schema = self._resolved(schema)
        required = schema.get("required", [])
        return [
            Field(name, self.type_of(each), name in required, _description(each))
            for name, each in schema.get("properties", {}).items()
        ]

    def example_of(self, schema: Schema, depth: int = 0) -> object:
        """A value that fits a schema: its own example, or one made up from its type."""
        for given in ("example", "const", "default"):
            if schema.get(given) is not None:
                return schema[given]
        for several in ("examples", "enum"):
            if schema.get(several):
                return schema[several][0]
        if depth > MAX_EXAMPLE_DEPTH:
            return None
        if "$ref" in schema:
            return self.example_of(self._resolved(schema), depth + 1)
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema and "properties" not in schema:
                return self.example_of(schema[choice][0], depth + 1)
        return self._example_of_type(schema, depth)

    def _one_of(self, choices: list[Schema]) -> list[Piece]:
        pieces: list[Piece] = []
        for number, choice in enumerate(choices):
            pieces += [Piece(" or ")] if number else []
            pieces += self.type_of(choice)
        return pieces

    def _plain_type(self, schema: Schema) -> list[Piece]:
        kind = schema.get("type", "any")
        if isinstance(kind, list):
            return [Piece(" or ".join(kind))]
        if kind == "array":
            return [Piece("list of "), *self.type_of(schema.get("items", {}))]
        return [Piece(f"{kind} ({schema['format']})" if "format" in schema else kind)]

    def _example_of_type(self, schema: Schema, depth: int) -> object:
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            members = schema.get("properties", {})
            return {name: self.example_of(each, depth + 1) for name, each in members.items()}
        if kind == "array":
            return [self.example_of(schema.get("items", {}), depth + 1)]
        if isinstance(kind, list):
            kind = kind[0]
        return _EXAMPLES_OF_FORMATS.get(schema.get("format", ""), _EXAMPLES_OF_TYPES.get(str(kind)))

    def _resolved(self, schema: Schema) -> Schema:
        for _ in range(MAX_EXAMPLE_DEPTH):
            if "$ref" not in schema:
                break
            schema = self._schemas.get(_name_in(schema["$ref"]), {})
        return schema


def _name_in(reference: str) -> str:
    return reference.rpartition("/")[2]


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _description(schema: Schema) -> str:
    description = schema.get("description", "")
    if schema.get("default") is not None:
        default = f"Default: {_quoted(schema['default'])}."
        return f"{description} {default}".strip()
    return str(description)
