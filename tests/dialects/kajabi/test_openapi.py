"""The OpenAPI document: every operation, with the shapes that it takes and gives."""

from typing import Any

import httpx
import pytest

from hookwright.core.model import Site
from hookwright.dialects.kajabi.events import EVENTS

from .conftest import hook
from .schema_check import assert_matches

JSON_API = "application/vnd.api+json"
FORM = "application/x-www-form-urlencoded"

HOOKS = [
    ("post", "/hooks"),
    ("get", "/hooks"),
    ("get", "/hooks/{id}"),
    ("delete", "/hooks/{id}"),
    *(("get", f"/hooks/{event}_sample") for event in EVENTS),
]
OTHERS = [
    ("post", "/v1/oauth/token"),
    ("post", "/v1/oauth/revoke"),
    ("get", "/v1/version"),
    ("get", "/v1/me"),
    ("get", "/v1/sites"),
    ("get", "/v1/sites/{id}"),
]


@pytest.fixture
async def described(client: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await client.get("/v1/openapi.json")).json()
    return document


def operations(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): it for path, methods in described["paths"].items() for method, it in methods.items()}


def test_every_operation_is_listed(described: dict[str, Any]) -> None:
    below = [(method, prefix + path) for prefix in ("/v1", "/api/v1") for method, path in HOOKS]
    assert set(operations(described)) == {*OTHERS, *below}


def test_every_body_has_a_schema_in_its_media_type(described: dict[str, Any]) -> None:
    for (_, path), operation in operations(described).items():
        oauth = path.startswith("/v1/oauth")
        for response in operation["responses"].values():
            for media_type, content in response.get("content", {}).items():
                assert media_type == ("application/json" if oauth else JSON_API)
                assert content["schema"]
        if "requestBody" in operation:
            assert list(operation["requestBody"]["content"]) == [FORM if oauth else JSON_API]
    bodies = {path for (_, path), operation in operations(described).items() if "requestBody" in operation}
    assert bodies == {"/v1/hooks", "/api/v1/hooks", "/v1/oauth/token", "/v1/oauth/revoke"}


def test_every_reference_leads_to_a_schema(described: dict[str, Any]) -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    schemas = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert references(described) <= schemas


def test_only_tokens_and_the_version_go_without_a_bearer_token(described: dict[str, Any]) -> None:
    open_paths = {path for (_, path), operation in operations(described).items() if "security" not in operation}
    assert open_paths == {"/v1/oauth/token", "/v1/version"}


async def test_what_is_sent_is_what_is_described(
    owner: httpx.AsyncClient, described: dict[str, Any], site: Site
) -> None:
    created = await owner.post("/v1/hooks", json=hook())
    id = created.json()["data"]["id"]
    answers = [
        ("post", "/v1/hooks", created),
        ("get", "/v1/hooks/{id}", await owner.get(f"/v1/hooks/{id}")),
        ("get", "/v1/hooks", await owner.get("/v1/hooks?page[size]=1")),
        ("get", "/v1/me", await owner.get("/v1/me")),
        ("get", "/v1/sites", await owner.get("/v1/sites")),
        ("get", "/v1/sites/{id}", await owner.get(f"/v1/sites/{site.id}")),
        ("get", "/v1/version", await owner.get("/v1/version")),
        *[("get", f"/v1/hooks/{event}_sample", await owner.get(f"/v1/hooks/{event}_sample")) for event in EVENTS],
        ("post", "/v1/hooks", await owner.post("/v1/hooks", json={"data": {"attributes": {}}})),
        ("get", "/v1/hooks/{id}", await owner.get("/v1/hooks/0")),
        ("post", "/v1/oauth/token", await owner.post("/v1/oauth/token")),
    ]
    for method, path, response in answers:
        response_of = described["paths"][path][method]["responses"][str(response.status_code)]
        (content,) = response_of["content"].values()
        assert_matches(response.json(), content["schema"] | {"components": described["components"]})
