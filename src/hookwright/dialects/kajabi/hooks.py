"""The hooks themselves: `POST` and `GET /hooks`, `GET` and `DELETE /hooks/{id}`.

Source: Kajabi openapi.yaml 1.1.0. Kajabi documented them below `/api/v1` until its version 1.0.1 and clients still
call them there, so the router is mounted under both.
"""

from collections.abc import Mapping

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from hookwright.core.errors import Invalid, NotFound
from hookwright.core.lanes import id_in
from hookwright.core.model import ANY_RESOURCE, Endpoint, Subscription
from hookwright.core.times import iso_millis
from hookwright.dialects.kajabi.bodies import read_document
from hookwright.dialects.kajabi.callers import Authenticated, Caller, require_scopes
from hookwright.dialects.kajabi.documents import MEDIA_TYPE, Document, JsonApi, identifier, to_one
from hookwright.dialects.kajabi.events import EVENTS
from hookwright.dialects.kajabi.hook_requests import HookRequest, read_hook_request, target_refused
from hookwright.dialects.kajabi.paging import page_document, page_of
from hookwright.dialects.kajabi.schemas import (
    PAGE_PARAMETERS,
    HookDocument,
    HookList,
    query_parameter,
    refusals,
    request_body,
)
from hookwright.dialects.kajabi.translation import NAME
from hookwright.operations.endpoints import create_endpoint, delete_endpoint, require_endpoint
from hookwright.store.base import EndpointQuery

router = APIRouter(tags=["Webhooks"], default_response_class=JsonApi)


@router.post(
    "/hooks",
    status_code=201,
    summary="Create hook",
    response_model=HookDocument,
    responses=refusals(400, 401, 403, 409, 413, 422, 429, 503),
    openapi_extra=request_body("HookCreation", MEDIA_TYPE),
)
async def create_hook(request: Request, caller: Authenticated) -> Response:
    """Subscribe a URL to one of the six events, for one resource or, without a `resource_id`, for any."""
    document = await read_document(request)
    sites = await caller.services.store.sites(caller.account_id)
    wanted = read_hook_request(document, sites, caller.services.policy)
    require_scopes(caller, wanted.event)
    endpoint = await _create(caller, wanted)
    return JsonApi({"data": hook_resource(endpoint)}, status_code=201)


@router.get(
    "/hooks",
    summary="List hooks",
    response_model=HookList,
    responses=refusals(401, 403, 429, 503),
    openapi_extra={
        "parameters": [
            *PAGE_PARAMETERS,
            query_parameter("filter[event_eq]", "Only hooks of this event", {"type": "string", "enum": list(EVENTS)}),
            query_parameter("filter[site_id]", "Only hooks of this site", {"type": "string"}),
        ]
    },
)
async def list_hooks(request: Request, caller: Authenticated) -> Response:
    """The account's hooks by id, oldest first. A filter that nothing can match gives an empty list."""
    store = caller.services.store
    query = _query(caller.account_id, request.query_params)
    page = page_of(request.query_params, await store.count_endpoints(query) if query else 0)
    endpoints: list[Endpoint] = []
    if query and page.offset < page.total:
        endpoints = await store.endpoints(replace(query, offset=page.offset, limit=page.size))
    return JsonApi(page_document(request, page, [hook_resource(endpoint) for endpoint in endpoints]))


@router.get(
    "/hooks/{id}", summary="Hook details", response_model=HookDocument, responses=refusals(401, 403, 404, 429, 503)
)
async def show_hook(id: str, caller: Authenticated) -> Response:
    """One hook of the account."""
    endpoint = await require_endpoint(caller.services, caller.account_id, parse_id(id), NAME)
    return JsonApi({"data": hook_resource(endpoint)})


@router.delete("/hooks/{id}", status_code=204, summary="Delete hook", responses=refusals(401, 403, 404, 429, 503))
async def delete_hook(id: str, caller: Authenticated) -> Response:
    """Delete a hook; what was still to be sent to it is cancelled."""
    await delete_endpoint(caller.services, caller.account_id, parse_id(id), NAME)
    return Response(status_code=204)


def hook_resource(endpoint: Endpoint) -> Document:
    """An endpoint as Kajabi's hook. Kajabi endpoints have exactly one subscription."""
    subscription = endpoint.subscriptions[0]
    resource = subscription.resource
    return {
        **identifier("hooks", endpoint.id),
        "attributes": {
            "event": subscription.event,
            "target_url": endpoint.url,
            "created_at": iso_millis(endpoint.created_at),
            "updated_at": iso_millis(endpoint.updated_at),
            "resource_id": None if resource == ANY_RESOURCE else int(resource),
        },
        "relationships": {"site": to_one("sites", endpoint.site_id)},
    }


def parse_id(text: str) -> int:
    """The id in a path. Raises NotFound for a text that cannot be one."""
    id = id_in(text)
    if id is None:
        raise NotFound(f"{text!r} is no id")
    return id


async def _create(caller: Caller, wanted: HookRequest) -> Endpoint:
    try:
        return await create_endpoint(
            caller.services,
            caller.account_id,
            NAME,
            wanted.target_url,
            (Subscription(wanted.event, wanted.resource),),
            wanted.site_id,
        )
    except Invalid as refusal:
        # The operation names our field, `/url`; the caller knows it as `target_url`.
        raise Invalid(*(target_refused(problem.message) for problem in refusal.problems)) from None


def _query(account_id: int, params: Mapping[str, str]) -> EndpointQuery | None:
    """What the filters ask of the store, or None when no hook can pass them."""
    query = EndpointQuery(account_id=account_id, dialects=(NAME,), listeners=False, ascending=True)
    event, site = params.get("filter[event_eq]"), params.get("filter[site_id]")
    # Ransack, which Kajabi filters with, ignores a filter that is blank.
    if event:
        if event not in EVENTS:
            return None
        query = replace(query, event=event)
    if site:
        site_id = id_in(site)
        if site_id is None:
            return None
        query = replace(query, site_id=site_id)
    return query
