"""Credentials, limits, failures and the shapes that they are answered in."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from hookwright.ambient import MovableClock, new_token
from hookwright.core.errors import Unavailable
from hookwright.core.model import SECOND, Account
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kit import KIT
from hookwright.operations.grants import GrantRequest, issue_tokens, revoke_token
from hookwright.operations.keys import create_key, delete_key
from hookwright.operations.services import Services
from hookwright.web.limits import MAX_BODY_BYTES

from .clients import account_with, check_against, client_of, vendors


async def access_token(services: Services, account: Account) -> str:
    request = GrantRequest("kit", account.id, ("public",), access_seconds=172_800)
    return (await issue_tokens(services, request)).access


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 401
    check_against(vendors("create_webhook")["errors_schema"], answer.json())
    (text,) = answer.json()["errors"]
    return str(text)


@pytest.mark.parametrize("headers", [{}, {"X-Kit-Api-Key": ""}, {"Authorization": "Basic YTpi"}])
async def test_no_credential_at_all_has_its_own_text(anyone: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for path in ("/v4/account", "/v4/webhooks"):
        assert text_of(await anyone.get(path, headers=headers)) == "Authentication Failed"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Kit-Api-Key": "nonsense"},
        {"X-Kit-Api-Key": "kit_1_00"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "bearer kitat_1_00"},
    ],
)
async def test_a_bad_credential_gets_the_vendors_example(anyone: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await anyone.post("/v4/webhooks", json={}, headers=headers)
    assert (answer.status_code, answer.json()) == (401, vendors("create_webhook")["unauthorized_example"])


async def test_a_deleted_key_is_invalid(anyone: httpx.AsyncClient, services: Services, account: Account) -> None:
    key, secret = await create_key(services, "kit", account.id, "integration", [])
    await delete_key(services, key.id)
    assert (
        text_of(await anyone.get("/v4/account", headers={"X-Kit-Api-Key": secret})) == "The access token is invalid"
    )


async def test_an_expired_key_is_invalid(
    anyone: httpx.AsyncClient, services: Services, account: Account, clock: MovableClock
) -> None:
    end = clock.now() + 60 * SECOND
    secret = (await create_key(services, "kit", account.id, "integration", [], expires_at=end)).secret
    assert (await anyone.get("/v4/account", headers={"X-Kit-Api-Key": secret})).status_code == 200
    clock.move(seconds=60)
    answer = await anyone.get("/v4/account", headers={"X-Kit-Api-Key": secret})
    assert text_of(answer) == "The access token is invalid"


async def test_another_dialects_key_is_invalid(
    anyone: httpx.AsyncClient, services: Services, account: Account
) -> None:
    secret = (await create_key(services, "hookwright", account.id, "platform", ["admin"])).secret
    assert (
        text_of(await anyone.get("/v4/account", headers={"X-Kit-Api-Key": secret})) == "The access token is invalid"
    )


async def test_a_token_that_is_over_says_how_it_ended(
    anyone: httpx.AsyncClient, services: Services, account: Account, clock: MovableClock
) -> None:
    token, revoked = await access_token(services, account), await access_token(services, account)
    await revoke_token(services, "kit", revoked)
    assert (await account_with(anyone, token)).status_code == 200
    assert text_of(await account_with(anyone, revoked)) == "The access token was revoked"
    clock.move(hours=48)
    assert text_of(await account_with(anyone, token)) == "The access token expired"


async def test_a_key_may_call_120_times_a_minute(kit: httpx.AsyncClient, clock: MovableClock) -> None:
    for _ in range(120):
        assert (await kit.get("/v4/account")).status_code == 200
    answer = await kit.get("/v4/account")
    # developers.kit.com, "Rate limits": plain text, and no Retry-After
    assert (answer.status_code, answer.text) == (429, "Retry later")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "retry-after" not in answer.headers
    clock.move(seconds=60)
    assert (await kit.get("/v4/account")).status_code == 200


async def test_v3_counts_against_the_same_limit(
    kit: httpx.AsyncClient, anyone: httpx.AsyncClient, api_key: str
) -> None:
    for _ in range(120):
        await kit.get("/v4/account")
    answer = await anyone.get("/v3/automations/hooks", params={"api_secret": api_key})
    assert (answer.status_code, answer.text) == (429, "Retry later")


async def test_a_token_may_call_600_times_a_minute(
    anyone: httpx.AsyncClient, services: Services, account: Account
) -> None:
    token = await access_token(services, account)
    answers = [(await account_with(anyone, token)).status_code for _ in range(601)]
    assert answers == [200] * 600 + [429]


async def test_limits_can_be_switched_off(services: Services, api_key: str) -> None:
    app = KIT.build_app(services, DialectSettings(rate_limits=False))
    async with client_of(app, {"X-Kit-Api-Key": api_key}) as kit:
        answers = {(await kit.get("/v4/account")).status_code for _ in range(130)}
    assert answers == {200}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v4/nothing", {"errors": ["Not Found"]}),
        ("/v4/webhooks/1/2", {"errors": ["Not Found"]}),
        ("/v3/nothing", {"error": "Not Found", "message": "Not Found"}),
        ("/oauth/nothing", {"error": "invalid_request", "error_description": "Not Found"}),
    ],
)
async def test_an_unknown_path_is_not_found_in_its_dialects_shape(
    kit: httpx.AsyncClient, path: str, body: dict[str, object]
) -> None:
    answer = await kit.get(path)
    assert (answer.status_code, answer.json()) == (404, body)


async def test_a_large_body_is_refused(kit: httpx.AsyncClient) -> None:
    answer = await kit.post("/v4/webhooks", content=b" " * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()) == (413, {"errors": ["The request body is too large"]})


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [(b" " * (MAX_BODY_BYTES + 1), 413, "Payload Too Large"), (b"", 422, "Unprocessable Entity")],
)
async def test_v3_calls_a_status_as_rails_does_under_every_python(
    anyone: httpx.AsyncClient, api_key: str, content: bytes, status: int, word: str
) -> None:
    answer = await anyone.post("/v3/automations/hooks", params={"api_secret": api_key}, content=content)
    assert (answer.status_code, answer.json()["error"]) == (status, word)


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
async def test_a_method_that_is_not_routed_is_no_path_of_v3_or_oauth_either(
    anyone: httpx.AsyncClient, method: str
) -> None:
    rule = await anyone.request(method, "/v3/automations/hooks/1")
    assert (rule.status_code, rule.json()) == (404, {"error": "Not Found", "message": "Not Found"})
    token = await anyone.request(method, "/oauth/token")
    assert (token.status_code, token.json()["error_description"]) == (404, "Not Found")


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v4/account", lambda text: {"errors": [text]}),
        ("/v3/automations/hooks", lambda text: {"error": text, "message": text}),
    ],
)
@pytest.mark.parametrize(
    ("error", "status", "text"),
    [(Unavailable("no disk"), 503, "Service Unavailable"), (ValueError("a bug"), 500, "Internal Server Error")],
)
async def test_a_failure_of_ours_is_told_in_the_vendors_shape(
    kit_app: FastAPI,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    shape: Callable[[str], object],
    error: Exception,
    status: int,
    text: str,
) -> None:
    async def fail(key_id: int) -> None:
        raise error

    monkeypatch.setattr(services.store, "key", fail)
    key = new_token("kit", 64)
    async with client_of(kit_app, {"X-Kit-Api-Key": key}) as kit:
        answer = await kit.get(path, params={"api_secret": key})
    assert (answer.status_code, answer.json()) == (status, shape(text))
    assert ("retry-after" in answer.headers) is (status == 503)


async def test_the_openapi_document_describes_what_is_answered(kit: httpx.AsyncClient) -> None:
    document = (await kit.get("/v4/openapi.json")).json()
    assert set(document["paths"]) == {
        *("/v4/webhooks", "/v4/webhooks/{id}", "/v4/account", "/v3/automations/hooks", "/v3/automations/hooks/{id}"),
        *("/v4/webhook_endpoints", "/v4/webhook_endpoints/{id}"),
        *(f"/v4/webhook_endpoints/{{id}}/{name}" for name in ("rotate_secret", "revoke_previous_secret")),
        *("/v4/webhook_endpoints/{id}/deliveries", "/v4/webhook_endpoints/{id}/deliveries/{delivery_id}"),
        *("/v4/oauth/authorize", "/v4/oauth/token", "/v4/oauth/revoke"),
    }
    assert "HTTPValidationError" not in document["components"]["schemas"]
    operation = document["paths"]["/v4/webhooks"]["post"]
    request = operation["requestBody"]["content"]["application/json"]["schema"]
    published = vendors("create_webhook")
    check_against(request, published["request_example"])
    created = operation["responses"]["201"]["content"]["application/json"]["schema"]
    check_against({**created, "components": document["components"]}, published["created_example"])
    for path in ("/v4/account", "/v4/webhooks", "/v4/webhook_endpoints"):
        listed = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**listed, "components": document["components"]}
        check_against(schema, (await kit.get(path)).json())
    assert operation["security"] == [{"ApiKey": []}, {"OAuth2": []}]


async def test_the_openapi_document_says_how_each_route_refuses(kit: httpx.AsyncClient) -> None:
    document = (await kit.get("/v4/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            responses = operation["responses"]
            assert "503" in responses
            if "requestBody" in operation:
                assert {"400", "413"} <= set(responses)
            if "/oauth/" not in path:
                assert list(responses["429"]["content"]) == ["text/plain"]
                assert "401" in responses


async def test_the_openapi_document_knows_v3s_secret(kit: httpx.AsyncClient) -> None:
    document = (await kit.get("/v4/openapi.json")).json()
    hooks = document["paths"]["/v3/automations/hooks"]
    for operation in (*hooks.values(), document["paths"]["/v3/automations/hooks/{id}"]["delete"]):
        assert "api_secret" in [parameter["name"] for parameter in operation["parameters"]]
    body = hooks["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"target_url", "event", "api_secret"} == set(body["properties"])


async def test_the_openapi_document_describes_the_consent_page(kit: httpx.AsyncClient) -> None:
    authorize = (await kit.get("/v4/openapi.json")).json()["paths"]["/v4/oauth/authorize"]
    required = [each["name"] for each in authorize["get"]["parameters"] if each["required"]]
    assert required == ["client_id", "redirect_uri", "response_type"]
    for operation in authorize.values():
        assert list(operation["responses"]["200"]["content"]) == ["text/html"]
        assert list(operation["responses"]["400"]["content"]) == ["text/html"]
        assert "303" in operation["responses"]
    form = authorize["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert {"decision", "api_key", "account", *required} <= set(form["properties"])
