"""`/v4/webhook_endpoints/{id}/deliveries`: what was sent to an endpoint, and how each attempt went.

Source: developers.kit.com "Delivery history", "List webhook deliveries" and "Get webhook delivery details". A
delivery of Kit's is one request with up to a hundred events: a batch, as a rule known by the first delivery's id.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args

import msgspec
from fastapi import Depends, Query
from starlette.responses import Response

from hookwright.core.errors import NotFound
from hookwright.core.model import DAY, Attempt, Delivery, DeliveryStatus, Endpoint, Instant
from hookwright.core.times import iso_seconds
from hookwright.dialects.kit.delivery_pages import EndpointDeliveries
from hookwright.dialects.kit.documented import refusals
from hookwright.dialects.kit.endpoint_access import VisibleEndpoint
from hookwright.dialects.kit.endpoint_events import EVENT_TYPES
from hookwright.dialects.kit.endpoint_schemas import DeliveryDetails, DeliveryList
from hookwright.dialects.kit.envelopes import BATCH_LIMIT
from hookwright.dialects.kit.ids import parse_id
from hookwright.dialects.kit.page_queries import AskedPage
from hookwright.dialects.kit.paging import parse_boolean, read_page, refused
from hookwright.dialects.kit.payloads import JsonObject
from hookwright.dialects.kit.schemas import Errors
from hookwright.dialects.kit.surface import KitJson, KitSurface
from hookwright.dialects.kit.v4_routes import v4_router
from hookwright.operations.deliveries import require_delivery
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery

HISTORY: Instant = 30 * DAY

ShownDeliveryStatus = Literal["pending", "retrying", "delivered", "failed"]


class _Filter(NamedTuple):
    """Which of our deliveries Kit calls by one status."""

    statuses: tuple[DeliveryStatus, ...]
    attempted: bool | None


_FILTERS: Mapping[str, _Filter] = {
    "pending": _Filter(("pending", "in_flight"), attempted=False),
    "retrying": _Filter(("pending", "in_flight"), attempted=True),
    "delivered": _Filter(("delivered",), attempted=None),
    "failed": _Filter(("dead", "cancelled"), attempted=None),
}

_NOT_FOUND = refusals(Errors, {404: "There is no such endpoint, or no such delivery of it"})

router = v4_router("/v4/webhook_endpoints/{id}/deliveries", "Webhooks")


@router.get("", responses={200: {"model": DeliveryList}, **_NOT_FOUND})
async def list_webhook_deliveries(
    surface: KitSurface,
    endpoint: VisibleEndpoint,
    asked: AskedPage,
    status: Annotated[str | None, Query(description=", ".join(get_args(ShownDeliveryStatus)))] = None,
    event_type: Annotated[str | None, Query(description="One of the event types of endpoints")] = None,
) -> Response:
    """List the deliveries of the last 30 days, newest first."""
    since = surface.services.clock.now() - HISTORY
    filters = delivery_filters(endpoint, status or None, event_type or None, since)
    page = await read_page(EndpointDeliveries(surface.services.store, filters), asked)
    deliveries = [delivery_object(delivery) for delivery in page.items]
    return KitJson({"deliveries": deliveries, "pagination": page.pagination})


async def require_history(delivery_id: str, surface: KitSurface, endpoint: VisibleEndpoint) -> list[Delivery]:
    """The deliveries that share the request that a path names, in its order. Raises NotFound."""
    store, id = surface.services.store, parse_id(delivery_id)
    batch = await store.deliveries(DeliveryQuery(batch_id=id, limit=BATCH_LIMIT))
    if not batch:
        delivery = await require_delivery(surface.services, endpoint.account_id, id)
        batch = [delivery]
        if delivery.batch_id is not None:
            batch = await store.deliveries(DeliveryQuery(batch_id=delivery.batch_id, limit=BATCH_LIMIT))
    first, *others = sorted(batch, key=lambda member: member.id)
    since = surface.services.clock.now() - HISTORY
    if first.endpoint_id != endpoint.id or first.created_at < since:
        raise NotFound(f"endpoint {endpoint.id} has no delivery {id}")
    return [first, *others]


@router.get("/{delivery_id}", responses={200: {"model": DeliveryDetails}, **_NOT_FOUND})
async def get_webhook_delivery_details(
    surface: KitSurface,
    batch: Annotated[list[Delivery], Depends(require_history)],
    include_payload: Annotated[str | None, Query(description="Whether to add `payload`: true, false, 1 or 0")] = None,
) -> Response:
    """Get one delivery with every attempt and its events."""
    with_payload = parse_boolean("include_payload", include_payload) if include_payload else False
    shown = delivery_object(batch[0])
    shown["attempts"] = [attempt_object(each) for each in await surface.services.store.attempts(batch[0].id)]
    shown["events"] = await _events(surface.services, batch)
    if with_payload:
        # With less than all of its events it would be another body than the one that was sent.
        is_whole = len(shown["events"]) == (batch[0].batch_size or len(batch))
        shown["payload"] = {"delivery_id": shown["id"], "events": shown["events"]} if is_whole else None
    return KitJson({"delivery": shown})


def delivery_filters(endpoint: Endpoint, status: str | None, event_type: str | None, since: Instant) -> DeliveryQuery:
    """The query of a list's filters. Raises Invalid that names a bad value."""
    if status is not None and status not in _FILTERS:
        raise refused("status", f"must be one of {', '.join(_FILTERS)}, not {status}")
    if event_type is not None and event_type not in EVENT_TYPES:
        raise refused("event_type", f"must be one of {', '.join(EVENT_TYPES)}, not {event_type}")
    wanted = _FILTERS[status] if status is not None else None
    return DeliveryQuery(
        endpoint_id=endpoint.id,
        event_type=None if event_type is None else EVENT_TYPES[event_type],
        statuses=None if wanted is None else wanted.statuses,
        attempted=None if wanted is None else wanted.attempted,
        one_of_a_batch=True,
        created_from=since,
    )


def delivery_object(delivery: Delivery) -> JsonObject:
    """A delivery as lists show it; `completed_at` is null until it is delivered or has failed."""
    return {
        "id": delivery.id if delivery.batch_id is None else delivery.batch_id,
        "status": shown_delivery_status(delivery),
        "event_type": delivery.dialect_event,
        "attempt_count": delivery.attempts,
        "created_at": iso_seconds(delivery.created_at),
        "completed_at": None if delivery.finished_at is None else iso_seconds(delivery.finished_at),
    }


def shown_delivery_status(delivery: Delivery) -> ShownDeliveryStatus:
    """Kit's word for the status of a delivery. One that somebody replays is `retrying` again."""
    match delivery.status:
        case "delivered":
            return "delivered"
        case "dead" | "cancelled":
            return "failed"
        case _:
            return "retrying" if delivery.attempts else "pending"


def attempt_object(attempt: Attempt) -> JsonObject:
    """One attempt. Kit says what it records, but not under which names: these are ours."""
    answered = attempt.status_code is not None
    return {
        "attempted_at": iso_seconds(attempt.started_at),
        "response_status": attempt.status_code,
        "response_body": attempt.response_body.decode(errors="replace") if answered else None,
        "duration_ms": round(attempt.duration_us / 1000),
        "error": attempt.error,
    }


async def _events(services: Services, batch: Sequence[Delivery]) -> list[Any]:
    payloads = await services.store.payloads_of(batch)
    return [msgspec.json.decode(payloads[delivery.id]) for delivery in batch if delivery.id in payloads]
