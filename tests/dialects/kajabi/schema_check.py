"""Whether a value is what a JSON Schema describes."""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]


def assert_matches(value: object, schema: dict[str, Any]) -> None:
    """Raises jsonschema's ValidationError unless `value` matches; date-times are checked where it can."""
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
