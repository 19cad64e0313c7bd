"""`/v3/automations/hooks`: the same webhooks as v4's, by their old name of rules, for clients that still call it.

Source: ConvertKit/developers-documentation `source/includes/_webhooks.md`. The list is undocumented; its shape is
what webhookdb/webhookdb recorded (`spec/webhookdb/replicator/convertkit_subscriber_v1_spec.rb`).
"""

from typing import Any

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from hookwright.core.model import Endpoint
from hookwright.dialects.kit.bodies import read_value
from hookwright.dialects.kit.credentials import Caller, require_caller_v3
from hookwright.dialects.kit.documented import (
    ACCOUNT_FULL,
    BODY_REFUSED,
    RATE_LIMITED,
    UNAVAILABLE,
    WRONG_PARAMETER,
    query_parameter,
    refusals,
    request_body,
)
from hookwright.dialects.kit.events import shown_event
from hookwright.dialects.kit.ids import parse_id
from hookwright.dialects.kit.payloads import DIALECT
from hookwright.dialects.kit.schemas import NewRule, Rule, RuleDeleted, V3Error
from hookwright.dialects.kit.surface import KitJson, KitSurface, Surface
from hookwright.dialects.kit.webhooks import create_webhook, webhook_object, webhooks_of
from hookwright.operations.endpoints import delete_endpoint
from hookwright.web.forms import FORM

# How many webhooks are read at a time.
CHUNK = 1_000
_SECRET_IN_QUERY: dict[str, Any] = {
    "parameters": [query_parameter("api_secret", "An API key, unless the body has it")]
}

router = APIRouter(
    prefix="/v3/automations/hooks",
    tags=["Webhooks (v3)"],
    responses={
        # Any of these routes may have a body, if only for `api_secret`.
        **refusals(V3Error, BODY_REFUSED, {401: "`api_secret` is missing or wrong"}, WRONG_PARAMETER, UNAVAILABLE),
        **RATE_LIMITED,
    },
)


@router.post(
    "",
    responses={200: {"model": Rule}, **refusals(V3Error, ACCOUNT_FULL)},
    openapi_extra=request_body(NewRule, "application/json", FORM) | _SECRET_IN_QUERY,
)
async def create_a_rule(request: Request, surface: KitSurface) -> Response:
    """Create a webhook; `api_secret` beside the other parameters."""
    values = await _given(request)
    endpoint = await create_webhook(await _authenticate(surface, values), values)
    return KitJson({"rule": webhook_object(endpoint, shown_event(endpoint.subscriptions[0]))})


@router.get("", responses={200: {"model": list[Rule]}}, openapi_extra=_SECRET_IN_QUERY)
async def list_rules(request: Request, surface: KitSurface) -> Response:
    """List all webhooks, newest first; `api_secret` in the query."""
    caller = await _authenticate(surface, await _given(request))
    return KitJson([{"rule": _listed_rule(endpoint)} for endpoint in await _all_webhooks(caller)])


@router.delete(
    "/{id}",
    responses={200: {"model": RuleDeleted}, **refusals(V3Error, {404: "There is none of this account's"})},
    openapi_extra=_SECRET_IN_QUERY,
)
async def delete_a_rule(id: str, request: Request, surface: KitSurface) -> Response:
    """Delete a webhook; `api_secret` in the body or in the query."""
    caller = await _authenticate(surface, await _given(request))
    await delete_endpoint(caller.services, caller.account_id, parse_id(id), DIALECT)
    return KitJson({"success": True})


async def _authenticate(surface: Surface, values: dict[str, object]) -> Caller:
    return await require_caller_v3(surface, values.get("api_key"), values.get("api_secret"))


async def _given(request: Request) -> dict[str, object]:
    """The request's parameters: those of the query, then those of the body."""
    body = await read_value(request)
    return {**request.query_params, **(body if isinstance(body, dict) else {})}


def _listed_rule(endpoint: Endpoint) -> dict[str, Any]:
    status = "enabled" if endpoint.status == "active" else "disabled"
    return {
        "id": endpoint.id,
        "account_id": endpoint.account_id,
        "status": status,
        "event": shown_event(endpoint.subscriptions[0]),
        "target_url": endpoint.url,
    }


async def _all_webhooks(caller: Caller) -> list[Endpoint]:
    query = replace(webhooks_of(caller.account_id), limit=CHUNK)
    found: list[Endpoint] = []
    while chunk := await caller.services.store.endpoints(query):
        found += chunk
        query = replace(query, below=chunk[-1].id)
    return found
