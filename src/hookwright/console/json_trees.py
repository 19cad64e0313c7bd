"""JSON as a tree that can be folded. What is too large, or no JSON, is only shown as text."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hookwright.core.nesting import is_nested_deeper

MOST_NODES = 200
DEPTH_OPEN = 2
MOST_PARSED = 12_000
# Far from the end of any stack: the templates take several calls for a level.
MOST_LEVELS = 32


class Branch(NamedTuple):
    """A value under a name: a leaf has `text`, others have `children` and brackets."""

    name: str | None
    kind: str  # string, number, boolean, null, object or array
    text: str
    children: tuple[Branch, ...]
    is_open: bool


def tree_of(body: bytes) -> Branch | None:
    """The tree of a JSON object or array; None for anything else, or for more than a page holds or can say."""
    if len(body) > MOST_PARSED or body[:1] not in (b"{", b"["):
        return None
    try:
        value = json.loads(body)
        if is_nested_deeper(value, MOST_LEVELS) or _count(value) > MOST_NODES or not _can_be_said(value):
            return None
        return _branch(None, value, 0)
    except (ValueError, RecursionError):
        return None


def _can_be_said(value: Any) -> bool:
    """Whether a page can hold its texts: JSON may escape half of a surrogate pair, which UTF-8 has no bytes for."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _branch(name: str | None, value: Any, depth: int) -> Branch:
    if isinstance(value, dict):
        children = tuple(_branch(each, of, depth + 1) for each, of in value.items())
        return Branch(name, "object", f"{{{len(children)}}}", children, depth < DEPTH_OPEN)
    if isinstance(value, list):
        children = tuple(_branch(str(place), of, depth + 1) for place, of in enumerate(value))
        return Branch(name, "array", f"[{len(children)}]", children, depth < DEPTH_OPEN)
    return Branch(name, _kind(value), json.dumps(value, ensure_ascii=False), (), False)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
