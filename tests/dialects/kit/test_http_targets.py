"""Targets over plain http, which Kit documents for all three kinds: only for an operator who allows them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI

from hookwright.ambient import MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kit.surface import furnish
from hookwright.engine.sender import Sender
from hookwright.operations.services import Services
from hookwright.testing.receiver import Receiver

from .clients import client_of

EVENT = {"name": "subscriber.subscriber_activate"}


@pytest.fixture
async def production(routes: FastAPI, services: Services, api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """Kit's API with the rules for targets that hold where nothing is set."""
    furnish(routes, replace(services, policy=TargetPolicy()), DialectSettings())
    async with client_of(routes, {"X-Kit-Api-Key": api_key}) as client:
        yield client


@pytest.fixture
async def with_http(routes: FastAPI, services: Services, api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """Kit's API as an operator has it who allows plain http and nothing else."""
    furnish(routes, replace(services, policy=TargetPolicy(allow_http=True)), DialectSettings())
    async with client_of(routes, {"X-Kit-Api-Key": api_key}) as client:
        yield client


async def asked_in_three_ways(client: httpx.AsyncClient, api_key: str, url: str) -> list[int]:
    """The statuses of an older webhook, of v3's rule and of a webhook endpoint at a URL."""
    answers = (
        await client.post("/v4/webhooks", json={"target_url": url, "event": EVENT}),
        await client.post("/v3/automations/hooks", json={"api_secret": api_key, "target_url": url, "event": EVENT}),
        await client.post("/v4/webhook_endpoints", json={"url": url, "events": ["subscriber.created"]}),
    )
    return [answer.status_code for answer in answers]


async def test_the_http_urls_of_kits_examples_are_targets_once_they_are_allowed(
    with_http: httpx.AsyncClient, api_key: str
) -> None:
    # developers.kit.com "List webhooks"; ConvertKit/developers-documentation, _webhooks.md
    for url in ("http://example.convertkit.dev/tags", "http://example.com/incoming"):
        assert await asked_in_three_ways(with_http, api_key, url) == [201, 200, 201]


async def test_plain_http_is_refused_where_nobody_has_allowed_it(production: httpx.AsyncClient, api_key: str) -> None:
    assert await asked_in_three_ways(production, api_key, "http://example.com/incoming") == [422, 422, 422]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254", "localhost", "example.com:5432"]
)
async def test_plain_http_leads_nowhere_that_https_does_not(
    with_http: httpx.AsyncClient, api_key: str, host: str
) -> None:
    assert await asked_in_three_ways(with_http, api_key, f"http://{host}/") == [422, 422, 422]


async def test_the_sender_asks_for_the_same_permissions_again(clock: MovableClock) -> None:
    own = (ip_network("127.0.0.0/8"),)
    refused = (TargetPolicy(allowed_ranges=own), TargetPolicy(allow_http=True))
    async with Receiver() as receiver:
        for policy in (*refused, TargetPolicy(allow_http=True, allowed_ranges=own)):
            sender = Sender(clock, policy)
            await sender.send(receiver.url, {}, b"{}")
            await sender.close()
            assert receiver.count == (policy not in refused)
