"""What msgspec says of a value that does not fit, in words for people who do not know Python's types."""

from __future__ import annotations

import re

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}

# "Expected `int | null`, got `str`", "Expected `int` >= 1"; our API's messages begin in lower case.
_KIND = re.compile(r"[Ee]xpected `([a-z |]+)`, got `[a-z]+`")
_BOUND = re.compile(r"[Ee]xpected `(?:int|float)[a-z |]*` (>=|<=|>|<) (-?[0-9.]+)")


def in_plain_words(message: str) -> str:
    """`must be a whole number`; a message of another kind as it is."""
    if kind := _KIND.fullmatch(message):
        wanted = [KINDS.get(each, each) for each in kind[1].split(" | ") if each != "null"]
        return f"must be {' or '.join(wanted)}"
    if bound := _BOUND.fullmatch(message):
        return f"must be {BOUNDS[bound[1]]} {bound[2].removesuffix('.0')}"
    return message
