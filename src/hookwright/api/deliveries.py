"""Deliveries: what became of an event on its way to each endpoint."""

from typing import Annotated

from fastapi import APIRouter, Query

from hookwright.api.callers import Caller, ManageCaller, ReadCaller
from hookwright.api.cursors import cut, decode_cursor
from hookwright.api.document import refusals
from hookwright.api.requests import DeliveryFilters, PathId
from hookwright.api.views import DeliveryDetail, DeliveryPage, DeliveryView, delivery_detail, delivery_view
from hookwright.core.model import Delivery, Instant
from hookwright.core.times import instant_or_none
from hookwright.operations.deliveries import cancel_delivery, replay_delivery, require_delivery
from hookwright.operations.event_types import require_known_type
from hookwright.store.base import DeliveryQuery

router = APIRouter(tags=["Deliveries"])


@router.get("/deliveries", responses=refusals(422), summary="List deliveries")
async def list_deliveries(caller: ReadCaller, filters: Annotated[DeliveryFilters, Query()]) -> DeliveryPage:
    """Newest first. A filter that matches nothing gives an empty list."""
    query = _query(caller, filters)
    if filters.event_type is not None:
        await require_known_type(caller.services, filters.event_type, "/event_type")
    if filters.account is not None and not caller.reaches(filters.account):
        return DeliveryPage(data=[], next_cursor=None)
    found = await caller.services.store.deliveries(query)
    page, next_cursor = cut(found, filters.limit, _place)
    return DeliveryPage(data=[delivery_view(delivery) for delivery in page], next_cursor=next_cursor)


@router.get("/deliveries/{id}", responses=refusals(404), summary="Get a delivery")
async def get_delivery(id: PathId, caller: ReadCaller) -> DeliveryDetail:
    """A delivery with its payload and every attempt."""
    delivery = await require_delivery(caller.services, caller.account_id, id)
    store = caller.services.store
    return delivery_detail(
        delivery,
        await store.endpoint(delivery.account_id, delivery.endpoint_id),
        await store.payload(id),
        await store.attempts(id),
        await store.ahead_of(delivery),
    )


@router.post("/deliveries/{id}/replay", status_code=202, responses=refusals(404, 409), summary="Replay a delivery")
async def replay(id: PathId, caller: ManageCaller) -> DeliveryView:
    """Send it again, at once and in a new round of the retry schedule, with the same id and the same bytes.

    A delivery to a paused or disabled endpoint waits until the endpoint is active again. 409 while it is being
    sent, when its endpoint is deleted, and when its payload is not kept any more.
    """
    return delivery_view(await replay_delivery(caller.services, caller.account_id, id))


@router.post("/deliveries/{id}/cancel", responses=refusals(404, 409), summary="Cancel a delivery")
async def cancel(id: PathId, caller: ManageCaller) -> DeliveryView:
    """Do not send it any more; where it held up others, the next one goes. It can be replayed later.

    409 unless it is pending: what is being sent at this moment may arrive.
    """
    return delivery_view(await cancel_delivery(caller.services, caller.account_id, id))


def _query(caller: Caller, filters: DeliveryFilters) -> DeliveryQuery:
    return DeliveryQuery(
        account_id=filters.account if caller.account_id is None else caller.account_id,
        endpoint_id=filters.endpoint,
        event_id=None if filters.event is None else str(filters.event),
        event_type=filters.event_type,
        statuses=None if filters.status is None else (filters.status,),
        created_from=instant_or_none(filters.created_from),
        created_to=instant_or_none(filters.created_to),
        before=None if filters.cursor is None else _before(filters.cursor),
        limit=filters.limit + 1,
    )


def _place(delivery: Delivery) -> tuple[Instant, int]:
    return delivery.created_at, delivery.id


def _before(cursor: str) -> tuple[Instant, int]:
    created_at, id = decode_cursor(cursor, 2)
    return created_at, id
