"""Endpoints: those of every dialect are listed, paused, limited and deleted; our own are also made here.

An id alone does not say whose endpoint it is, so a key that reaches every account names the account in the query.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from msgspec import UNSET

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.caching import keep_out_of_caches
from hookwright.api.callers import Caller, ManageCaller, ReadCaller
from hookwright.api.cursors import cut, decode_cursor
from hookwright.api.document import refusals
from hookwright.api.endpoint_views import (
    BlockedLines,
    EndpointPage,
    EndpointView,
    EndpointWithKey,
    VerifyingKeys,
    VerifyingKeyView,
    blocked_lines_view,
    endpoint_view,
    endpoint_with_key,
    verifying_key_view,
    verifying_keys_view,
)
from hookwright.api.requests import EndpointChange, EndpointFilters, NamedAccount, NewEndpoint, PathId
from hookwright.core import model
from hookwright.core.errors import Invalid, Problem
from hookwright.operations.accounts import require_account
from hookwright.operations.endpoints import Details, open_headers, require_endpoint, set_status
from hookwright.operations.endpoints import delete_endpoint as delete
from hookwright.operations.own_endpoints import (
    change_own_endpoint,
    create_own_endpoint,
    reveal_verifying_keys,
    rotate_verifying_key,
)
from hookwright.operations.services import Services
from hookwright.store.base import EndpointQuery

# What the API of an endpoint's own dialect leaves to us.
CHANGEABLE_EVERYWHERE = frozenset({"status", "retry_schedule", "max_in_flight", "rate_per_second", "ordering"})

MOST_BLOCKED_LINES = 100

router = APIRouter(tags=["Endpoints"], responses=refusals(404, 422))


@router.post(
    "/endpoints",
    status_code=201,
    responses=refusals(409),
    dependencies=[Depends(keep_out_of_caches)],
    openapi_extra=documented_body(NewEndpoint),
    summary="Create an endpoint",
)
async def create_endpoint(
    caller: ManageCaller, asked: Annotated[NewEndpoint, Depends(json_body(NewEndpoint))]
) -> EndpointWithKey:
    """It gets events in the Standard Webhooks form. The answer shows what its receiver verifies signatures with."""
    account_id = caller.one_account(asked.account)
    await require_account(caller.services, account_id)
    details = Details(
        name=asked.name,
        description=asked.description,
        headers=asked.headers,
        signature=asked.signature,
        retry_schedule=_tuple(asked.retry_schedule),
        max_in_flight=asked.max_in_flight,
        rate_per_second=asked.rate_per_second,
        ordering=asked.ordering,
    )
    wanted = [each.subscription() for each in asked.events]
    endpoint, key = await create_own_endpoint(caller.services, account_id, asked.url, wanted, details)
    return endpoint_with_key(_shown(caller.services, endpoint), key)


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
    return EndpointPage(data=[_shown(caller.services, endpoint) for endpoint in page], next_cursor=next_cursor)


@router.get("/endpoints/{id}", summary="Get an endpoint")
async def get_endpoint(id: PathId, caller: ReadCaller, account: NamedAccount = None) -> EndpointView:
    """An endpoint with what it subscribes to."""
    return _shown(caller.services, await _require(caller, account, id))


@router.patch("/endpoints/{id}", openapi_extra=documented_body(EndpointChange), summary="Change an endpoint")
async def change_endpoint(
    id: PathId,
    caller: ManageCaller,
    change: Annotated[EndpointChange, Depends(json_body(EndpointChange))],
    account: NamedAccount = None,
) -> EndpointView:
    """What is left out stays as it is. Of a dialect's endpoint the status, schedule, limits and ordering change.

    `events` and `headers` replace what was there. What was accepted for an endpoint before its events changed is
    still sent to it, to its URL of the moment.
    """
    endpoint = await _require(caller, account, id)
    if endpoint.dialect != model.OWN_DIALECT:
        _refuse_beyond_ours(change, endpoint.dialect)
    services, account_id = caller.services, endpoint.account_id
    # The rest comes before the status: it may be refused, and then nothing has changed.
    if change.model_fields_set - {"status"}:
        headers = change.headers if "headers" in change.model_fields_set else None
        endpoint = await change_own_endpoint(services, account_id, id, _wanted_change(change), headers)
    if "status" in change.model_fields_set:
        endpoint = await set_status(services, account_id, id, change.status)
    return _shown(services, endpoint)


@router.get("/endpoints/{id}/blocked-lines", summary="See what an ordered endpoint waits for")
async def list_blocked_lines(id: PathId, caller: ReadCaller, account: NamedAccount = None) -> BlockedLines:
    """The deliveries that have failed, are to be tried again, and hold up those behind them in the meantime.

    A head that should not hold up the rest any longer can be given up: `POST /deliveries/{id}/cancel`.
    """
    endpoint = await _require(caller, account, id)
    return blocked_lines_view(await caller.services.store.blocked_lines(endpoint.id, MOST_BLOCKED_LINES))


@router.delete("/endpoints/{id}", status_code=204, summary="Delete an endpoint")
async def delete_endpoint(id: PathId, caller: ManageCaller, account: NamedAccount = None) -> None:
    """Nothing more is sent to it; what was still to be sent is cancelled and stays visible."""
    await delete(caller.services, caller.one_account(account), id, None)


@router.get(
    "/endpoints/{id}/signing-secrets",
    dependencies=[Depends(keep_out_of_caches)],
    summary="Reveal an endpoint's signing secrets",
)
async def reveal_signing_secrets(id: PathId, caller: ManageCaller, account: NamedAccount = None) -> VerifyingKeys:
    """What its receiver verifies with. 404 for a dialect's endpoint: its secret is the account's or the dialect's."""
    keys = await reveal_verifying_keys(caller.services, caller.one_account(account), id)
    return verifying_keys_view(keys)


@router.post(
    "/endpoints/{id}/signing-secrets/rotate",
    responses=refusals(409),
    dependencies=[Depends(keep_out_of_caches)],
    summary="Rotate an endpoint's signing secret",
)
async def rotate_signing_secret(id: PathId, caller: ManageCaller, account: NamedAccount = None) -> VerifyingKeyView:
    """A new secret. The old one also signs for 24 hours, so that the receiver can change over."""
    key = await rotate_verifying_key(caller.services, caller.one_account(account), id)
    return verifying_key_view(key)


async def _require(caller: Caller, account: int | None, id: int) -> model.Endpoint:
    return await require_endpoint(caller.services, caller.one_account(account), id, None)


def _shown(services: Services, endpoint: model.Endpoint) -> EndpointView:
    return endpoint_view(endpoint, services.clock.now(), open_headers(services, endpoint))


def _refuse_beyond_ours(change: EndpointChange, dialect: str) -> None:
    asked = [name for name in type(change).model_fields if name in change.model_fields_set - CHANGEABLE_EVERYWHERE]
    if asked:
        message = f"cannot be changed here: it belongs to the API of the dialect {dialect}"
        raise Invalid(*(Problem(f"/{name}", message) for name in asked))


def _wanted_change(change: EndpointChange) -> model.EndpointChange:
    asked = change.model_fields_set
    return model.EndpointChange(
        url=change.url if "url" in asked else UNSET,
        name=change.name if "name" in asked else UNSET,
        description=change.description if "description" in asked else UNSET,
        retry_schedule=_tuple(change.retry_schedule) if "retry_schedule" in asked else UNSET,
        max_in_flight=change.max_in_flight if "max_in_flight" in asked else UNSET,
        rate_per_second=change.rate_per_second if "rate_per_second" in asked else UNSET,
        ordering=change.ordering if "ordering" in asked else UNSET,
        subscriptions=tuple(each.subscription() for each in change.events) if "events" in asked else UNSET,
    )


def _tuple(schedule: list[int] | None) -> tuple[int, ...] | None:
    return None if schedule is None else tuple(schedule)
