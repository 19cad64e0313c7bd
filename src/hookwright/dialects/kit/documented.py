"""What routes say of themselves in the OpenAPI document, beyond what FastAPI reads from them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

BODY_REFUSED = {400: "The body is not JSON", 413: "The body is too large"}
ACCOUNT_FULL = {409: "The account has as many webhooks as it may"}
UNAUTHENTICATED = {401: "The token or API key cannot be authenticated"}
WRONG_PARAMETER = {422: "A parameter is missing or wrong"}
UNAVAILABLE = {503: "The service cannot answer at the moment; see the header Retry-After"}
RATE_LIMITED: dict[int | str, dict[str, Any]] = {
    429: {
        "description": "Too many requests in this minute",
        "content": {"text/plain": {"schema": {"const": "Retry later"}}},
    }
}


def refusals(shape: type[BaseModel], *reasons: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route or a router, all of one shape."""
    return {status: {"model": shape, "description": reason} for each in reasons for status, reason in each.items()}


def page(description: str, status: int) -> dict[int | str, dict[str, Any]]:
    """A documented answer for people: a page."""
    return {status: {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}}


def query_parameter(name: str, description: str = "", required: bool = False) -> dict[str, Any]:
    """A documented query parameter, for routes that read theirs by hand."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


def request_body(model: type[BaseModel], *media_types: str, required: bool = True) -> dict[str, Any]:
    """The part of an OpenAPI operation that describes its body, for routes that read theirs by hand."""
    schema = model.model_json_schema(ref_template=f"#/x-{model.__name__}/{{model}}")
    definitions = schema.pop("$defs", {})
    content = {media_type: {"schema": _inlined(schema, definitions)} for media_type in media_types}
    return {"requestBody": {"required": required, "content": content}}


def _inlined(value: Any, definitions: dict[str, Any]) -> Any:
    """A schema with its references replaced by what they name: a route by hand adds nothing to `components`."""
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(definitions[value["$ref"].rsplit("/", 1)[1]], definitions)
    return {key: _inlined(item, definitions) for key, item in value.items()}
