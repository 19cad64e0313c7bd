"""What both vendors' framework does around every route, seen through both vendors' APIs."""

from collections.abc import AsyncIterator

import httpx
import pytest

from hookwright.core.model import Account
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi import KAJABI
from hookwright.dialects.kit import KIT
from hookwright.operations.keys import client_id_of, create_key
from hookwright.operations.services import Services
from hookwright.web.rails import etag_of

# Of every recorded answer of Kit's: linyiru/kit-rb, spec/cassettes/integration/account.yml
CACHE_CONTROL = "max-age=0, private, must-revalidate"


@pytest.fixture
async def kit(services: Services, account: Account) -> AsyncIterator[httpx.AsyncClient]:
    key = await create_key(services, "kit", account.id, "integration", [])
    transport = httpx.ASGITransport(app=KIT.build_app(services, DialectSettings()))
    headers = {"X-Kit-Api-Key": key.secret}
    async with httpx.AsyncClient(transport=transport, base_url="https://api.kit.test", headers=headers) as client:
        yield client


@pytest.fixture
async def kajabi(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=KAJABI.build_app(services, DialectSettings()))
    async with httpx.AsyncClient(transport=transport, base_url="https://api.kajabi.test") as client:
        yield client


async def test_an_answer_is_for_its_reader_alone_and_has_a_tag(
    kit: httpx.AsyncClient, kajabi: httpx.AsyncClient
) -> None:
    for answer in (await kit.get("/v4/account"), await kajabi.get("/v1/version")):
        assert answer.headers["cache-control"] == CACHE_CONTROL
        assert answer.headers["etag"] == etag_of(answer.content)


async def test_a_creation_has_a_tag_too(kit: httpx.AsyncClient) -> None:
    body = {"target_url": "https://example.com/", "event": {"name": "subscriber.subscriber_activate"}}
    answer = await kit.post("/v4/webhooks", json=body, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, CACHE_CONTROL)
    assert answer.headers["etag"].startswith('W/"')


async def test_who_has_the_answer_already_is_told_so(kit: httpx.AsyncClient) -> None:
    first = await kit.get("/v4/account")
    for tags in (first.headers["etag"], f'"other", {first.headers["etag"]}'):
        again = await kit.get("/v4/account", headers={"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-type" not in again.headers
    assert (await kit.get("/v4/account", headers={"If-None-Match": 'W/"other"'})).status_code == 200


async def test_a_refusal_and_an_answer_without_content_are_not_kept(kit: httpx.AsyncClient) -> None:
    body = {"target_url": "https://example.com/", "event": {"name": "subscriber.subscriber_activate"}}
    created = (await kit.post("/v4/webhooks", json=body)).json()["webhook"]
    for answer in (await kit.delete(f"/v4/webhooks/{created['id']}"), await kit.get("/v4/nothing")):
        assert answer.headers["cache-control"] == "no-cache"
        assert "etag" not in answer.headers


async def test_tokens_are_kept_nowhere(services: Services, account: Account, kajabi: httpx.AsyncClient) -> None:
    new = await create_key(services, "kajabi", account.id, "Owner", ["owner"])
    form = {"grant_type": "client_credentials", "client_id": client_id_of(new.key), "client_secret": new.secret}
    answer = await kajabi.post("/v1/oauth/token", data=form)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_a_slash_at_the_end_of_a_path_is_overlooked(kit: httpx.AsyncClient, kajabi: httpx.AsyncClient) -> None:
    for client, path in ((kit, "/v4/webhooks"), (kit, "/v4/account"), (kajabi, "/v1/version")):
        plain = await client.get(path)
        for slashed in (f"{path}/", f"{path}//"):
            answer = await client.get(slashed)
            assert (answer.status_code, answer.json()) == (200, plain.json())
    assert (await kit.get("/v4/")).status_code == 404
    assert (await kit.post("/v4/webhooks/", json={})).status_code == 422
