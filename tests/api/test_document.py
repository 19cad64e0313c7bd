"""The OpenAPI document says what the API does."""

import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from api.requests import event
from hookwright.core.model import Account
from hookwright.core.vocabulary import EVENT_TYPES


@pytest.fixture
async def document(anyone: httpx.AsyncClient) -> dict[str, Any]:
    described: dict[str, Any] = (await anyone.get("/api/v1/openapi.json")).json()
    return described


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({**document, "$ref": f"#/components/schemas/{name}"})


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for name in set(re.findall(r"'#/components/schemas/(\w+)'", str(document))):
        assert name in document["components"]["schemas"]


def test_every_route_but_the_public_ones_needs_a_key_and_is_described(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            [security] = operation["security"]
            assert list(security) == ["Key"]
            assert operation["summary"]
            assert "application/problem+json" in operation["responses"]["401"]["content"]
            assert "application/json" not in operation["responses"].get("422", {"content": {}})["content"]


def test_there_is_an_example_for_every_event_type_and_it_fits_the_schema(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    assert list(content["examples"]) == list(EVENT_TYPES)
    for name, example in content["examples"].items():
        assert example["value"]["type"] == name
        validator(document, "Publish").validate(example["value"])


def test_the_example_of_a_batch_fits_the_schema(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/events/batch"]["post"]["requestBody"]["content"]["application/json"]
    validator(document, "PublishBatch").validate(content["example"])


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/api/v1/events", ["Idempotency-Key", "traceparent"]), ("/api/v1/events/batch", ["traceparent"])],
)
def test_the_headers_of_a_publish_are_described(document: dict[str, Any], path: str, headers: list[str]) -> None:
    described = [each for each in document["paths"][path]["post"]["parameters"] if each["in"] == "header"]
    assert [each["name"] for each in described] == headers
    assert all(each["description"] for each in described)


def test_the_schema_refuses_data_of_another_type(document: dict[str, Any], account: Account) -> None:
    wrong = event(account, "contact.tag_added", data={"post": {"id": 1}})
    assert not validator(document, "Publish").is_valid(wrong)


async def test_answers_fit_their_schemas(
    admin: httpx.AsyncClient, document: dict[str, Any], account: Account
) -> None:
    accepted = await admin.post("/api/v1/events", json=event(account))
    validator(document, "Accepted").validate(accepted.json())
    shown = await admin.get(f"/api/v1/events/{accepted.json()['event_id']}")
    validator(document, "EventView").validate(shown.json())
    batch = await admin.post("/api/v1/events/batch", json={"events": [event(account)]})
    validator(document, "BatchResults").validate(batch.json())
    validator(document, "ProblemDetails").validate((await admin.get("/api/v1/nothing")).json())


def test_rotating_a_signing_secret_may_be_a_conflict(document: dict[str, Any]) -> None:
    for owner in ("accounts", "endpoints"):
        rotation = document["paths"][f"/api/v1/{owner}/{{id}}/signing-secrets/rotate"]["post"]
        assert "409" in rotation["responses"]
