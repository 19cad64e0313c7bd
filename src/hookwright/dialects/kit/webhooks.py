"""`/v4/webhooks`, the older of Kit's two kinds: create, list, delete; nothing else.

Source: developers.kit.com "Create a webhook", "List webhooks", "Delete a webhook" (Kit openapi v4.json).
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import Endpoint
from hookwright.dialects.kit.bodies import read_value
from hookwright.dialects.kit.credentials import Caller, KitCaller
from hookwright.dialects.kit.documented import ACCOUNT_FULL, BODY_REFUSED, refusals, request_body
from hookwright.dialects.kit.endpoint_pages import Endpoints
from hookwright.dialects.kit.events import ShownEvent, parse_event, shown_event, shown_new_event
from hookwright.dialects.kit.ids import parse_id
from hookwright.dialects.kit.page_queries import AskedPage
from hookwright.dialects.kit.paging import read_page
from hookwright.dialects.kit.payloads import DIALECT
from hookwright.dialects.kit.schemas import Errors, NewWebhook, WebhookCreated, WebhookList
from hookwright.dialects.kit.surface import KitJson
from hookwright.dialects.kit.v4_routes import v4_router
from hookwright.operations.endpoints import create_endpoint, delete_endpoint
from hookwright.store.base import EndpointQuery

# The vendor's own text, with its backticks and its `target`.
MISSING_PARAMETERS = "`event` and `target` parameters must be provided"

router = v4_router("/v4/webhooks", "Webhooks (Legacy)")


@router.post(
    "",
    status_code=201,
    responses={201: {"model": WebhookCreated}, **refusals(Errors, BODY_REFUSED, ACCOUNT_FULL)},
    openapi_extra=request_body(NewWebhook, "application/json"),
)
async def create_a_webhook(request: Request, caller: KitCaller) -> Response:
    """Create a webhook. The same request twice makes two: the vendor documents no other answer than 201."""
    endpoint = await create_webhook(caller, await read_value(request))
    return KitJson({"webhook": webhook_object(endpoint, shown_new_event(endpoint.subscriptions[0]))}, 201)


@router.get("", responses={200: {"model": WebhookList}})
async def list_webhooks(caller: KitCaller, asked: AskedPage) -> Response:
    """List webhooks, newest first."""
    page = await read_page(Endpoints(caller.services.store, webhooks_of(caller.account_id)), asked)
    webhooks = [webhook_object(endpoint, shown_event(endpoint.subscriptions[0])) for endpoint in page.items]
    return KitJson({"webhooks": webhooks, "pagination": page.pagination})


@router.delete("/{id}", status_code=204, responses={204: {"description": "Deleted"}, 404: {"model": Errors}})
async def delete_a_webhook(id: str, caller: KitCaller) -> Response:
    """Delete a webhook. A body is ignored: Kit's own clients send `[]`."""
    await delete_endpoint(caller.services, caller.account_id, parse_id(id), DIALECT)
    return Response(status_code=204)


async def create_webhook(caller: Caller, body: object) -> Endpoint:
    """The endpoint that a `{"target_url", "event"}` object asks for. Raises Invalid with the client's text."""
    target_url, event = (body.get("target_url"), body.get("event")) if isinstance(body, dict) else (None, None)
    if not target_url or not event:
        raise Invalid(Problem("", MISSING_PARAMETERS, "blank"))
    if not isinstance(target_url, str):
        raise Invalid(Problem("/target_url", "`target_url` must be a string"))
    if "\0" in target_url:  # PostgreSQL cannot store it
        raise Invalid(Problem("/target_url", "`target_url` must not contain NUL characters"))
    subscription = parse_event(event)
    return await create_endpoint(caller.services, caller.account_id, DIALECT, target_url, [subscription])


def webhooks_of(account_id: int) -> EndpointQuery:
    """All of an account's webhooks."""
    return EndpointQuery(account_id=account_id, dialects=(DIALECT,), listeners=False)


def webhook_object(endpoint: Endpoint, event: ShownEvent) -> dict[str, Any]:
    """`{"id", "account_id", "event", "target_url"}`."""
    return {"id": endpoint.id, "account_id": endpoint.account_id, "event": event, "target_url": endpoint.url}
