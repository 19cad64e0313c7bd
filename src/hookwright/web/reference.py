"""A reference page for an OpenAPI document: rendered here, without scripts, so that it works without a network.

FastAPI's own pages load their scripts from a content delivery network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hookwright.web.shapes import Field, Piece, Shapes

if TYPE_CHECKING:
    from fastapi import FastAPI
    from jinja2 import Environment

Document = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"}


class Parameter(NamedTuple):
    """A parameter of an operation; `place` is path, query or header."""

    name: str
    place: str
    required: bool
    type: list[Piece]
    description: str


class Example(NamedTuple):
    """A named example, as indented JSON."""

    name: str
    text: str


class Body(NamedTuple):
    """A request body of one media type."""

    media_type: str
    required: bool
    type: list[Piece]
    fields: list[Field]
    examples: list[Example]


class Answer(NamedTuple):
    """A response; its type is empty where it has no body."""

    status: str
    description: str
    media_type: str
    type: list[Piece]


class Operation(NamedTuple):
    """One method of one path."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    secured: bool
    parameters: list[Parameter]
    bodies: list[Body]
    answers: list[Answer]


def reference_page(openapi: Document, title: str, openapi_url: str | None = None) -> str:
    """A whole HTML page that shows every operation of an OpenAPI 3.1 document, grouped by tag, and its schemas.

    It links to the document itself if it is told where that is.
    """
    shapes = Shapes(openapi.get("components", {}).get("schemas", {}))
    groups: dict[str, list[Operation]] = {}
    for tag, operation in _operations(openapi, shapes):
        groups.setdefault(tag, []).append(operation)
    return (
        _templates()
        .get_template("reference.html")
        .render(
            title=title,
            openapi_url=openapi_url,
            version=openapi.get("info", {}).get("version", ""),
            description=openapi.get("info", {}).get("description", ""),
            groups=groups,
            schemas=shapes.named(),
            prose=prose,
        )
    )


def add_reference(app: FastAPI, path: str) -> None:
    """Serve the reference page of an app at a path."""

    async def show_reference(request: Request) -> Response:
        mounted_at = request.scope.get("root_path", "").rstrip("/")
        openapi_url = f"{mounted_at}{app.openapi_url}" if app.openapi_url else None
        return HTMLResponse(reference_page(app.openapi(), app.title, openapi_url), headers=_HEADERS)

    app.add_api_route(path, show_reference, include_in_schema=False, response_model=None)


def prose(text: str) -> list[list[tuple[bool, str]]]:
    """Paragraphs of (is code, text), from Markdown of which only blank lines and backticks mean something."""
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", text.strip())]
    return [
        [(number % 2 == 1, run) for number, run in enumerate(paragraph.split("`")) if run]
        for paragraph in paragraphs
        if paragraph
    ]


@cache
def _templates() -> Environment:
    # Imported for the first page: few servers are asked for one, and every API is made with its page's route.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("hookwright.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _operations(openapi: Document, shapes: Shapes) -> Iterator[tuple[str, Operation]]:
    for path, item in openapi.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["Other"])[0]
                yield tag, _operation(path, method, item[method], shapes)


def _operation(path: str, method: str, operation: Document, shapes: Shapes) -> Operation:
    return Operation(
        anchor=re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        deprecated=operation.get("deprecated", False),
        secured=bool(operation.get("security")),
        parameters=[_parameter(each, shapes) for each in operation.get("parameters", [])],
        bodies=_bodies(operation.get("requestBody", {}), shapes),
        answers=[_answer(status, each, shapes) for status, each in sorted(operation.get("responses", {}).items())],
    )


def _parameter(parameter: Document, shapes: Shapes) -> Parameter:
    schema = parameter.get("schema", {})
    return Parameter(
        parameter["name"],
        parameter["in"],
        parameter.get("required", False),
        shapes.type_of(schema),
        parameter.get("description") or schema.get("description", ""),
    )


def _bodies(body: Document, shapes: Shapes) -> list[Body]:
    return [
        Body(
            media_type,
            body.get("required", False),
            shapes.type_of(content.get("schema", {})),
            shapes.fields_of(content.get("schema", {})),
            _examples(media_type, content, shapes),
        )
        for media_type, content in body.get("content", {}).items()
    ]


def _examples(media_type: str, content: Document, shapes: Shapes) -> list[Example]:
    if "json" not in media_type:
        return []
    if "examples" in content:
        return [Example(name, _indented(each.get("value"))) for name, each in content["examples"].items()]
    value = content["example"] if "example" in content else shapes.example_of(content.get("schema", {}))
    return [Example("Example", _indented(value))]


def _answer(status: str, answer: Document, shapes: Shapes) -> Answer:
    contents: Document = answer.get("content", {})
    media_type = next(iter(contents), "")
    schema = contents[media_type].get("schema") if media_type else None
    return Answer(status, answer.get("description", ""), media_type, shapes.type_of(schema) if schema else [])


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
