"""The sample routes against Kajabi's own examples, byte for byte."""

from pathlib import Path

import httpx
import pytest

from hookwright.dialects.kajabi.events import EVENTS, REQUIRED_SCOPES

from .conftest import CallerWith

# The examples of Kajabi's openapi.yaml 1.1.0, `GET /v1/hooks/*_sample`.
SAMPLES = Path(__file__).parents[2] / "data" / "kajabi_samples"


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
@pytest.mark.parametrize("event", EVENTS)
async def test_a_sample_is_kajabi_s_example(owner: httpx.AsyncClient, event: str, prefix: str) -> None:
    response = await owner.get(f"{prefix}/hooks/{event}_sample")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.api+json"
    assert response.content == (SAMPLES / f"{event}_sample.json").read_bytes()


@pytest.mark.parametrize("event", EVENTS)
async def test_a_sample_needs_the_scopes_of_its_event(caller_with: CallerWith, event: str) -> None:
    path = f"/v1/hooks/{event}_sample"
    assert (await (await caller_with(*REQUIRED_SCOPES[event])).get(path)).status_code == 200
    refused = await (await caller_with("view:courses")).get(path)
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["title"] == "Forbidden"
