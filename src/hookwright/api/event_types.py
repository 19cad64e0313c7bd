"""The types that can be published: the built-in vocabulary, and what the platform declares."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.callers import AdminCaller, Caller, ReadCaller
from hookwright.api.document import refusals
from hookwright.api.requests import NewEventType
from hookwright.api.views import EventTypeList, EventTypeView
from hookwright.core.errors import Forbidden
from hookwright.operations import event_types
from hookwright.operations.catalogue import CataloguedType, catalogue, catalogued, require_type

router = APIRouter(tags=["Event types"])


@router.get("/event-types", response_model=EventTypeList, summary="List event types")
async def list_event_types(caller: ReadCaller) -> dict[str, Any]:
    """Every type that can be subscribed to, with what it means, the JSON Schema of its data and a sample.

    The built-in ones come first. The operational ones among them are published by Hookwright alone: they tell of an
    account's own endpoints and deliveries.
    """
    return {"data": [*map(_shown, await catalogue(caller.services))]}


@router.get("/event-types/{name}", response_model=EventTypeView, responses=refusals(404), summary="Get an event type")
async def get_event_type(name: str, caller: ReadCaller) -> dict[str, Any]:
    """One type that can be subscribed to."""
    return _shown(await require_type(caller.services, name))


@router.put(
    "/event-types/{name}",
    response_model=EventTypeView,
    responses={201: {"model": EventTypeView, "description": "It was not declared before."}, **refusals(409, 422)},
    openapi_extra=documented_body(NewEventType),
    summary="Declare an event type",
)
async def declare_event_type(
    name: str,
    caller: AdminCaller,
    asked: Annotated[NewEventType, Depends(json_body(NewEventType))],
    response: Response,
) -> dict[str, Any]:
    """Only a key that reaches every account may do this. The schema is enforced at publish, within a second.

    `name` is a noun and a verb in lower case, such as `invoice.paid`; 409 for a built-in one. The schema cannot refer
    to anything outside itself, and a sample has to fit it.
    """
    _require_platform(caller)
    declaration = await event_types.declare_event_type(
        caller.services, name, asked.description, asked.json_schema, asked.sample
    )
    response.status_code = 201 if declaration.is_new else 200
    return _shown(catalogued(declaration.declared))


@router.delete(
    "/event-types/{name}", status_code=204, responses=refusals(404, 409), summary="Delete a declared event type"
)
async def delete_event_type(name: str, caller: AdminCaller) -> None:
    """It cannot be published any more; events and deliveries of it stay. Endpoints keep it among their events."""
    _require_platform(caller)
    await event_types.delete_event_type(caller.services, name)


def _require_platform(caller: Caller) -> None:
    if caller.account_id is not None:
        raise Forbidden("only a key that reaches every account can change event types")


def _shown(type: CataloguedType) -> dict[str, Any]:
    return {
        "name": type.name,
        "description": type.description,
        "declared": type.origin == "declared",
        "operational": type.origin == "operational",
        "schema": type.schema,
        "sample": type.sample,
    }
