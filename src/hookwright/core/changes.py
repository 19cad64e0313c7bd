"""Changing JSON data in places: what a person wants otherwise in a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The data with the changes laid over it: object into object, anything else in place of what was there."""
    result = dict(data)
    for name, change in changes.items():
        present = result.get(name)
        if isinstance(present, Mapping) and isinstance(change, Mapping):
            change = merged(present, change)
        result[name] = change
    return result


def with_value_at(data: Any, path: str, value: Any) -> Any:
    """The data with a value at a path such as `contact.email` or `products.0.id`; missing objects are made.

    Raises ValueError for a path that leads through something that is neither object nor list.
    """
    step, separator, rest = path.partition(".")
    if not step or (separator and not rest):
        raise ValueError("a name is missing")
    if isinstance(data, list):
        if not step.isdecimal() or int(step) >= len(data):
            raise ValueError(f"{step!r} is no place in a list of {len(data)}")
        place = int(step)
        return [*data[:place], with_value_at(data[place], rest, value) if rest else value, *data[place + 1 :]]
    if not isinstance(data, Mapping):
        raise ValueError(f"there is nothing below which {step!r} could stand")
    return {**data, step: with_value_at(data.get(step, {}), rest, value) if rest else value}
