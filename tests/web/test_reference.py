"""The reference page: whole, self-contained, and safe with what a document says."""

from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from hookwright.api import build_api
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kit import KIT
from hookwright.operations.services import Services
from hookwright.web.reference import add_reference, prose, reference_page
from hookwright.web.shapes import Piece, Shapes

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Outline(HTMLParser):
    """What a page consists of; fails on tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def apps(services: Services) -> dict[str, FastAPI]:
    settings = DialectSettings()
    return {
        "hookwright": build_api(services),
        "kajabi": KAJABI.build_app(services, settings),
        "kit": KIT.build_app(services, settings),
    }


@pytest.mark.parametrize("name", ["hookwright", "kajabi", "kit"])
def test_a_page_has_every_operation_and_every_link_leads_somewhere(services: Services, name: str) -> None:
    document = apps(services)[name].openapi()
    page = reference_page(document, "The API", "/openapi.json")
    outline = Outline(page)
    assert len(set(outline.ids)) == len(outline.ids)
    for link in outline.links:
        assert link == "/openapi.json" or link.removeprefix("#") in outline.ids, link
    for path in document["paths"]:
        assert f'<span class="path">{path}</span>' in page


@pytest.mark.parametrize("name", ["hookwright", "kajabi", "kit"])
def test_a_page_needs_neither_scripts_nor_a_network(services: Services, name: str) -> None:
    outline = Outline(reference_page(apps(services)[name].openapi(), "The API"))
    assert not outline.tags & {"script", "link", "img", "iframe"}
    assert all(link.startswith("#") for link in outline.links)


class Thing(BaseModel):
    """A thing with <b>markup</b> in its words."""

    name: str = "<script>alert(1)</script>"


def app_with_markup() -> FastAPI:
    app = FastAPI(title="<script>alert(2)</script>", openapi_url="/things/openapi.json")

    @app.post("/things", summary="<script>alert(3)</script>", tags=["<i>Things</i>"])
    async def create(thing: Thing) -> Thing:
        """Takes `a & b`."""
        return thing

    return app


def test_what_a_document_says_is_text_and_not_markup() -> None:
    page = reference_page(app_with_markup().openapi(), "<script>alert(2)</script>")
    assert Outline(page).tags.isdisjoint({"script", "i"})
    assert "<code>a &amp; b</code>" in page


async def test_an_app_serves_its_own_page() -> None:
    app = app_with_markup()
    add_reference(app, "/things/docs")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="https://hookwright.test"
    ) as client:
        response = await client.get("/things/docs")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "/things/openapi.json" in Outline(response.text).links
    assert "/things/docs" not in app.openapi()["paths"]


def test_prose_is_paragraphs_with_code_in_them() -> None:
    assert prose("One\nline with `code`.\n\nAnother.") == [
        [(False, "One line with "), (True, "code"), (False, ".")],
        [(False, "Another.")],
    ]
    assert prose("") == []


SHAPES = Shapes(
    {
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
        "Named": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    }
)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Named"}}, "list of Named"),
        ({"enum": ["a", 5]}, '"a" | 5'),
        ({"const": 409}, "409"),
        ({}, "any"),
    ],
)
def test_a_type_is_a_short_phrase(schema: dict[str, Any], words: str) -> None:
    assert "".join(piece.text for piece in SHAPES.type_of(schema)) == words


def test_a_type_links_only_to_schemas_that_are_there() -> None:
    assert SHAPES.type_of({"$ref": "#/components/schemas/Named"}) == [Piece("Named", "Named")]
    assert SHAPES.type_of({"$ref": "#/components/schemas/Lost"}) == [Piece("Lost", None)]


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"$ref": "#/components/schemas/Named"}, {"name": "text"}),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "string", "example": "mine", "default": "yours"}, "mine"),
        ({"type": "string", "examples": ["first", "second"]}, "first"),
        ({"enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({}, None),
    ],
)
def test_an_example_is_made_up_where_none_is_given(schema: dict[str, Any], example: object) -> None:
    assert SHAPES.example_of(schema) == example


def test_an_example_of_a_schema_that_refers_to_itself_ends() -> None:
    assert SHAPES.example_of({"$ref": "#/components/schemas/Node"})
