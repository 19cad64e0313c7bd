"""`/v4/webhook_endpoints`, the newer of Kit's two kinds: signed, retried, for several event types at once.

Source: Kit openapi v4.json, tag "Webhooks"; developers.kit.com "Rotating secrets".
"""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from hookwright.core.errors import Conflict
from hookwright.core.model import Endpoint, EndpointChange
from hookwright.dialects.kit.bodies import read_value
from hookwright.dialects.kit.credentials import KitCaller
from hookwright.dialects.kit.documented import ACCOUNT_FULL, BODY_REFUSED, refusals, request_body
from hookwright.dialects.kit.endpoint_access import ChangeableEndpoint, VisibleEndpoint, visible_to
from hookwright.dialects.kit.endpoint_events import ENDPOINT_DIALECT
from hookwright.dialects.kit.endpoint_objects import (
    ShownStatus,
    describe_endpoint,
    describe_endpoints,
    shown_status,
)
from hookwright.dialects.kit.endpoint_pages import Endpoints
from hookwright.dialects.kit.endpoint_requests import parse_change, parse_force, parse_new_endpoint, parse_status
from hookwright.dialects.kit.endpoint_schemas import (
    ChangedEndpoint,
    EndpointDetails,
    EndpointList,
    EndpointWithSecret,
    NewEndpoint,
    Rotation,
)
from hookwright.dialects.kit.envelopes import BATCH_LIMIT, RETRY_SCHEDULE
from hookwright.dialects.kit.page_queries import AskedPage
from hookwright.dialects.kit.paging import read_page
from hookwright.dialects.kit.schemas import Errors
from hookwright.dialects.kit.surface import KitJson
from hookwright.dialects.kit.v4_routes import v4_router
from hookwright.operations.endpoints import (
    Details,
    change_endpoint,
    create_signed_endpoint,
    delete_endpoint,
    set_status,
)
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import revoke_previous_secrets, rotate_secret

DISABLED_BY_OWNER = "disabled by its owner"
STILL_ROTATING = "The previous signing secret is still within its rotation window."

# The current secret and the one before it: nobody can rotate again while both sign.
MAX_SECRETS = 2

_NOT_FOUND = refusals(Errors, {404: "There is none, or it is another account's or another app's"})
_GUARDED = {**_NOT_FOUND, **refusals(Errors, {403: "An app has made it, and an API key is asking"})}

router = v4_router("/v4/webhook_endpoints", "Webhooks")


@router.post(
    "",
    status_code=201,
    responses={201: {"model": EndpointWithSecret}, **refusals(Errors, BODY_REFUSED, ACCOUNT_FULL)},
    openapi_extra=request_body(NewEndpoint, "application/json"),
)
async def create_a_webhook_endpoint(request: Request, caller: KitCaller) -> Response:
    """Create a webhook endpoint. The answer has its signing secret, which no other answer shows again."""
    services = caller.services
    asked = parse_new_endpoint(await read_value(request), services.policy)
    details = Details(
        name=asked.name,
        description=asked.description,
        app_id=caller.app_id,
        retry_schedule=RETRY_SCHEDULE,
        batch_limit=BATCH_LIMIT,
    )
    created = await create_signed_endpoint(
        services, caller.account_id, ENDPOINT_DIALECT, asked.url, asked.subscriptions, details
    )
    return await _answer_with_secret(services, created.endpoint, created.signing_secret, 201)


@router.get("", responses={200: {"model": EndpointList}})
async def list_webhook_endpoints(
    caller: KitCaller,
    asked: AskedPage,
    status: Annotated[str | None, Query(description="active or disabled")] = None,
) -> Response:
    """List webhook endpoints, newest first; for an app only those that it made."""
    wanted = parse_status(status) if status else None
    page = await read_page(Endpoints(caller.services.store, visible_to(caller, wanted)), asked)
    objects = await describe_endpoints(caller.services, caller.account_id, page.items)
    return KitJson({"webhook_endpoints": objects, "pagination": page.pagination})


@router.get("/{id}", responses={200: {"model": EndpointDetails}, **_NOT_FOUND})
async def get_a_webhook_endpoint(caller: KitCaller, endpoint: VisibleEndpoint) -> Response:
    """Get a webhook endpoint, without its signing secret."""
    return await _answer(caller.services, endpoint)


@router.patch(
    "/{id}",
    responses={200: {"model": EndpointDetails}, **_GUARDED, **refusals(Errors, BODY_REFUSED)},
    openapi_extra=request_body(ChangedEndpoint, "application/json"),
)
async def update_a_webhook_endpoint(request: Request, caller: KitCaller, endpoint: ChangeableEndpoint) -> Response:
    """Change what is given. What waited for a disabled endpoint is sent once it is active again."""
    services = caller.services
    change, status = parse_change(await read_value(request), services.policy)
    if change != EndpointChange():
        endpoint = await change_endpoint(services, endpoint.account_id, endpoint.id, change)
    # One that we have disabled is disabled already: our reason stays.
    if status is not None and status != shown_status(endpoint):
        endpoint = await _set_status(services, endpoint, status)
    return await _answer(services, endpoint)


@router.delete("/{id}", status_code=204, responses={204: {"description": "Deleted"}, **_GUARDED})
async def delete_a_webhook_endpoint(caller: KitCaller, endpoint: ChangeableEndpoint) -> Response:
    """Delete a webhook endpoint; what was still to be sent to it is not sent."""
    await delete_endpoint(caller.services, endpoint.account_id, endpoint.id, ENDPOINT_DIALECT)
    return Response(status_code=204)


@router.post(
    "/{id}/rotate_secret",
    responses={
        200: {"model": EndpointWithSecret},
        **_GUARDED,
        **refusals(Errors, BODY_REFUSED, {409: "The last rotation is less than 24 hours old"}),
    },
    openapi_extra=request_body(Rotation, "application/json", required=False),
)
async def rotate_a_signing_secret(request: Request, caller: KitCaller, endpoint: ChangeableEndpoint) -> Response:
    """Get a new signing secret. The previous one also signs for 24 hours; `force` ends the one before it at once."""
    services = caller.services
    if parse_force(await read_value(request)):
        await revoke_previous_secrets(services, endpoint.account_id, endpoint.id)
    try:
        secret = await rotate_secret(services, endpoint.account_id, endpoint.id, at_most=MAX_SECRETS)
    except Conflict:
        raise Conflict(STILL_ROTATING) from None
    return await _answer_with_secret(services, endpoint, secret, 200)


@router.post("/{id}/revoke_previous_secret", responses={200: {"model": EndpointDetails}, **_GUARDED})
async def revoke_a_previous_secret(caller: KitCaller, endpoint: ChangeableEndpoint) -> Response:
    """End the previous signing secret now; without one nothing changes."""
    await revoke_previous_secrets(caller.services, endpoint.account_id, endpoint.id)
    return await _answer(caller.services, endpoint)


async def _set_status(services: Services, endpoint: Endpoint, status: ShownStatus) -> Endpoint:
    if status == "active":
        return await set_status(services, endpoint.account_id, endpoint.id, "active")
    return await set_status(services, endpoint.account_id, endpoint.id, "paused", DISABLED_BY_OWNER)


async def _answer(services: Services, endpoint: Endpoint) -> Response:
    return KitJson({"webhook_endpoint": await describe_endpoint(services, endpoint)})


async def _answer_with_secret(services: Services, endpoint: Endpoint, secret: str, status: int) -> Response:
    return KitJson({"webhook_endpoint": {**await describe_endpoint(services, endpoint), "secret": secret}}, status)
