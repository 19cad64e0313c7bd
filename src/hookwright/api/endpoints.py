"""Endpoints of every dialect: look at them, pause them, give them a schedule, delete them.

They are made through their dialects. An id alone does not say whose endpoint it is, so a key that reaches every
account names the account in the query.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.callers import Caller, ManageCaller, ReadCaller
from hookwright.api.cursors import cut, decode_cursor
from hookwright.api.document import refusals
from hookwright.api.requests import EndpointChange, EndpointFilters, PathId, RowId
from hookwright.api.views import EndpointPage, EndpointView, endpoint_view
from hookwright.core import model
from hookwright.operations.accounts import require_account
from hookwright.operations.endpoints import change_endpoint as change_with
from hookwright.operations.endpoints import delete_endpoint as delete
from hookwright.operations.endpoints import require_endpoint, set_status
from hookwright.store.base import EndpointQuery

router = APIRouter(tags=["Endpoints"], responses=refusals(404, 422))

NamedAccount = Annotated[RowId | None, Query(alias="account", description="Required unless the key has an account.")]


@router.get("/endpoints", summary="List endpoints")
async def list_endpoints(caller: ReadCaller, filters: Annotated[EndpointFilters, Query()]) -> EndpointPage:
    """The endpoints of one account, newest first."""
    account_id = caller.one_account(filters.account)
    query = EndpointQuery(
        account_id=account_id,
        dialects=None if filters.dialect is None else (filters.dialect,),
        below=None if filters.cursor is None else decode_cursor(filters.cursor, 1)[0],
        limit=filters.limit + 1,
    )
    await require_account(caller.services, account_id)
    found = await caller.services.store.endpoints(query)
    page, next_cursor = cut(found, filters.limit, lambda endpoint: (endpoint.id,))
    return EndpointPage(data=[endpoint_view(endpoint) for endpoint in page], next_cursor=next_cursor)


@router.get("/endpoints/{id}", summary="Get an endpoint")
async def get_endpoint(id: PathId, caller: ReadCaller, account: NamedAccount = None) -> EndpointView:
    """An endpoint with what it subscribes to."""
    return endpoint_view(await _require(caller, account, id))


@router.patch("/endpoints/{id}", openapi_extra=documented_body(EndpointChange), summary="Change an endpoint")
async def change_endpoint(
    id: PathId,
    caller: ManageCaller,
    change: Annotated[EndpointChange, Depends(json_body(EndpointChange))],
    account: NamedAccount = None,
) -> EndpointView:
    """Pause or activate an endpoint, or set its retry schedule. What is left out stays as it is."""
    endpoint = await _require(caller, account, id)
    services, account_id = caller.services, endpoint.account_id
    # The schedule comes first: it may be refused, and then nothing has changed.
    if "retry_schedule" in change.model_fields_set:
        wanted = model.EndpointChange(retry_schedule=_tuple(change.retry_schedule))
        endpoint = await change_with(services, account_id, id, wanted)
    if "status" in change.model_fields_set:
        endpoint = await set_status(services, account_id, id, change.status)
    return endpoint_view(endpoint)


@router.delete("/endpoints/{id}", status_code=204, summary="Delete an endpoint")
async def delete_endpoint(id: PathId, caller: ManageCaller, account: NamedAccount = None) -> None:
    """Nothing more is sent to it; what was still to be sent is cancelled and stays visible."""
    await delete(caller.services, caller.one_account(account), id, None)


async def _require(caller: Caller, account: int | None, id: int) -> model.Endpoint:
    return await require_endpoint(caller.services, caller.one_account(account), id, None)


def _tuple(schedule: list[int] | None) -> tuple[int, ...] | None:
    return None if schedule is None else tuple(schedule)
